"""Sentences of openly licensed and public-domain English for `elmo-mini`, without those of any test set.

    python scripts/prepare_elmo_mini.py $ELMOKIT_DATA runs/elmo_mini/data

Reads the novels of H. Rider Haggard, American speeches, WikiSplit, EWT, the open documents of GUM, MASC and the SQuAD
training passages; their terms stand in README.md of the data folder. Writes `train.txt` and `valid.txt`, one sentence a
line, half a percent of the paragraphs held out, and `sources.json` with words and sentences by source. A sentence whose
letters (25 or more) stand in the same order in a validation or test file of another set is left out.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from elmokit.text.sentence_borders import split_sentences
from elmokit.text.words import split_words

HELD_OUT = 0.005
SEED = 13
LETTERS = 25  # of a sentence that is looked up in the test sets: "He went home." stands everywhere
_BOOK = re.compile(r"^<<<BOOK .*>>>$", re.MULTILINE)
_GUTENBERG_END = re.compile(r"^\W*End of (?:the |this )?Project Gutenberg", re.MULTILINE | re.IGNORECASE)
_GUTENBERG_START = re.compile(r"\*\*\* ?START OF [^\n]*\n")
_EMPHASIS = re.compile(r"(?<![\w/])([_/])(\w[^_/\n]{0,80}?)\1(?!\w)")  # _not_  /Hapi/
_TAGGED = re.compile(r"(\S+)_\S+")


def lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file)


def novels(data: Path) -> Iterator[str]:
    """Paragraphs; headers and licences of Project Gutenberg are cut off."""
    text = "\n".join(lines(data / "haggard_novels" / "haggard.txt.gz"))
    for book in _BOOK.split(text):
        book = _GUTENBERG_END.split(book, maxsplit=1)[0]
        book = _GUTENBERG_START.split(book, maxsplit=1)[-1]
        for paragraph in re.split(r"\n\s*\n", book):
            yield _EMPHASIS.sub(r"\2", " ".join(paragraph.split()))


def masc(data: Path) -> Iterator[str]:
    """Lines of word_TAG as words; what is no such line is passed over."""
    with zipfile.ZipFile(data / "masc" / "masc_tagged.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".txt") and "categories" not in name:
                for line in archive.read(name).decode("utf-8", errors="replace").splitlines():
                    words = [match[1] for match in map(_TAGGED.fullmatch, line.split()) if match]
                    yield " ".join(words)


def squad(data: Path) -> Iterator[str]:
    with gzip.open(data / "squad" / "train-v1.1-rebuilt.json.gz", "rt", encoding="utf-8") as file:
        content = json.load(file)
    for article in content["data"]:
        yield from (" ".join(paragraph["context"].split()) for paragraph in article["paragraphs"])


SOURCES: dict[str, Callable[[Path], Iterator[str]]] = {
    "haggard_novels": novels,
    "us_speeches": lambda data: lines(data / "lm_news" / "us_speeches" / "speeches.txt.gz"),
    "wikisplit": lambda data: lines(data / "lm_news" / "wikisplit" / "sentences.txt.gz"),
    "ud_ewt": lambda data: lines(data / "lm_news" / "ud_ewt" / "ewt.txt.gz"),
    "gum_open": lambda data: lines(data / "lm_news" / "gum_open" / "gum.txt.gz"),
    "masc": masc,
    "squad_train_passages": squad,
}


def test_texts(data: Path) -> Iterator[str]:
    """Texts of every validation and test file."""
    for path in [*(data / "wikitext2").glob("*.gz"), *(data / "ptb").glob("ptb.[tv][ea][sl]*.gz")]:
        yield from lines(path)
    with gzip.open(data / "ag_news" / "test.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from (text for row in csv.reader(file) for text in row[1:])
    columns = [*(data / "conll2003").glob("eng.test*"), data / "conll2000" / "test.txt.gz"]
    for path in [*columns, *(data / "wnut17" / f"{name}.conll.gz" for name in ("dev", "test"))]:
        sentence: list[str] = []
        for line in lines(path):
            if not line.strip():
                yield " ".join(sentence)
                sentence = []
            else:
                sentence.append(line.split()[0])
        yield " ".join(sentence)
    for name in ("dev", "test"):
        yield from (
            " ".join(re.findall(r" ([^() ]+)\)", line)) for line in lines(data / "sst" / "trees" / f"{name}.txt.gz")
        )
        yield from (line.partition(" ")[2] for line in lines(data / "sst" / "binary" / f"stsa.binary.{name}.gz"))
    for path in [*(data / "multi30k").glob("test*.en.gz"), data / "multi30k" / "val.en.gz"]:
        yield from lines(path)
    with gzip.open(data / "squad" / "dev-v1.1-rebuilt.json.gz", "rt", encoding="utf-8") as file:
        for article in json.load(file)["data"]:
            for paragraph in article["paragraphs"]:
                yield paragraph["context"]
                yield from (question["question"] for question in paragraph["qas"])


def letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalpha())


def write_sentences(sources: Mapping[str, Callable[[Path], Iterator[str]]], data: Path, target: Path) -> None:
    """`train.txt`, `valid.txt` and `sources.json` in `target`, of the paragraphs that the sources give; see above."""
    target.mkdir(parents=True, exist_ok=True)
    tested = {letters(sentence) for text in test_texts(data) for sentence in (text, *split_sentences(text))}
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
    totals = sum(counts.values(), Counter())
    (target / "sources.json").write_text(json.dumps({**counts, "all": totals}, indent=2) + "\n", encoding="utf-8")
    for name, count in [*counts.items(), ("all", totals)]:
        print(f"{name:<22}" + "  ".join(f"{key} {value:,}" for key, value in sorted(count.items())))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_sentences(SOURCES, Path(sys.argv[1]), Path(sys.argv[2]))
