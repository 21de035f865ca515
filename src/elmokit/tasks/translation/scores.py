"""BLEU by sacrebleu, on raw text, with the signature that says how it was computed (Post 2018)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray


class BleuScores(TypedDict):
    """See `bleu_scores`."""

    sentences: int
    bleu: float
    interval: list[float]
    signature: str
    brevity_penalty: float
    precisions: list[float]
    length_ratio: float


def bleu(references: Sequence[str], translations: Sequence[str]) -> float:
    """Corpus BLEU in percent, sacrebleu's defaults: 13a tokenisation, case kept."""
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU().corpus_score(list(translations), [list(references)]).score)


def bleu_scores(references: Sequence[str], translations: Sequence[str], *, resamples: int = 1000) -> BleuScores:
    """`bleu` with what belongs to it.

    Args:
        references, translations: Raw sentences.
        resamples: Draws of as many sentences with replacement, from which the interval comes (Koehn 2004).

    Returns:
        `bleu`; `interval`, in which 95 in 100 draws lie, as its two ends; `signature`; `brevity_penalty`;
        `precisions` of 1- to 4-grams in percent; `length_ratio`; `sentences`.
    """
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU()
    score = metric.corpus_score(list(translations), [list(references)], n_bootstrap=resamples)
    signature = str(metric.get_signature())
    spread = json.loads(score.format(width=4, signature=signature, is_json=True))
    middle, half = spread.get("confidence_mean", score.score), spread.get("confidence_var", 0.0)
    return {
        "sentences": len(references),
        "bleu": float(score.score),
        "interval": [round(middle - half, 4), round(middle + half, 4)],
        "signature": signature,
        "brevity_penalty": float(score.bp),
        "precisions": [float(precision) for precision in score.precisions],
        "length_ratio": float(score.ratio),
    }


def bleu_lines(scores: Mapping[str, Any]) -> str:
    """`bleu_scores` in two lines: BLEU with its interval, and the signature of how it was computed."""
    low, high = scores["interval"]
    line = f"BLEU {scores['bleu']:.2f} ({low:.2f} to {high:.2f}) on {scores['sentences']:,} sentences"
    return f"{line}\n{scores['signature']}"


def ngram_counts(references: Sequence[str], translations: Sequence[str]) -> NDArray[np.float64]:
    """(sentences, 10): right and all 1- to 4-grams, words of the translation and of the reference."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True)  # the counts are those of the corpus score
    scored = [
        metric.sentence_score(translation, [reference])
        for reference, translation in zip(references, translations, strict=True)
    ]
    counts = [[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in scored]
    return np.array(counts, dtype=np.float64)


def bleu_of_counts(counts: NDArray[np.float64]) -> float:
    """Corpus BLEU from sums of `ngram_counts`, as `bleu` computes it."""
    from sacrebleu.metrics.bleu import BLEU

    summed = counts.astype(np.int64).tolist()
    return float(BLEU.compute_bleu(summed[:4], summed[4:8], summed[8], summed[9], smooth_method="exp").score)
