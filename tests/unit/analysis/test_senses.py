"""Uses of a word grouped by vectors that are known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from elmokit.analysis.senses import Use, find_uses, group_uses
from elmokit.cli.app import app
from elmokit.encode.encoder import Encoder
from elmokit.errors import DataError
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.static.vectors import WordVectors

RIVER = [["the", "river", "bank", "was", "wet", f"r{n}"] for n in range(12)]
MONEY = [["my", "money", "Bank", "lent", "cash", f"m{n}"] for n in range(8)]


class Context:
    """The vector of a word is that of the word before it, and a little noise."""

    def __init__(self) -> None:
        self._draw = np.random.default_rng(0)
        self._table: dict[str, Any] = {}

    def encode(self, sentences: Sequence[Sequence[str]], *, layer: Any = None, **_: Any) -> list[Any]:
        def vector(word: str) -> Any:
            return self._table.setdefault(word, self._draw.normal(size=16).astype(np.float32))

        return [
            np.stack([vector(words[max(place - 1, 0)]) for place in range(len(words))])
            + self._draw.normal(scale=0.05, size=(len(words), 16)).astype(np.float32)
            for words in sentences
        ]


ENCODER = cast(Encoder, Context())


def test_two_senses_are_two_groups_with_their_words() -> None:
    found = group_uses("Bank", find_uses("Bank", [*MONEY, ["no", "such"], *RIVER]), ENCODER)
    assert [len(group.uses) for group in found.groups] == [12, 8]
    assert found.silhouette > 0.8
    river, money = found.groups
    assert {use.words[1] for use in river.uses} == {"river"}
    assert {"river", "wet"} & set(river.keywords)
    assert {"money", "cash"} & set(money.keywords)


def test_one_sense_is_one_group() -> None:
    draw = np.random.default_rng(1)
    noise = [[f"n{draw.integers(10_000)}", "bank"] for _ in range(60)]
    found = group_uses("bank", find_uses("bank", noise), cast(Encoder, Context()), most=3)
    assert (len(found.groups), found.silhouette) == (1, 0.0) or found.silhouette < 0.2
    assert len(group_uses("bank", find_uses("bank", RIVER + MONEY), ENCODER, groups=1).groups) == 1
    assert len(group_uses("bank", find_uses("bank", RIVER + MONEY), ENCODER, groups=3).groups) == 3


def test_equal_uses_are_one_group() -> None:
    torch.manual_seed(0)
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    found = group_uses("bank", find_uses("bank", [["the", "bank"]] * 6), encoder)
    assert [len(group.uses) for group in found.groups] == [6]


def test_long_sentences_are_cut_around_the_word_and_too_few_uses_are_told() -> None:
    (first, *_) = find_uses("x", [["a"] * 500 + ["X"] + ["b"] * 500] * 4, longest=100)
    assert (len(first.words), first.words[first.place]) == (100, "X")
    with pytest.raises(DataError, match="'x' stands in 3 sentences; expected at least 4"):
        find_uses("x", [["x"]] * 3)


def test_a_use_in_context_keeps_its_width() -> None:
    assert Use(["a", "b", "c"], 1).in_context(5) == "    a b c"
    assert Use(["of", "the", "old", "b", "that", "it", "is"], 3).in_context(9) == "… the old b that it …"


def test_the_command(tmp_path: Path) -> None:
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "m")
    (tmp_path / "t.txt").write_text("".join(" ".join(words) + " . Then .\n" for words in RIVER + MONEY))
    WordVectors(["bank", "shore"], np.eye(2, dtype=np.float32)).save(tmp_path / "v.txt")
    flags = ["senses", "BANK", "--in", str(tmp_path / "t.txt"), "--model", str(tmp_path / "m")]
    result = CliRunner().invoke(app, [*flags, "--groups", "2", "--vectors", str(tmp_path / "v.txt")])
    assert result.exit_code == 0, result.output
    assert "20 uses of 'bank': 2 groups" in result.stdout
    assert "one point for all 20 uses" in result.stdout
    assert "Nearest to it: shore" in result.stdout
    content = json.loads(CliRunner().invoke(app, [*flags, "--json"]).stdout)
    assert sum(len(group["uses"]) for group in content["groups"]) == 20
