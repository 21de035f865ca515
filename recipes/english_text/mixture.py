"""One training file of the cleaned sources: weights, held-out documents, no sentence twice, documents shuffled.

A sentence that `distinctive` calls long stands in the training file once for each time its document is taken, and not
at all when it is in a held-out file. Documents keep their sentences in order, with an empty line behind each.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from mmap import ACCESS_READ, mmap
from pathlib import Path

from elmokit.errors import DataError
from english_text.matching import distinctive, plain_words

FEWEST_HELD_OUT = 2
"""Documents held out of each source at least, but no more than half of them."""

Sentences = list[str]


@dataclass
class Size:
    """Words (between spaces), sentences and documents of a text."""

    words: int = 0
    sentences: int = 0
    documents: int = 0

    def add(self, document: Sentences, *, times: int = 1) -> None:
        """Count a document."""
        self.words += times * n_words(document)
        self.sentences += times * len(document)
        self.documents += times


@dataclass
class Part:
    """What the mixture has of a source."""

    train: Size = field(default_factory=Size)
    held_out: Size = field(default_factory=Size)
    sentences_seen_before: int = 0
    documents_left_out_by_weight: int = 0


class Seen:
    """The long sentences that were met."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def new(self, sentence: str) -> bool:
        """Note a sentence; whether it is new. A short one always is."""
        words = plain_words(sentence)
        if not distinctive(words):
            return True
        digest = blake2b(b"".join(words), digest_size=8).digest()
        if digest in self._digests:
            return False
        self._digests.add(digest)
        return True


class Mixture:
    """Takes the held-out documents of every source, then the training documents, then writes them shuffled.

    Args:
        sources: The cleaned file of each source, in the order in which the first to have a sentence keeps it.
        folder: Gets `train.txt`, `valid/NAME.txt`, and all of these as `valid.txt`.
        seed: Of what is drawn: held-out documents, those left out by weight, the order.
        held_out: The fraction of each source's words that is held out.
        advance: Called with the number of words taken.
    """

    def __init__(
        self, sources: Mapping[str, Path], folder: Path, *, seed: int, held_out: float,
        advance: Callable[[int], None] = lambda words: None,
    ) -> None:  # fmt: skip
        self.sources, self.folder, self.seed, self.held_out, self.advance = sources, folder, seed, held_out, advance
        self.parts = {name: Part() for name in sources}
        self._seen = Seen()
        self._held_out = {name: self._choose(name, path) for name, path in sources.items()}

    def keep_out(self, sentences: Iterable[str]) -> None:
        """Sentences of another held-out text."""
        for sentence in sentences:
            self._seen.new(sentence)

    def write(self, weights: Mapping[str, float]) -> None:
        """Write the files; documents of a source are taken as often as its weight says."""
        self._write_held_out()
        pool, starts, order = self.folder / "pool.txt", array("q", [0]), array("q")
        with pool.open("wb") as taken:
            for name in self.sources:
                for document, times in self._training_documents(name, weights[name]):
                    taken.write(_text(document).encode())
                    order.extend([len(starts) - 1] * times)
                    starts.append(taken.tell())
        if not order:
            raise DataError("no document is left to train on: raise --weight or lower --held-out")
        random.Random(f"{self.seed} order").shuffle(order)
        with (
            pool.open("rb") as file,
            mmap(file.fileno(), 0, access=ACCESS_READ) as text,
            (self.folder / "train.txt").open("wb") as train,
        ):
            train.writelines(text[starts[number] : starts[number + 1]] for number in order)
        pool.unlink()

    def _choose(self, name: str, path: Path) -> frozenset[int]:
        """The numbers of the documents that are held out."""
        sizes = [n_words(document) for document in read_documents(path)]
        numbers = list(range(len(sizes)))
        random.Random(f"{self.seed} held out {name}").shuffle(numbers)
        chosen: list[int] = []
        wanted, words = self.held_out * sum(sizes), 0
        for number in numbers[: len(numbers) // 2]:
            if words >= wanted and len(chosen) >= FEWEST_HELD_OUT:
                break
            chosen.append(number)
            words += sizes[number]
        return frozenset(chosen)

    def _write_held_out(self) -> None:
        (self.folder / "valid").mkdir(parents=True, exist_ok=True)
        with (self.folder / "valid.txt").open("w", encoding="utf-8") as joined:
            for name, path in self.sources.items():
                text = "".join(map(_text, self._held_out_documents(name, path)))
                if text:
                    (self.folder / "valid" / f"{name}.txt").write_text(text, encoding="utf-8")
                    joined.write(text)

    def _held_out_documents(self, name: str, path: Path) -> Iterator[Sentences]:
        part = self.parts[name]
        for number, document in enumerate(read_documents(path)):
            if number in self._held_out[name] and (kept := self._new(document, part)):
                part.held_out.add(kept)
                yield kept

    def _training_documents(self, name: str, weight: float) -> Iterator[tuple[Sentences, int]]:
        """Each document that is taken, and how often."""
        part, draw = self.parts[name], random.Random(f"{self.seed} weight {name}")
        for number, document in enumerate(read_documents(self.sources[name])):
            self.advance(n_words(document))
            if number in self._held_out[name]:
                continue
            times = math.floor(weight) + (draw.random() < weight % 1)
            if not times:
                part.documents_left_out_by_weight += 1
            elif kept := self._new(document, part):
                part.train.add(kept, times=times)
                yield kept, times

    def _new(self, document: Sentences, part: Part) -> Sentences:
        kept = [sentence for sentence in document if self._seen.new(sentence)]
        part.sentences_seen_before += len(document) - len(kept)
        return kept


def read_documents(path: Path) -> Iterator[Sentences]:
    """The documents of a cleaned file."""
    document: Sentences = []
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            if line == "\n":
                yield document
                document = []
            else:
                document.append(line[:-1])
    if document:  # text without empty lines is one document
        yield document


def n_words(document: Sentences) -> int:
    """Words between spaces."""
    return sum(sentence.count(" ") + 1 for sentence in document)


def _text(document: Sentences) -> str:
    return "\n".join(document) + "\n\n"
