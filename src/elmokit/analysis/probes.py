"""What each layer knows: a linear probe of tags, and nearest neighbours among the uses of one word (§5.3 of ELMo).

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

from elmokit.analysis.cosines import unit
from elmokit.encode.encoder import Encoder

Tagged = Sequence[tuple[str, str]]  # a sentence: words with their tags
Array = NDArray[np.float16]


@dataclass(frozen=True)
class Probe:
    """Accuracy of each layer on `count` cases; `baseline` is what needs no vector (see each probe)."""

    accuracy: list[float]
    baseline: float
    count: int


def tag_probe(
    encoder: Encoder, train: Sequence[Tagged], test: Sequence[Tagged], *, seed: int = 1, epochs: int = 10
) -> Probe:
    """How many tags `predicted_tags` gets right; the baseline is each word's commonest tag."""
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
    """Words that `train` has with two tags or more, each at least `least` times: the tag of the nearest use.

    A use in `test` takes the tag of the use in `train` (the first `most` of each word) whose vector has the highest
    cosine with its own. The baseline is the word's commonest tag, which is also all that layer 0 can know.
    """
    tags: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in train:
        for word, tag in sentence:
            tags[word.lower()][tag] += 1
    chosen = {word for word, count in tags.items() if sum(number >= least for number in count.values()) > 1}
    uses = _uses(encoder, train, only=chosen)
    hits: list[NDArray[np.bool_]] = []
    baseline = []
    for word, found in _uses(encoder, test, only=chosen).items():
        known = uses[word][:most]
        names = np.array([tag for tag, _ in known])
        bank = unit(np.stack([vectors for _, vectors in known], axis=1))  # (L, m, D)
        wanted = np.array([tag for tag, _ in found])
        asked = unit(np.stack([vectors for _, vectors in found], axis=1))  # (L, n, D)
        nearest = (asked @ bank.transpose(0, 2, 1)).argmax(axis=2)  # (L, n)
        hits.append(names[nearest] == wanted)
        baseline += (wanted == tags[word].most_common(1)[0][0]).tolist()
    joined = np.concatenate(hits, axis=1)
    return Probe(joined.mean(axis=1).tolist(), float(np.mean(baseline)), joined.shape[1])


def pseudo_word_probe(
    encoder: Encoder, sentences: Sequence[Sequence[str]], *, pairs: int = 50, uses: int = 30, seed: int = 1
) -> Probe:
    """Two words become one that could be either (Gale et al. 1992): does the nearest other use show which one stood?

    `pairs` pairs of words that occur between `uses` and 20 × `uses` times are drawn; `uses` sentences of each word get
    the joined word in its place. The baseline is 1/2, give or take the use itself.
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
        replaced, found, labels = f"{one}-{other}", [], []
        for label, word in enumerate((one, other)):
            for number, place in draw.sample(places[word], uses):
                words = list(sentences[number])
                words[place] = replaced
                found.append((words, place))
                labels.append(label)
        arrays = encoder.encode([words for words, _ in found], is_split_into_words=True)
        vectors = unit(np.stack([array[:, place] for array, (_, place) in zip(arrays, found, strict=True)], axis=1))
        cosines = vectors @ vectors.transpose(0, 2, 1)  # (L, n, n)
        cosines[:, np.arange(len(labels)), np.arange(len(labels))] = -np.inf
        names = np.array(labels)
        hits.append(names[cosines.argmax(axis=2)] == names)
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


def _uses(encoder: Encoder, sentences: Sequence[Tagged], *, only: set[str]) -> dict[str, list[tuple[str, Array]]]:
    """Tag and vectors (L, D) of every use of some words, in lower case."""
    uses: dict[str, list[tuple[str, Array]]] = defaultdict(list)
    arrays = encoder.stream([[word for word, _ in sentence] for sentence in sentences], is_split_into_words=True)
    for sentence, array in zip(sentences, arrays, strict=True):
        for place, (word, tag) in enumerate(sentence):
            if word.lower() in only:
                uses[word.lower()].append((tag, array[:, place].astype(np.float16)))
    return uses
