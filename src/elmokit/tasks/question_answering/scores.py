"""Exact match and F1 of answers as SQuAD 1.1 and 2.0 define them (Rajpurkar et al. 2016, 2018), in percent."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from elmokit.tasks.row_scores import mean_interval

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


class AnswerScores(TypedDict):
    """See `answer_scores`."""

    exact_match: float
    f1: float
    exact_match_interval: list[float]
    f1_interval: list[float]
    questions: int
    missing: int
    has_answer_questions: NotRequired[int]
    has_answer_exact_match: NotRequired[float]
    has_answer_f1: NotRequired[float]
    no_answer_questions: NotRequired[int]
    no_answer_exact_match: NotRequired[float]
    no_answer_f1: NotRequired[float]


def normalized(answer: str) -> str:
    """An answer as it is compared: small letters, no ASCII punctuation, no articles, single blanks."""
    return " ".join(_ARTICLE.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(predicted: str, gold: str) -> float:
    """1 where the two are the same after normalisation, else 0."""
    return float(normalized(predicted) == normalized(gold))


def f1(predicted: str, gold: str) -> float:
    """Harmonic mean of precision and recall of the words, as bags, after normalisation; 0 where none is shared."""
    words, wanted = normalized(predicted).split(), normalized(gold).split()
    shared = (Counter(words) & Counter(wanted)).total()
    return 2 * shared / (len(words) + len(wanted)) if shared else 0.0


def question_scores(gold: Mapping[str, Sequence[str]], predicted: Mapping[str, str]) -> NDArray[np.float64]:
    """(questions, 2) exact match and F1 of each question in percent: its best over the answers of several people.

    Args:
        gold: The answers to each question, by its id; none where the passage has none: then only an empty prediction
            is right.
        predicted: One answer by id, empty for none; a question that is not there counts 0.
    """
    rows = np.zeros((len(gold), 2))
    for row, (name, answers) in zip(rows, gold.items(), strict=True):
        if name in predicted and not answers:
            row[:] = 100 * (not normalized(predicted[name]))
        elif name in predicted:
            row[0] = 100 * max(exact_match(predicted[name], answer) for answer in answers)
            row[1] = 100 * max(f1(predicted[name], answer) for answer in answers)
    return rows


def answer_scores(
    gold: Mapping[str, Sequence[str]], predicted: Mapping[str, str], *, draws: int = 10_000, seed: int = 1
) -> AnswerScores:
    """Mean exact match and F1 in percent, each with a 95 % interval; arguments as of `question_scores`.

    Returns:
        `exact_match`, `f1`, `exact_match_interval` and `f1_interval` (low, high), `questions`, and `missing`: questions
        without a prediction. Where some have no answer also `has_answer_exact_match`, `has_answer_f1` and
        `no_answer_f1`, which are HasAns and NoAns of the official script, with `…_questions`.
    """
    rows = question_scores(gold, predicted)
    means = rows.mean(axis=0) if len(rows) else np.zeros(2)
    exact, f1_words = (mean_interval(column, draws=draws, seed=seed) for column in rows.T)
    none = np.array([not answers for answers in gold.values()], dtype=np.bool_)
    scores: AnswerScores = {
        "exact_match": float(means[0]),
        "f1": float(means[1]),
        "exact_match_interval": list(exact),
        "f1_interval": list(f1_words),
        "questions": len(rows),
        "missing": sum(name not in predicted for name in gold),
    }
    if none.any():
        with_answer, without = (rows[own].mean(axis=0) if own.any() else np.zeros(2) for own in (~none, none))
        scores["has_answer_questions"] = int((~none).sum())
        scores["has_answer_exact_match"], scores["has_answer_f1"] = map(float, with_answer)
        scores["no_answer_questions"] = int(none.sum())
        scores["no_answer_exact_match"], scores["no_answer_f1"] = map(float, without)
    return scores
