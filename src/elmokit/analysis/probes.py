"""What each layer knows: a linear probe of tags, and nearest neighbours among the occurrences of a word (§5.3 of ELMo).

The questions are those of Peters et al. (2018, tables 5 and 6): which layer serves parts of speech best, and which one
senses. Their sense data (SemCor) is replaced by two tests that any tagged or plain text allows.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from elmokit.analysis.agreement import neighbours_agree
from elmokit.analysis.occurrences import Occurrence, occurrence_vectors
from elmokit.cosines import cosines
from elmokit.encode.encoder import Encoder

Tagged = Sequence[tuple[str, str]]  # a sentence: words with their tags
Array = NDArray[np.float16]
TaggedVectors = tuple[str, Array]


@dataclass(frozen=True)
class Probe:
    """Accuracy of each layer on `count` cases; `baseline` is what needs no vector (see each probe)."""

    accuracy: list[float]
    baseline: float
    count: int


def tag_probe(
    encoder: Encoder, train: Sequence[Tagged], test: Sequence[Tagged], *, seed: int = 1, epochs: int = 10
) -> Probe:
    """The share of tags that `predicted_tags` gets right; the baseline is each word's most frequent tag."""
    gold = np.array([tag for sentence in test for _, tag in sentence])
    accuracy = [
        float((np.array([tag for tags in predicted for tag in tags]) == gold).mean())
        for predicted in predicted_tags(encoder, train, test, seed=seed, epochs=epochs)
    ]
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in train:
        for word, tag in sentence:
            words[word][tag] += 1
    overall = Counter(tag for sentence in train for _, tag in sentence).most_common(1)[0][0]
    guessed = [
        (words[word].most_common(1)[0][0] if word in words else overall) == tag for each in test for word, tag in each
    ]
    return Probe(accuracy, float(np.mean(guessed)), len(gold))


