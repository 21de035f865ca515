"""The words a language model predicts, in frequency order, kept as a text file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from elmokit.errors import DataError
from elmokit.text.char_ids import BOS, EOS, UNK
from elmokit.whole_files import replacing

MARKERS = (BOS, EOS, UNK)
UNK_ID = 2


class Vocabulary:
    """Words by falling count after the markers `<S>` 0, `</S>` 1, `<UNK>` 2: the log-uniform sampler needs that order.

    `vocabulary[word]` is the word's id, 2 when it is unknown.
    """

    def __init__(self, words: Iterable[str], counts: Iterable[int]) -> None:
        self.words = list(words)
        self.counts = list(counts)
        self._ids = {word: i for i, word in enumerate(self.words)}
        if tuple(self.words[: len(MARKERS)]) != MARKERS:
            raise DataError(f"a vocabulary starts with {' '.join(MARKERS)}, this one with {' '.join(self.words[:3])!r}")
        if not len(self.words) == len(self.counts) == len(self._ids):
            found = f"{len(self.words)} words, {len(self._ids)} of them distinct, with {len(self.counts)} counts"
            raise DataError(f"a vocabulary has each word once and a count for each, this one {found}")

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], *, min_count: int = 1, max_size: int | None = None) -> Vocabulary:
        """Words seen at least `min_count` times, most frequent first (ties: by word), at most `max_size` with markers.

        A literal `<S>`, `</S>` or `<UNK>` in the text is left out: as a target it counts as unknown.
        """
        ranked = sorted((-n, word) for word, n in counts.items() if n >= min_count and word not in MARKERS)
        if max_size is not None:
            ranked = ranked[: max(max_size - len(MARKERS), 0)]
        return cls([*MARKERS, *(word for _, word in ranked)], [0, 0, 0, *(-n for n, _ in ranked)])

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """Read `word<TAB>count` lines; bilm-tf vocabularies without counts are read too, with counts of 0."""
        words: list[str] = []
        counts: list[int] = []
        try:
            with open(path, encoding="utf-8", newline="\n") as file:
                for number, line in enumerate(file, 1):
                    word, _, count = line.rstrip("\r\n").partition("\t")
                    if not word or not (count or "0").isdecimal():
                        raise DataError(f"{path} line {number}: expected word<TAB>count, got {line[:80]!r}")
                    words.append(word)
                    counts.append(int(count or "0"))
        except OSError as error:
            raise DataError(f"cannot read the vocabulary {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"the vocabulary {path} is not UTF-8 text: {error}") from error
        try:
            return cls(words, counts)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write one `word<TAB>count` a line, whole or not at all."""
        lines = (f"{word}\t{count}\n" for word, count in zip(self.words, self.counts, strict=True))
        try:
            with replacing(Path(path)) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(lines)
        except OSError as error:
            raise DataError(f"cannot write the vocabulary {path}: {error.strerror}") from error

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, word: str) -> int:
        return self._ids.get(word, UNK_ID)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and (self.words, self.counts) == (other.words, other.counts)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words)"
