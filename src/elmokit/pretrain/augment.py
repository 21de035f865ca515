"""Words as other people type them: sentences in capitals, lower case or title case, words with a typing error.

Only what the model reads changes; what it predicts stays as written, and so do the corpus and its counts. Every change
is a pure function of (seed, epoch, number of the sentence), so that a resumed run reads what one reads that was never
stopped, and both directions read a sentence alike.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import ConfigError
from elmokit.nn.token_kinds import names_where
from elmokit.pretrain.corpus import Corpus
from elmokit.text.word_rows import WordRows

NEEDS_SPELLING = (
    "case_augmentation and typo_augmentation change how words are spelled, but the token encoder looks whole words up: "
    f"use token_encoder={names_where('reads_spelling')}, or set both to 0"
)

_CASE, _TYPOS = 0xCA5E, 0x7E90  # keep these draws apart from each other and from those of the order
_CASES = 4  # as written, and three others
_TYPO_KINDS = 4
_POSITIONS = 64
_WORDS_KEPT = 1 << 16  # whose spelling is known without a look at the corpus
_SHORTEST = 3  # letters of a word that is mistyped
_NEIGHBOURS = {
    "q": "wa",
    "w": "qes",
    "e": "wrd",
    "r": "etf",
    "t": "ryg",
    "y": "tuh",
    "u": "yij",
    "i": "uok",
    "o": "ipl",
    "p": "ol",
    "a": "qsz",
    "s": "adw",
    "d": "sfe",
    "f": "dgr",
    "g": "fht",
    "h": "gjy",
    "j": "hku",
    "k": "jli",
    "l": "kop",
    "z": "axs",
    "x": "zcs",
    "c": "xvd",
    "v": "cbf",
    "b": "vng",
    "n": "bmh",
    "m": "nkj",
}
"""Keys next to each other (QWERTY)."""


class Augmentation:
    """Changed words as ids beyond those of the corpus: the id says which word it is and how it was changed.

    Args:
        corpus: Its training sentences are read.
        rows: What the token encoder reads of words.
        case: The fraction of sentences that are read in capitals, lower case or title case, a third of them in each.
        typos: The fraction of words of three ASCII letters or more that are read with one typing error.
        seed: Of all draws.
        sentences, window: How many sentences are numbered here, and which window of a larger text they are.

    Raises:
        ConfigError: The encoder looks whole words up, so that a changed word would only be an unknown one.
    """

    def __init__(
        self,
        corpus: Corpus,
        rows: WordRows,
        *,
        case: float,
        typos: float,
        seed: int,
        sentences: int | None = None,
        window: int | None = None,
    ) -> None:
        if not rows.reads_spelling:
            raise ConfigError(NEEDS_SPELLING)
        self._corpus, self._word_rows = corpus, rows
        self._written = lru_cache(_WORDS_KEPT)(corpus.spelling)
        self._case, self._typos, self._seed = case, typos, seed
        self._n_types = len(corpus.inputs)
        self._sentences = len(corpus.train) if sentences is None else sentences
        self._window = [] if window is None else [window]
        self._cases: tuple[int, NDArray[np.int8]] | None = None  # of an epoch: (n_sentences,), 0 for one as written

    def read(self, words: NDArray[np.int32], *, epoch: int, number: int) -> NDArray[np.int64]:
        """The ids (n,) that are read for the words (n,) of the training sentence of this number."""
        if self._cases is None or self._cases[0] != epoch:
            draws = np.random.default_rng([self._seed, epoch, _CASE, *self._window]).random(self._sentences)
            share = max(self._case, np.finfo(float).tiny)
            chosen = np.where(draws < self._case, 1 + draws / share * (_CASES - 1), 0)
            self._cases = (epoch, chosen.astype(np.int8))
        ids = words.astype(np.int64)
        if case := int(self._cases[1][number]):
            changed = [change_case(word, case) != word for word in map(self.spelling, ids.tolist())]
            ids[changed] += case * self._n_types
        if not self._typos:
            return ids
        generator = np.random.default_rng([self._seed, epoch, number, _TYPOS, *self._window])
        for place in np.flatnonzero(generator.random(len(ids)) < self._typos).tolist():
            word = self.spelling(int(ids[place]))
            typo = draw_typo(word, generator)
            if typo and mistype(word, typo) != word:
                ids[place] += typo * _CASES * self._n_types
        return ids

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.integer]:
        """What the token encoder reads of words (n,) by the ids of `read`, sentence markers included: (n, width)."""
        changed = ids >= self._n_types
        rows = np.asarray(self._corpus.inputs[np.where(changed, 0, ids)])
        if changed.any():
            rows[changed] = self._word_rows([self.spelling(number) for number in ids[changed].tolist()])
        return rows

    def spelling(self, number: int) -> str:
        """The letters of an id, as they are read."""
        change, word = divmod(number, self._n_types)
        typo, case = divmod(change, _CASES)
        written = change_case(self._written(word), case)
        return written if not typo else mistype(written, typo)


def change_case(word: str, case: int) -> str:
    """The word as written (0), in capitals (1), in lower case (2), with a capital (3, but for the clitic n't)."""
    if case == 1:
        return word.upper()
    if case == 2:
        return word.lower()
    return word[:1].upper() + word[1:] if case == 3 and word.lower() not in ("n't", "n’t") else word


def draw_typo(word: str, generator: np.random.Generator) -> int:
    """The number of a typing error for `mistype`, never at the first letter; 0 for a word that is left alone."""
    if not (_SHORTEST <= len(word) < _POSITIONS and word.isascii() and word.isalpha()):
        return 0
    kind, choice = (int(generator.integers(limit)) for limit in (_TYPO_KINDS, 6))
    position = int(generator.integers(1, len(word) - (kind == 0)))
    return 1 + kind + _TYPO_KINDS * (position + _POSITIONS * choice)


def mistype(word: str, typo: int) -> str:
    """The word with two letters swapped, one dropped, one doubled, or the key next to it hit."""
    rest, kind = divmod(typo - 1, _TYPO_KINDS)
    choice, position = divmod(rest, _POSITIONS)
    before, letter, after = word[:position], word[position], word[position + 1 :]
    if kind == 0:
        return before + after[0] + letter + after[1:]
    if kind == 1:
        return before + after
    if kind == 2:
        return before + letter * 2 + after
    keys = _NEIGHBOURS[letter.lower()]
    hit = keys[choice % len(keys)]
    return before + (hit.upper() if letter.isupper() else hit) + after