def predicted_tags(
    encoder: Encoder, train: Sequence[Tagged], test: Sequence[Tagged], *, seed: int = 1, epochs: int = 10
) -> list[list[list[str]]]:
    """Tags of the sentences of `test` by a linear classifier on the vectors of each layer alone.

    The classifier sees vectors scaled to mean 0 and deviation 1, is trained by Adam on nine tenths of the sentences and
    taken from the epoch that is best on the last tenth.

    Returns:
        For each layer the tags of each sentence.
    """
    kinds = sorted({tag for sentence in train for _, tag in sentence})
    numbers = {tag: number for number, tag in enumerate(kinds)}
    x, x_test = _layers(encoder, train), _layers(encoder, test)
    y = torch.tensor([numbers[tag] for sentence in train for _, tag in sentence])
    cut = sum(map(len, train[: len(train) * 9 // 10]))
    predicted = []
    for rows, rows_test in zip(x, x_test, strict=True):
        found = _linear(rows, y, rows_test, cut=cut, classes=len(kinds), seed=seed, epochs=epochs)
        tags = (kinds[number] for number in found.tolist())
        predicted.append([list(islice(tags, len(sentence))) for sentence in test])
    return predicted


def homograph_probe(
    encoder: Encoder, train: Sequence[Tagged], test: Sequence[Tagged], *, least: int = 5, most: int = 200
) -> Probe:
    """Words that `train` has with two tags or more, at least `least` times each: the tag of the nearest occurrence.

    An occurrence in `test` gets the tag of the occurrence in `train` (the first `most` of each word) whose vector has
    the highest cosine with its own. The baseline is the word's most frequent tag, which is all that layer 0 can know.
    """
    tags: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in train:
        for word, tag in sentence:
            tags[word.lower()][tag] += 1
    chosen = {word for word, count in tags.items() if sum(number >= least for number in count.values()) > 1}
    seen = _tagged_vectors(encoder, train, only=chosen)
    hits: list[NDArray[np.bool_]] = []
    baseline = []
    for word, found in _tagged_vectors(encoder, test, only=chosen).items():
        known = seen[word][:most]
        wanted = [tag for tag, _ in found]
        between = cosines(_stacked(found), _stacked(known))  # (L, n, m)
        hits.append(neighbours_agree(between, wanted, [tag for tag, _ in known])[..., 0])
        frequent = tags[word].most_common(1)[0][0]
        baseline += [tag == frequent for tag in wanted]
    joined = np.concatenate(hits, axis=1)
    return Probe(joined.mean(axis=1).tolist(), float(np.mean(baseline)), joined.shape[1])


def pseudo_word_probe(
    encoder: Encoder, sentences: Sequence[Sequence[str]], *, pairs: int = 50, uses: int = 30, seed: int = 1
) -> Probe:
    """Two words are merged into one (Gale et al. 1992): does the nearest other occurrence show which of them it was?

    `pairs` pairs of words that occur between `uses` and 20 × `uses` times are drawn; in `uses` sentences of each word
    the merged word takes its place. The baseline is 1/2.
    """
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, words in enumerate(sentences):
        for place, word in enumerate(words):
            if len(word) > 3 and word.isalpha() and word.islower():
                places[word].append((number, place))
    draw = random.Random(seed)
    candidates = sorted(word for word, found in places.items() if uses <= len(found) <= 20 * uses)
    chosen = draw.sample(candidates, 2 * pairs)
    hits = []
    for one, other in zip(chosen[::2], chosen[1::2], strict=True):
        labels = [word for word in (one, other) for _ in range(uses)]
        merged = [
            Occurrence(list(sentences[number]), place).replaced(f"{one}-{other}")
            for word in (one, other)
            for number, place in draw.sample(places[word], uses)
        ]
        hits.append(neighbours_agree(cosines(occurrence_vectors(encoder, merged)), labels)[..., 0])
    joined = np.concatenate(hits, axis=1)
    return Probe(joined.mean(axis=1).tolist(), 0.5, joined.shape[1])


def _layers(encoder: Encoder, sentences: Sequence[Tagged]) -> Array:
    """(L, words, D) of all sentences one behind the other."""
    arrays = encoder.stream([[word for word, _ in sentence] for sentence in sentences], is_split_into_words=True)
    return np.concatenate([array.astype(np.float16) for array in arrays], axis=1)


def _linear(
    x: Array, y: torch.Tensor, x_test: Array, *, cut: int, classes: int, seed: int, epochs: int
) -> torch.Tensor:
    """(n,) the class of each row of `x_test`."""
    torch.manual_seed(seed)
    mean = torch.from_numpy(x[:cut].mean(axis=0, dtype=np.float32))
    scale = torch.from_numpy(x[:cut].std(axis=0, dtype=np.float32)).clamp_min(1e-6)
    model = nn.Linear(x.shape[1], classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def logits(rows: Array) -> torch.Tensor:
        found: torch.Tensor = model((torch.from_numpy(rows.astype(np.float32)) - mean) / scale)
        return found

    @torch.no_grad()
    def classified(rows: Array) -> torch.Tensor:
        return torch.cat([logits(rows[start : start + 8192]).argmax(dim=1) for start in range(0, len(rows), 8192)])

    best, found = -1, torch.empty(0)
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(cut), 256):
            loss = functional.cross_entropy(logits(x[batch.numpy()]), y[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        right = int((classified(x[cut:]) == y[cut:]).sum())
        if right > best:
            best, found = right, classified(x_test)
    return found


def _tagged_vectors(encoder: Encoder, sentences: Sequence[Tagged], *, only: set[str]) -> dict[str, list[TaggedVectors]]:
    """Tag and vectors (L, D) of every occurrence of some words, in lower case."""
    found: dict[str, list[TaggedVectors]] = defaultdict(list)
    arrays = encoder.stream([[word for word, _ in sentence] for sentence in sentences], is_split_into_words=True)
    for sentence, array in zip(sentences, arrays, strict=True):
        for place, (word, tag) in enumerate(sentence):
            if word.lower() in only:
                found[word.lower()].append((tag, array[:, place].astype(np.float16)))
    return found


def _stacked(found: Sequence[TaggedVectors]) -> Array:
    """(L, n, D)"""
    return np.stack([vectors for _, vectors in found], axis=1)
