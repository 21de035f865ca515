"""For each task in the table: small files to train on, settings for a quick run, and inputs to predict."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUICK: dict[str, Any] = {
    "epochs": 3, "batch_size": 8, "learning_rate": 0.01, "head_hidden_dim": 8, "head_layers": 1, "head_dropout": 0.1,
    "threads": 1, "precision": "float32",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What a contract test needs of a task.

    Attributes:
        write: Puts training and test files into a folder and gives the settings that name them.
        inputs: What the predictor is asked.
        score: Settings of `Predictor.score` and its files.
    """

    write: Callable[[Path], dict[str, Any]]
    inputs: list[Any]
    score: Callable[[dict[str, Any]], tuple[list[str], dict[str, Any]]]


def _rows(folder: Path) -> dict[str, Any]:
    draw = random.Random(1)
    words = {"sport": ["match", "goal", "team", "win"], "money": ["bank", "share", "profit", "stock"]}
    for name, count in (("train", 40), ("test", 10)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            rows = [(label, " ".join(draw.choices(words[label], k=4))) for _ in range(count // 2) for label in words]
            csv.writer(file).writerows([("label", "text"), *rows])
    return {name: [str(folder / f"{name}.csv")] for name in ("train", "test")}


def _sentences(folder: Path) -> dict[str, Any]:
    draw = random.Random(2)
    for name, count in (("train", 40), ("test", 10)):
        blocks = [f"we O\nsaw O\n{draw.choice(['Ada', 'Bo', 'Cy'])} B-PER\n" for _ in range(count)]
        (folder / f"{name}.conll").write_text("\n".join(blocks))
    return {name: [str(folder / f"{name}.conll")] for name in ("train", "test")}


def _questions(folder: Path) -> dict[str, Any]:
    draw = random.Random(3)
    for name, count in (("train", 24), ("test", 6)):
        paragraphs = []
        for number in range(count):
            context = f"Passage {number}. {draw.choice(['Ada', 'Bo', 'Cy'])} lives far away."
            start = context.index(". ") + 2
            answer = {"text": context[start:].split()[0], "answer_start": start}
            asked = {"id": f"{name}-{number}", "question": "Who is it?", "answers": [answer]}
            paragraphs.append({"context": context, "qas": [asked]})
        (folder / f"{name}.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return {name: [str(folder / f"{name}.json")] for name in ("train", "test")}


def _parallel(folder: Path) -> dict[str, Any]:
    draw = random.Random(4)
    words = {"hund": "dog", "katze": "cat", "baum": "tree"}
    for name, count in (("train", 40), ("test", 6)):
        lines = [draw.choices(sorted(words), k=3) for _ in range(count)]
        (folder / f"{name}.de").write_text("".join(f"{' '.join(line)}\n" for line in lines))
        (folder / f"{name}.en").write_text("".join(f"{' '.join(words[word] for word in line)}\n" for line in lines))
    files = {f"{name}_{side}": [str(folder / f"{name}.{end}")]
             for name in ("train", "test") for side, end in (("source", "de"), ("target", "en"))}  # fmt: skip
    return {**files, "n_pieces": 270, "decoder_hidden_dim": 16, "target_dim": 16, "beam_size": 2}


def _test_files(settings: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    return settings["test"], {}


def _pairs(folder: Path) -> dict[str, Any]:
    draw = random.Random(5)
    words = ["dog", "cat", "tree", "sun"]
    for name, count in (("train", 40), ("test", 10)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["premise", "hypothesis", "label"])
            for number in range(count):
                first = draw.sample(words, k=2)
                second = first if number % 2 else draw.sample(words, k=2)
                writer.writerow([" ".join(first), " ".join(second), "same" if first == second else "other"])
    return {name: [str(folder / f"{name}.csv")] for name in ("train", "test")}


CASES: dict[str, Case] = {
    "classify": Case(_rows, ["goal team", "bank share and a long profit", "virus"], _test_files),
    "tag": Case(_sentences, ["we saw Ada", "we saw Bo and then we saw Cy far away"], _test_files),
    "qa": Case(
        _questions,
        [("Passage 1. Ada lives far away.", "Who is it?"), ("Bo.", "Who?"), ("Passage 2. Cy lives.", "Who is it?")],
        _test_files,
    ),
    "translate": Case(
        _parallel, ["hund katze baum", "hund"],
        lambda settings: (settings["test_source"], {"target": settings["test_target"]}),
    ),
    "pairs": Case(_pairs, [("dog cat", "dog cat"), ("a tree", "the sun and a long cat"), ("dog", "dog")], _test_files),
}  # fmt: skip
