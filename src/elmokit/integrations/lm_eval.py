"""A biLM for lm-evaluation-harness, registered as `elmo`.

    import elmokit.integrations.lm_eval
    lm_eval.simple_evaluate(model="elmo", model_args={"pretrained": "elmo-mini"}, tasks=["blimp"])

A sentence has the log-likelihood of both directions together, of which each word is predicted from its left and from
its right: what `elmo evaluate --minimal-pairs` compares. With `direction` it is that of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from elmokit.encode.encoder import Encoder
from elmokit.encode.language_model import Score
from elmokit.errors import ConfigError

Direction = Literal["both", "forward", "backward"]


@register_model("elmo")
class ElmoLM(LM):  # type: ignore[misc]
    """Log-likelihoods in nats, the end of the sentence (backward: its begin) counted.

    Args:
        pretrained: A folder of `elmo pretrain`, or a model that comes with the package.
        direction: "both", their sum; or "forward" or "backward".
        device: As in `Encoder.from_pretrained`.
        batch_size, max_batch_size: Taken and not needed: sentences are batched by their words.

    Raises:
        ConfigError: An unknown `direction`.
        ModelError: No such model, or one without a language-model head.
    """

    def __init__(
        self,
        pretrained: str = "elmo-mini",
        direction: Direction = "both",
        device: str | None = None,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        if direction not in get_args(Direction):
            raise ConfigError(f"Unknown direction {direction!r}. Expected one of: {', '.join(get_args(Direction))}.")
        self.direction = direction
        self.encoder = Encoder.from_pretrained(pretrained, backend="torch", device=device)
        self.encoder.score([""])  # says at once that there is no head

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Of each continuation in its context: the sum over its words, and the markers that it touches.

        Whether greedy decoding would give it is always answered with False: a biLM generates nothing.
        """
        pairs = [request.args for request in requests]
        contexts = [self.encoder.words(context) for context, _ in pairs]
        continuations = [self.encoder.words(continuation) for _, continuation in pairs]
        whole = [[*before, *words] for before, words in zip(contexts, continuations, strict=True)]
        scores = self.encoder.score(whole, is_split_into_words=True)
        return [
            (-math.log(2) * self._bits(score, len(before)), False)
            for score, before in zip(scores, contexts, strict=True)
        ]

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:
        """Of each whole text."""
        scores = self.encoder.score(
            [self.encoder.words(request.args[0]) for request in requests], is_split_into_words=True
        )
        return [-math.log(2) * self._bits(score, 0) for score in scores]

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """
        Raises:
            NotImplementedError: Always: a biLM writes no text.
        """
        raise NotImplementedError("elmo cannot generate text: choose log-likelihood tasks")

    def _bits(self, score: Score, first: int) -> float:
        """Of the words from number `first` on, with the end, and without a context the begin."""
        forward = float(score.forward[first:].sum()) + score.end
        backward = float(score.backward[first:].sum()) + (0.0 if first else score.begin)
        return {"both": forward + backward, "forward": forward, "backward": backward}[self.direction]
