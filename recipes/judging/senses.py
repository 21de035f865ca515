"""All-words sense disambiguation: the sense of the nearest example of the same lemma (Peters et al. 2018, §5.3).

SemCor, the usual training text, is not in the data folder; three evaluation sets serve as examples for the fourth, so
the figures cannot be compared with published ones.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from elmokit import Encoder
from elmokit.analysis.occurrences import Occurrence, occurrence_vectors
from elmokit.cosines import unit
from elmokit.errors import DataError
from elmokit.text.files import SourceStats, opened, read_lines
from english_text.data_folder import DataFolder

EXAMPLES, TEST = ("senseval2", "senseval3", "semeval2013"), "semeval2015"

Lemma = tuple[str, str]  # lemma and part of speech


@dataclass(frozen=True)
class Instance(Occurrence):
    """A word whose sense is known: any of `senses`."""

    lemma: Lemma
    senses: tuple[str, ...]


@dataclass(frozen=True)
class SenseScores:
    """Accuracy of each layer; of the first sense; how many instances there are, and how many have an example."""

    layers: list[float]
    first: float
    count: int
    with_examples: int


def instances(data: DataFolder, name: str) -> list[Instance]:
    """Those of one of the sets.

    Raises:
        DataError: A file is missing or damaged.
    """
    gold = {
        key: tuple(senses)
        for key, *senses in (line.split() for line in data.lines(f"wsd_all_words/{name}.gold.key.txt.xz") if line)
    }
    file = f"wsd_all_words/{name}.data.xml.xz"
    try:
        root = ET.fromstring("\n".join(data.lines(file)))
    except ET.ParseError as error:
        raise DataError(f"{data.root / file} is damaged: {error}") from error
    return [instance for sentence in root.iter("sentence") for instance in _of_sentence(sentence, gold)]


def _of_sentence(sentence: ET.Element, gold: Mapping[str, tuple[str, ...]]) -> Iterator[Instance]:
    words = [(each.text or "").strip() for each in sentence]
    for place, each in enumerate(sentence):
        if each.tag == "instance" and each.attrib["id"] in gold:
            lemma = (each.attrib["lemma"].lower(), each.attrib["pos"])
            yield Instance(words, place, lemma, gold[each.attrib["id"]])


class FirstSenses:
    """The first sense of each lemma: that of WordNet, or without its index the most frequent one of the examples."""

    def __init__(self, examples: Sequence[Instance], index: Path | None) -> None:
        """`index`: `index.sense` of WordNet 3.0.

        Raises:
            DataError: It cannot be read, or is another file.
        """
        self._first: dict[Lemma, str] = {}
        counts: dict[Lemma, Counter[str]] = defaultdict(Counter)
        for example in examples:
            counts[example.lemma].update(example.senses)
        for lemma, senses in counts.items():
            self._first[lemma] = senses.most_common(1)[0][0]
        if index is not None:
            self._first |= _first_of_wordnet(index)

    def __getitem__(self, lemma: Lemma) -> str | None:
        return self._first.get(lemma)


_KINDS = {"1": "NOUN", "2": "VERB", "3": "ADJ", "4": "ADV", "5": "ADJ"}  # of a sense key, lemma%kind:…


def _first_of_wordnet(index: Path) -> dict[Lemma, str]:
    found: dict[Lemma, str] = {}
    with opened(index) as file:
        for number, line in enumerate(read_lines(file, SourceStats()), start=1):
            try:
                key, _, place, *_ = line.split()
                lemma, _, rest = key.partition("%")
                if not rest or not place.isdecimal():
                    raise ValueError(line)
                if place == "1":
                    found[lemma.replace("_", " "), _KINDS[rest[:1]]] = key
            except (ValueError, KeyError) as error:
                got = line.strip()[:60]
                raise DataError(f"{index} line {number}: expected WordNet's index.sense, got {got!r}") from error
    return found


def nearest_senses(
    encoder: Encoder, examples: Sequence[Instance], test: Sequence[Instance], first: FirstSenses
) -> SenseScores:
    """The sense of the example of the same lemma with the highest cosine; the first sense where there is no example."""
    wanted = {instance.lemma for instance in test}
    bank: dict[Lemma, list[int]] = defaultdict(list)
    known = [example for example in examples if example.lemma in wanted]
    for row, example in enumerate(known):
        bank[example.lemma].append(row)
    vectors, asked = unit(occurrence_vectors(encoder, known)), unit(occurrence_vectors(encoder, test))  # (L, n, D)
    right = np.zeros(len(vectors))
    backed_off = [first[instance.lemma] in instance.senses for instance in test]
    for row, instance in enumerate(test):
        rows = bank.get(instance.lemma)
        if rows is None:
            right += backed_off[row]
            continue
        nearest = (vectors[:, rows] @ asked[:, row, :, None])[..., 0].argmax(axis=1)
        right += [bool(set(known[rows[number]].senses) & set(instance.senses)) for number in nearest]
    return SenseScores(
        (right / len(test)).tolist(), sum(backed_off) / len(test), len(test), sum(each.lemma in bank for each in test)
    )
