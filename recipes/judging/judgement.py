"""All measures of one candidate, and the table of several."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from elmokit.analysis.similarity import RankCorrelation
from judging.candidates import Candidate
from judging.measures import (
    AVERAGE,
    ByLayer,
    StsScores,
    entity_f1,
    review_accuracy,
    sentence_similarity,
    word_similarity,
)
from judging.sets import JudgingSets, StsYear


@dataclass(frozen=True)
class Judgement:
    """The figures of a candidate.

    Attributes:
        model: Its name.
        perplexity: On its own held-out text, if known.
        words: By word set.
        sts: By year.
        reviews: Accuracy on CR.
        entities: F1 on CoNLL-2003, `eng.testa`.
        cpu_seconds: Processor time that measuring took.
    """

    model: str
    perplexity: float | None
    words: dict[str, RankCorrelation]
    sts: dict[StsYear, StsScores]
    reviews: float
    entities: ByLayer
    cpu_seconds: float


def judged(candidate: Candidate, sets: JudgingSets) -> Judgement:
    """Measure everything."""
    begun = time.process_time()
    encoder = candidate.encoder
    return Judgement(
        model=candidate.name,
        perplexity=candidate.perplexity,
        words={name: word_similarity(candidate, pairs) for name, pairs in sets.words.items()},
        sts={year: sentence_similarity(encoder, files) for year, files in sets.sts.items()},
        reviews=review_accuracy(encoder, sets.reviews),
        entities=entity_f1(encoder, sets.entities_train, sets.entities_test),
        cpu_seconds=time.process_time() - begun,
    )


def table(judgements: Sequence[Judgement]) -> str:
    """A Markdown table with a row per candidate; the numbers in its head are layers."""
    rows = [_cells(judgement) for judgement in judgements]
    columns = _ordered({name for row in rows for name in row}, rows)
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row.get(name, "–") for name in columns) + " |" for row in rows)])


def _cells(judgement: Judgement) -> dict[str, str]:
    cells = {"model": judgement.model}
    cells["perplexity"] = "–" if judgement.perplexity is None else f"{judgement.perplexity:.1f}"
    for name, found in judgement.words.items():
        cells |= _by_layer(name, found.rho)
        cells[f"{name} pairs"] = f"{found.pairs / found.all_pairs:.1%}"
    for year, sts in judgement.sts.items():
        cells |= _by_layer(f"STS{year}", sts.spearman)
    cells[f"CR {AVERAGE}"] = f"{judgement.reviews:.3f}"
    return cells | _by_layer("NER", judgement.entities)


def _by_layer(name: str, scores: Mapping[str, float]) -> dict[str, str]:
    return {f"{name} {layer}": f"{score:.3f}" for layer, score in scores.items()}


def _ordered(columns: set[str], rows: Sequence[dict[str, str]]) -> list[str]:
    """In the order of the row that has the most layers."""
    widest: dict[str, str] = max(rows, key=len)
    return sorted(columns, key=list(widest).index)
