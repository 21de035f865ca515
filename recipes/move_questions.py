"""SQuAD 2.0 out of SQuAD 1.1: some questions move to another paragraph of their article, where they have no answer.

    python recipes/move_questions.py $ELMOKIT_DATA/squad/train-v1.1-rebuilt.json.gz runs/squad2/train.json

Writes the file and, next to it, `NAME_answerable.json` without the questions that moved, for the reader they are held
against. A question moves only to a paragraph in which none of its answers occurs, whatever the case of the letters.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from pathlib import Path
from typing import Any

from elmokit.errors import DataError
from elmokit.whole_files import replacing

Article = dict[str, Any]  # of SQuAD's JSON: "title" and "paragraphs", these "context" and "qas"


def moved(article: Article, draws: random.Random, fraction: float) -> tuple[Article, Article]:
    """An article with some of its questions moved, and without them."""
    contexts = [paragraph["context"] for paragraph in article["paragraphs"]]
    kept: list[list[Any]] = [[] for _ in contexts]
    come: list[list[Any]] = [[] for _ in contexts]
    for home, paragraph in enumerate(article["paragraphs"]):
        for question in paragraph["qas"]:
            strange = _without_answer(contexts, home, [answer["text"] for answer in question["answers"]])
            if strange and draws.random() < fraction:
                come[draws.choice(strange)].append({**question, "answers": [], "is_impossible": True})
            else:
                kept[home].append({**question, "is_impossible": False})
    return _article(article, [old + new for old, new in zip(kept, come, strict=True)]), _article(article, kept)


def _without_answer(contexts: list[str], home: int, answers: list[str]) -> list[int]:
    """The other paragraphs in which no answer occurs."""
    lowered = [answer.lower() for answer in answers]
    return [
        number
        for number, context in enumerate(contexts)
        if number != home and not any(answer in context.lower() for answer in lowered)
    ]


def _article(article: Article, questions: list[list[Any]]) -> Article:
    paragraphs = [{**old, "qas": new} for old, new in zip(article["paragraphs"], questions, strict=True)]
    return {**article, "paragraphs": paragraphs}


def main(arguments: list[str] | None = None) -> int:
    """Write both files; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("squad", type=Path, help="a JSON file of SQuAD 1.1, also packed by gzip")
    parser.add_argument("output", type=Path, help="gets the questions, moved and not")
    parser.add_argument("--fraction", type=float, default=1 / 3, help="of the questions that move (default a third)")
    parser.add_argument("--seed", type=int, default=13, help="of what moves and where to (default 13)")
    given = parser.parse_args(arguments)
    try:
        articles = _read(given.squad)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    draws = random.Random(given.seed)
    both = [moved(article, draws, given.fraction) for article in articles]
    given.output.parent.mkdir(parents=True, exist_ok=True)
    for path, part in ((given.output, 0), (given.output.with_stem(f"{given.output.stem}_answerable"), 1)):
        data = [pair[part] for pair in both]
        with replacing(path) as partial:
            partial.write_text(json.dumps({"version": "v2.0", "data": data}), encoding="utf-8")
        questions = [
            question for article in data for paragraph in article["paragraphs"] for question in paragraph["qas"]
        ]
        unanswerable = sum(question["is_impossible"] for question in questions)
        print(f"{path}: {len(questions):,} questions, {unanswerable:,} without an answer")
    return 0


def _read(path: Path) -> list[Article]:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found = json.loads(data)["data"]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no JSON of SQuAD: expected an object with data ({error!r})") from error
    return list(found)


if __name__ == "__main__":
    sys.exit(main())
