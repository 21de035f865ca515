"""Batches of passages with their questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from elmokit.nn.heads.question_answering import QuestionAnsweringNetwork
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.inputs.batches import Batch, BatchDataset, CharDataset, RowDataset
from elmokit.tasks.inputs.datasets import dataset_maker
from elmokit.tasks.inputs.tokens import TokenizedTexts
from elmokit.tasks.question_answering.data import Examples, PreparedQuestions


class PairDataset(BatchDataset):
    """Windows of passages, each with a question: batches of what `QuestionAnsweringNetwork.forward` takes.

    Passages and questions are data sets of their own (of layers or of characters), so each is stored once, however many
    questions a passage has. Rows are as long as their passages.
    """

    def __init__(
        self, passages: RowDataset, questions: RowDataset, examples: Examples, prepared: PreparedQuestions
    ) -> None:
        self.passages, self.questions, self.examples, self.prepared = passages, questions, examples, prepared
        self.lengths = passages.lengths[examples.windows]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        picked = np.asarray(indices, dtype=np.int64)
        batch = self.passages.texts(self.examples.windows[picked])
        asked = self.questions.texts(self.examples.questions[picked])
        batch |= {f"question_{name}": tensor for name, tensor in asked.items()}
        batch["start_positions"] = torch.from_numpy(self.examples.starts[picked])
        batch["end_positions"] = torch.from_numpy(self.examples.ends[picked])
        return batch

    def of(self, examples: Examples) -> PairDataset:
        """Other pairs of the same passages and questions."""
        return PairDataset(self.passages, self.questions, examples, self.prepared)


def training_pairs(
    model: QuestionAnsweringNetwork, prepared: PreparedQuestions, examples: Examples, config: HeadConfig
) -> PairDataset:
    """Pairs whose layers come from the cache where the biLM is frozen."""
    passages, questions = (
        dataset_maker(model, tokens, config)(rows=np.arange(len(tokens)))
        for tokens in (prepared.texts, prepared.questions)
    )
    return PairDataset(passages, questions, examples, prepared)


def text_pairs(prepared: PreparedQuestions, examples: Examples) -> PairDataset:
    """Pairs as text, for a trained model."""

    def of(tokens: TokenizedTexts) -> CharDataset:
        return CharDataset(tokens, rows=np.arange(len(tokens)))

    return PairDataset(of(prepared.texts), of(prepared.questions), examples, prepared)
