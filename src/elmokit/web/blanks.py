"""Words for a blank, ranked by probability or by lift over how frequent each word is anyway."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from elmokit.encode.encoder import Encoder
from elmokit.web import responses
from elmokit.web.requests import SubstitutesRequest

_CANDIDATES = 5_000  # the most likely in both directions; the lift of rarer words is mostly noise
_TEMPERED = 0.75  # of the logarithm of the frequency; at 1 rare words win whatever the sentence
_FUNCTION_WORDS = frozenset(Path(__file__).with_name("function_words.txt").read_text(encoding="utf-8").split())


def fillers(
    encoder: Encoder, words: Sequence[str], place: int, request: SubstitutesRequest
) -> list[responses.FoundSubstitute]:
    """The `k` best words for a place, as the request ranks and chooses them.

    By lift they are chosen with the frequency tempered, so that rare words do not win everywhere, and shown by lift.
    """
    plain = request.rank == "probability" and request.words == "all"
    found = encoder.substitutes(list(words), place, request.k if plain else _CANDIDATES)
    if request.words == "content":
        found = [each for each in found if is_content(each.word)]
    weights = encoder.word_weights
    if weights is None:
        return [responses.FoundSubstitute(**each._asdict(), lift=None) for each in found[: request.k]]
    total, least = sum(weights.counts.values()), min(weights.counts.values())
    logs = {each.word: math.log(weights.counts.get(each.word, least) / total) for each in found}
    if request.rank == "lift":
        found = sorted(found, key=lambda each: _TEMPERED * logs[each.word] - each.score / 2)
    best = [
        responses.FoundSubstitute(**each._asdict(), lift=math.exp(each.score / 2 - logs[each.word]))
        for each in found[: request.k]
    ]
    return sorted(best, key=lambda each: -(each.lift or 0.0)) if request.rank == "lift" else best


def is_content(word: str) -> bool:
    """Whether it has letters, no digits, and is no English function word."""
    return any(map(str.isalpha, word)) and not any(map(str.isdigit, word)) and word.lower() not in _FUNCTION_WORDS
