"""`ElmoForQuestionAnswering`: the span of a passage that answers a question, as transformers sees it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.nn.heads.question_answering import QuestionAnsweringNetwork, Spans, best_spans


@dataclass
class ElmoQuestionAnsweringOutput(QuestionAnsweringModelOutput):
    """What a question answerer gives, with the scores (B, 2) that there is no answer, where it knows that."""

    no_answer: Tensor | None = None


class ElmoForQuestionAnswering(ElmoMixedModel):  # type: ignore[no-untyped-call]
    """A biLM, a layer mix and a reader on top."""

    network: QuestionAnsweringNetwork

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.wrap(QuestionAnsweringNetwork(config))

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """A passage and a question of one (empty) word, for tools that trace a model."""
        passage = super().dummy_inputs["char_ids"]
        return {"char_ids": passage, "question_char_ids": passage.clone()}

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
        question_char_ids: Tensor | None = None,
        question_attention_mask: Tensor | None = None,
        question_layers: Tensor | None = None,
        question_static_ids: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
    ) -> ElmoQuestionAnsweringOutput:
        """Scores (B, P) of every word as start and as end, and the loss; see `QuestionAnsweringNetwork.forward`."""
        found = self.network(
            char_ids,
            attention_mask,
            layers,
            static_ids,
            question_char_ids,
            question_attention_mask,
            question_layers,
            question_static_ids,
            start_positions,
            end_positions,
        )
        return ElmoQuestionAnsweringOutput(
            loss=found.loss, start_logits=found.start_logits, end_logits=found.end_logits, no_answer=found.no_answer
        )

    def decode(self, *, max_answer_words: int, **inputs: Tensor) -> Spans:
        """The best span of each passage; `inputs` as those of `forward`, without positions."""
        return self.network.decode(max_answer_words=max_answer_words, **inputs)

    @staticmethod
    def spans(output: ElmoQuestionAnsweringOutput, *, max_answer_words: int) -> Spans:
        """The best span of each passage by the scores that `forward` gave."""
        start, end = output.start_logits, output.end_logits
        if start is None or end is None:
            raise ValueError("The output has no scores; expected start_logits and end_logits.")
        none = None if output.no_answer is None else output.no_answer.float()
        return best_spans(start.float(), end.float(), max_answer_words=max_answer_words, no_answer=none)
