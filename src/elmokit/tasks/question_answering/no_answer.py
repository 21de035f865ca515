"""When a question has no answer in its passage: the score from which that is said, chosen on validation questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from elmokit.tasks.question_answering.answers import BestSpan
from elmokit.tasks.question_answering.scores import question_scores


def chosen_threshold(
    gold: Mapping[str, Sequence[str]], found: Mapping[str, BestSpan], *, recall: float | None = None
) -> float:
    """The no-answer score with the best F1 when questions above it get no answer.

    Half way between the scores of two questions. Where answering every question is best it is 1.

    Args:
        gold: The answers to each question, by its id; none where the passage has none.
        found: The best span of each, with its no-answer score.
        recall: In place of the best F1, the highest threshold at which this part of the questions without an answer
            gets none (0 to 1); `gold` needs one of them.
    """
    names = list(gold)
    answered = question_scores(gold, {name: found[name].answer.text for name in names})[:, 1]
    silent = question_scores(gold, dict.fromkeys(names, ""))[:, 1]
    scores = np.array([found[name].no_answer or 0.0 for name in names])
    order = np.argsort(scores, kind="stable")  # those of the lowest scores are answered first
    ranked, gains = scores[order], np.concatenate([[0.0], np.cumsum((answered - silent)[order])])
    same = np.concatenate([[False], ranked[1:] == ranked[:-1], [False]])  # no threshold lies between equal scores
    if recall is None:
        count = int(np.where(same, -np.inf, gains).argmax())
    else:
        none = np.array([not gold[name] for name in names], dtype=np.int64)[order]
        refused = none.sum() - np.concatenate([[0], np.cumsum(none)])
        enough = refused / none.sum() >= recall  # a product would be rounded: 0.55 of 100 is more than 55
        count = int(np.flatnonzero(~same & enough)[-1])
    low = ranked[count - 1] if count else 0.0
    high = ranked[count] if count < len(ranked) else 1.0
    return float((low + high) / 2) if count < len(ranked) else 1.0


def answer_texts(found: Mapping[str, BestSpan], threshold: float | None) -> dict[str, str]:
    """The answers as the official scripts read them: empty where the no-answer score is above `threshold`.

    Without one every question gets an answer.
    """
    return {name: each.given(threshold).text for name, each in found.items()}
