"""`LanguageNetwork`: the biLM with its language-model head, over packed windows of words."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from elmokit.errors import ModelError
from elmokit.nn.bilm import BiLM, State
from elmokit.nn.config import NetworkConfig
from elmokit.nn.network import ElmoNetwork
from elmokit.nn.softmax import SoftmaxHead, build_head


@dataclass(frozen=True)
class LanguageModelOutput:
    """``loss`` is the mean over directions and positions, ``losses`` the mean of each direction (D,), in nats.

    ``nll`` (D, N) is what each position contributed: exact outside training, the training loss inside.
    """

    loss: Tensor
    losses: Tensor
    nll: Tensor
    state: State


class LanguageNetwork(nn.Module):
    """A biLM with one softmax shared by both directions (Peters et al. 2018, §3.1)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.elmo = ElmoNetwork(config)
        self.head = build_language_head(config)

    @property
    def bilm(self) -> BiLM:
        """The language model.

        Raises:
            ModelError: The model is the encoder of a translator (CoVe).
        """
        found: nn.Module = self.elmo.bilm
        if not isinstance(found, BiLM):
            raise ModelError("The encoder of a translator (CoVe) is no language model: expected one of elmo pretrain.")
        return found

    def hidden(
        self, chars: Tensor, index: Tensor, batch_sizes: list[int], *, state: State | None = None
    ) -> tuple[Tensor, State]:
        """The top layer before the softmax, (D, N, H). See `forward` for the arguments."""
        words = self.elmo.token_vectors(chars)  # (U, P): each distinct word once
        tokens = functional.embedding(index, words)  # (D, N, P)
        layers, final = self.bilm.forward_packed(tokens, batch_sizes, state=state)
        return layers[-1], final

    def forward(
        self, chars: Tensor, index: Tensor, targets: Tensor, batch_sizes: list[int], state: State | None = None
    ) -> LanguageModelOutput:
        """Predict the next word of each packed position, in each direction's own reading order.

        Args:
            chars: (U, 50) characters of the distinct words of the batch.
            index: (D, N) row of ``chars`` at each packed position; direction 1 reads every sentence backwards.
            targets: (D, N) vocabulary ids.
            batch_sizes: sentences still running at each step (see `elmokit.nn.packing`).
            state: where the LSTMs start, for sorted rows; zeros by default.
        """
        hidden, final = self.hidden(chars, index, batch_sizes, state=state)
        nll = self.head.loss(hidden.flatten(0, 1), targets.flatten()).view(targets.shape)
        losses = nll.mean(dim=1)
        return LanguageModelOutput(loss=losses.mean(), losses=losses, nll=nll, state=final)

    def log_probs(self, hidden: Tensor) -> Tensor:
        """(N, H) top-layer rows to log-probabilities (N, V)."""
        probabilities: Tensor = self.head.log_probs(hidden)
        return probabilities


def build_language_head(config: NetworkConfig) -> SoftmaxHead:
    """The softmax that both directions share."""
    return build_head(
        config.softmax,
        config.projection_dim,
        config.vocab_size,
        n_samples=config.n_negative_samples,
        cutoffs=config.adaptive_cutoffs,
        div_value=config.adaptive_div_value,
    )
