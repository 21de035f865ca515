"""A char CNN that is taught the vectors of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from elmokit.nn.precision import faster_precision
from elmokit.nn.token_encoder import TokenEncoder
from elmokit.pretrain.optimizers import build_muon
from elmokit.pretrain.schedule import learning_rate_factor
from elmokit.progress import rate_bar
from elmokit.settings import Settings
from elmokit.text.word_rows import ByteRows, WordRows

_OTHER_CASE = 0.1  # of the weight of the word itself
_MUON_SIDE = 448  # larger matrices are orthogonalised in blocks
AT_ONCE = 4096  # words whose vectors are computed together


class TeachingConfig(Settings):
    """How long and how fast a char CNN is taught."""

    updates: PositiveInt = 600
    """Updates in which the char CNN is taught."""
    batch_words: PositiveInt = 4096
    learning_rate: PositiveFloat = 2e-3
    """Of AdamW; the highways and the projection learn with Muon at ten times this rate. It falls in a line to zero."""


@dataclass(frozen=True)
class Lesson:
    """What the char CNN is taught: spellings (U, 50), vectors (U, P), and how often each is drawn (U,)."""

    spellings: Tensor
    vectors: Tensor
    weights: Tensor


@torch.no_grad()
def make_lesson(
    encoder: TokenEncoder, rows: WordRows, words: Sequence[str], weights: Sequence[float], vectors: Tensor | None = None
) -> Lesson:
    """Words and their spellings in other cases that are no words themselves, with the vectors of the words.

    Args:
        encoder: The trained one, which gives the vectors of the marks.
        rows: What it reads.
        words: The words.
        weights: How often each is drawn.
        vectors: (V, P) what they are taught; default: what `encoder` gives them.
    """
    spelled, places = in_other_cases(words, weights)
    if vectors is None:
        vectors = torch.cat([
            encoder(torch.from_numpy(rows(words[start : start + AT_ONCE]))) for start in range(0, len(words), AT_ONCE)
        ])  # fmt: skip
    markers, reads = ByteRows(rows.max_characters).markers(), ByteRows(rows.max_characters)
    often = max(spelled.values())
    return Lesson(
        torch.cat([torch.from_numpy(markers), torch.from_numpy(reads(list(spelled)))]),
        torch.cat([encoder(torch.from_numpy(rows.markers())), vectors[places]]),
        torch.tensor([often, often, *spelled.values()]),
    )


def in_other_cases(words: Sequence[str], weights: Sequence[float]) -> tuple[dict[str, float], list[int]]:
    """Words with how often they are drawn, and their spellings in other cases that are no words of the list.

    Of words whose other case is the same, the first one has it. The second list has the place of the word of each.
    """
    spelled = dict(zip(words, weights, strict=True))
    places = dict(zip(words, range(len(words)), strict=True))
    for place, (word, weight) in enumerate(zip(words, weights, strict=True)):
        for other in (word.upper(), word.lower(), word.title()):
            if other not in spelled:
                spelled[other], places[other] = _OTHER_CASE * weight, place
    return spelled, list(places.values())


def teach(encoder: nn.Module, lesson: Lesson, config: TeachingConfig) -> float:
    """Train a char CNN to give the vectors of a lesson; returns the share of their variance that it misses."""
    optimizer = build_muon(encoder, lr=10 * config.learning_rate, adamw_lr=config.learning_rate, max_side=_MUON_SIDE)
    dtype = torch.bfloat16 if faster_precision(lesson.vectors.device) == "bfloat16" else torch.float32
    mean = (lesson.weights @ lesson.vectors) / lesson.weights.sum()
    variance = float((lesson.weights @ (lesson.vectors - mean).square().sum(1)) / lesson.weights.sum())
    encoder.train()
    with rate_bar("teaching the char CNN", config.updates * config.batch_words, unit="words", show=True) as advance:
        for update in range(config.updates):
            rate = config.learning_rate * learning_rate_factor(
                update, total=config.updates, warmup=config.updates // 20, shape="linear", final=0.0
            )
            for group in optimizer.param_groups:
                group["lr"] = 10 * rate if group["kind"] == "muon" else rate
            drawn = torch.multinomial(lesson.weights, min(config.batch_words, len(lesson.weights)))
            with torch.autocast(lesson.vectors.device.type, dtype=dtype, enabled=dtype != torch.float32):
                found = encoder(lesson.spellings[drawn])
            loss = (found.float() - lesson.vectors[drawn]).square().sum(1).mean() / variance
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            advance(config.batch_words)
    encoder.eval()
    with torch.no_grad():
        parts = [encoder(part) for part in torch.split(lesson.spellings, AT_ONCE)]
    missed = (torch.cat(parts) - lesson.vectors).square().sum(1)
    return float(lesson.weights @ missed / lesson.weights.sum() / variance)
