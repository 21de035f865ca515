"""Occurrences of a word grouped by vectors that are known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from typer.testing import CliRunner

from elmokit.analysis.occurrences import find_occurrences
from elmokit.analysis.senses import group_occurrences
from elmokit.cli.app import app
from elmokit.encode.encoder import Encoder
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.static.vectors import WordVectors

RIVER = [["the", "river", "bank", "was", "wet", f"r{n}"] for n in range(12)]
MONEY = [["my", "money", "Bank", "lent", "cash", f"m{n}"] for n in range(8)]


class Context:
    """The vector of a word is that of the word before it, and a little noise."""

    def __init__(self) -> None:
        self._draw = np.random.default_rng(0)
        self._table: dict[str, Any] = {}

    def stream(self, sentences: Sequence[Sequence[str]], **_: Any) -> list[Any]:
        def vector(word: str) -> Any:
            return self._table.setdefault(word, self._draw.normal(size=16).astype(np.float32))

        return [
            np.stack([vector(words[max(place - 1, 0)]) for place in range(len(words))])
            + self._draw.normal(scale=0.05, size=(len(words), 16)).astype(np.float32)
            for words in sentences
        ]

    def encode(self, sentences: Sequence[Sequence[str]], *, positions: list[list[int]], **_: Any) -> list[Any]:
        return [array[wanted] for array, wanted in zip(self.stream(sentences), positions, strict=True)]


ENCODER = cast(Encoder, Context())


def test_two_senses_are_two_groups_with_their_words() -> None:
    found = group_occurrences("Bank", find_occurrences("Bank", [*MONEY, ["no", "such"], *RIVER]), ENCODER)
    assert [len(group.occurrences) for group in found.groups] == [12, 8]
    assert found.silhouette > 0.8
    river, money = found.groups
    assert {use.words[1] for use in river.occurrences} == {"river"}
    assert {"river", "wet"} & set(river.keywords)
    assert {"money", "cash"} & set(money.keywords)


def test_one_sense_is_one_group() -> None:
    draw = np.random.default_rng(1)
    noise = [[f"n{draw.integers(10_000)}", "bank"] for _ in range(60)]
    found = group_occurrences("bank", find_occurrences("bank", noise), cast(Encoder, Context()), most=3)
    assert (len(found.groups), found.silhouette) == (1, 0.0) or found.silhouette < 0.2
    assert len(group_occurrences("bank", find_occurrences("bank", RIVER + MONEY), ENCODER, groups=1).groups) == 1
    assert len(group_occurrences("bank", find_occurrences("bank", RIVER + MONEY), ENCODER, groups=3).groups) == 3


def test_equal_occurrences_are_one_group() -> None:
    torch.manual_seed(0)
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    found = group_occurrences("bank", find_occurrences("bank", [["the", "bank"]] * 6), encoder)
    assert [len(group.occurrences) for group in found.groups] == [6]


def test_the_command(tmp_path: Path) -> None:
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "m")
    (tmp_path / "t.txt").write_text("".join(" ".join(words) + " . Then .\n" for words in RIVER + MONEY))
    WordVectors(["bank", "shore"], np.eye(2, dtype=np.float32)).save(tmp_path / "v.txt")
    flags = ["senses", "BANK", "--in", str(tmp_path / "t.txt"), "--model", str(tmp_path / "m")]
    result = CliRunner().invoke(app, [*flags, "--groups", "2", "--vectors", str(tmp_path / "v.txt")])
    assert result.exit_code == 0, result.output
    assert "20 occurrences of 'bank': 2 groups" in result.stdout
    assert "one point for all 20 occurrences" in result.stdout
    assert "Nearest to it: shore" in result.stdout
    content = json.loads(CliRunner().invoke(app, [*flags, "--json"]).stdout)
    assert sum(len(group["uses"]) for group in content["groups"]) == 20
