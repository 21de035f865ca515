"""From the best spans of windows to one answer a question, with character offsets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.nn.heads.question_answering import QuestionAnsweringNetwork, Spans
from elmokit.tasks.question_answering.data import Examples, PreparedQuestions
from elmokit.tasks.question_answering.datasets import PairDataset
from elmokit.tasks.question_answering.squad import Questions

_WORDS_PER_BATCH = 8192


class FoundAnswer(NamedTuple):
    """An answer: `passage[start:end]`, and how sure the model is of it, from 0 to 1.

    The score is p(start) · p(end) over all words of the passage (over the words of all windows where it is read in
    several). Where the passage has no answer the text is empty, and the score is the no-answer score.
    """

    text: str
    start: int
    end: int
    score: float


class BestSpan(NamedTuple):
    """The best answer to a question, and where the model knows that, how likely none is against it, from 0 to 1."""

    answer: FoundAnswer
    no_answer: float | None

    def given(self, threshold: float | None) -> FoundAnswer:
        """The answer, or none where its score is above `threshold`; None: always the answer."""
        if threshold is None or self.no_answer is None or self.no_answer <= threshold:
            return self.answer
        return FoundAnswer("", 0, 0, self.no_answer)


def as_rows(spans: Spans) -> Tensor:
    """(B, 5) start, end, score, total and no-answer score in double precision, in which word positions are exact."""
    return torch.stack([part.double() for part in spans], dim=1)


@torch.no_grad()
def decode_all(model: QuestionAnsweringNetwork, data: PairDataset, *, max_answer_words: int) -> NDArray[np.float64]:
    """(N, 5) rows of `as_rows` in the order of `data`, computed by falling length, about as many words at once."""
    model.train(False)
    order: NDArray[np.int64] = np.argsort(-data.lengths, kind="stable")
    found = np.zeros((len(order), len(Spans._fields)))
    start = 0
    while start < len(order):
        count = max(1, _WORDS_PER_BATCH // int(data.lengths[order[start]]))
        picked = order[start : start + count]
        batch = data.__getitems__(picked.tolist())
        inputs = {name: tensor.to(model.device) for name, tensor in batch.items() if not name.endswith("_positions")}
        found[picked] = as_rows(model.decode(max_answer_words=max_answer_words, **inputs)).cpu().numpy()
        start += count
    return found


def best_answers(
    split: Questions,
    prepared: PreparedQuestions,
    examples: Examples,
    found: NDArray[np.float64],
    *,
    knows_none: bool = False,
) -> dict[str, BestSpan]:
    """The best answer to each question by its id: the span of the highest score over all windows of the passage.

    Args:
        split, prepared: The questions, and the same in numbers.
        examples: (N,) questions with windows.
        found: (N, 5) the best span of each of them.
        knows_none: Whether the model knows questions without an answer.
    """
    starts, ends, scores, totals, nones = found.T
    best: dict[int, int] = {}
    whole = np.full(len(split), -np.inf)
    none = np.full(len(split), np.inf)  # every window must say so
    for row, (question, score, total) in enumerate(zip(examples.questions.tolist(), scores, totals, strict=True)):
        whole[question] = np.logaddexp(whole[question], total)
        none[question] = min(none[question], nones[row])
        if question not in best or score > scores[best[question]]:
            best[question] = row
    answers = {}
    for number, row in best.items():
        question = split.questions[number]
        begin = prepared.windows[examples.windows[row], 1]
        words = prepared.offsets[question.passage]
        start, end = int(words[begin + int(starts[row]), 0]), int(words[begin + int(ends[row]), 1])
        score = float(np.exp(scores[row] - whole[number]))
        silent = float(1 / (1 + np.exp(np.clip(scores[row] - none[number], -500, 500)))) if knows_none else None
        answer = FoundAnswer(split.passages[question.passage][start:end], start, end, score)
        answers[question.id] = BestSpan(answer, silent)
    return answers
