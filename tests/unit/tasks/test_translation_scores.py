"""BLEU by sacrebleu against a count by hand, with what belongs to it."""

from __future__ import annotations

import math

import pytest

from elmokit.tasks.translation.scores import bleu, bleu_scores


def test_bleu_by_hand() -> None:
    """7 of 8 words, 5 of 6 pairs, 3 of 4 triples and 1 of 2 fours are right; one word too few."""
    references = ["the old dog sleeps .", "a cat runs here"]
    translations = ["the old dog sleeps", "a cat runs there"]
    precision = math.exp(sum(math.log(share) for share in (7 / 8, 5 / 6, 3 / 4, 1 / 2)) / 4)
    expected = 100 * math.exp(1 - 9 / 8) * precision
    assert bleu(references, translations) == pytest.approx(expected)
    scores = bleu_scores(references, translations)
    assert scores["bleu"] == pytest.approx(expected)
    assert scores["brevity_penalty"] == pytest.approx(math.exp(1 - 9 / 8))
    assert scores["precisions"] == pytest.approx([700 / 8, 500 / 6, 75, 50])
    assert scores["sentences"] == 2


def test_the_signature_and_the_interval() -> None:
    references = [f"sentence number {number} of these ones" for number in range(40)]
    translations = [text if number % 2 else text.replace("these", "the") for number, text in enumerate(references)]
    scores = bleu_scores(references, translations)
    assert scores["signature"].startswith("nrefs:1|bs:1000|seed:")
    assert "|case:mixed|eff:no|tok:13a|smooth:exp|" in scores["signature"]
    low, high = scores["interval"]
    assert low < scores["bleu"] < high
    assert bleu_scores(references, translations) == scores
    assert bleu_scores(references, references)["bleu"] == pytest.approx(100)
    assert bleu_scores(["a b c d"], ["x"])["bleu"] == 0
