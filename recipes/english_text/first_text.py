"""Text as it was prepared for the first models: paragraph by paragraph, half a percent of them held out.

The text of the first `elmo-mini` is made this way again, to the letter: its held-out part is what later models are
measured on as well, and tables in docs/results.md have vectors that were trained on it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from elmokit.text.sentence_borders import split_sentences
from elmokit.text.words import split_words
from english_text import readers
from english_text.data_folder import DataFolder
from english_text.evaluation_sets import FIRST_SETS

Paragraphs = Callable[[DataFolder], Iterator[str]]

HELD_OUT = 0.005
SEED = 13
LETTERS = 25  # of a sentence that is looked up in the test sets: "He went home." stands everywhere


def _flat(read: Callable[[DataFolder], Iterator[list[str]]]) -> Paragraphs:
    return lambda data: (paragraph for document in read(data) for paragraph in document)


FIRST_SOURCES: dict[str, Paragraphs] = {
    "haggard_novels": _flat(readers.book_paragraphs),
    "us_speeches": lambda data: data.lines("lm_news/us_speeches/speeches.txt.gz"),
    "wikisplit": lambda data: data.lines("lm_news/wikisplit/sentences.txt.gz"),
    "ud_ewt": lambda data: data.lines("lm_news/ud_ewt/ewt.txt.gz"),
    "gum_open": lambda data: data.lines("lm_news/gum_open/gum.txt.gz"),
    "masc": _flat(readers.masc),
    "squad_train_passages": _flat(readers.squad_passages),
}
FIRST_FILES = (
    "haggard_novels/haggard.txt.gz", "lm_news/us_speeches/speeches.txt.gz", "lm_news/wikisplit/sentences.txt.gz",
    "lm_news/ud_ewt/ewt.txt.gz", "lm_news/gum_open/gum.txt.gz", "masc/masc_tagged.zip",
    "squad/train-v1.1-rebuilt.json.gz",
)  # fmt: skip


def letters(text: str) -> str:
    """The letters of a text in lower case, by which sentences are compared here."""
    return "".join(letter for letter in text.lower() if letter.isalpha())


def write_sentences(sources: Mapping[str, Paragraphs], data: DataFolder, target: Path) -> dict[str, Counter[str]]:
    """Write `train.txt`, `valid.txt` and `sources.json` of the paragraphs that the sources give to the folder `target`.

    A sentence is left out when its letters, 25 or more, stand in the same order in a sentence of `FIRST_SETS`, or came
    before. Returns what `sources.json` says: sentences and words of each source, and of all.
    """
    target.mkdir(parents=True, exist_ok=True)
    texts = (text for known in FIRST_SETS.values() for text in known.texts(data))
    tested = {letters(sentence) for text in texts for sentence in (text, *split_sentences(text))}
    tested = {key for key in tested if len(key) >= LETTERS}
    draw = random.Random(SEED)
    counts: dict[str, Counter[str]] = {}
    seen: set[str] = set()
    with (target / "train.txt").open("w", encoding="utf-8") as train, \
            (target / "valid.txt").open("w", encoding="utf-8") as valid:  # fmt: skip
        for name, paragraphs in sources.items():
            count = counts.setdefault(name, Counter())
            for paragraph in paragraphs(data):
                held_out = draw.random() < HELD_OUT
                for sentence in split_sentences(paragraph):
                    key = letters(sentence)
                    if not key:
                        continue
                    if len(key) >= LETTERS:
                        if key in tested:
                            count["in a test set"] += 1
                            continue
                        if key in seen:
                            count["seen before"] += 1
                            continue
                        seen.add(key)
                    where = "held out" if held_out else "train"
                    (valid if held_out else train).write(" ".join(sentence.split()) + "\n")
                    count[f"{where} sentences"] += 1
                    count[f"{where} words"] += len(split_words(sentence))
    counts["all"] = sum(counts.values(), Counter())
    (target / "sources.json").write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    return counts
