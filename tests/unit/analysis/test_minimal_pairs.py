"""Minimal pairs: accuracies against probabilities computed word by word, and the command."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from elmokit import Encoder
from elmokit.analysis.minimal_pairs import judge_minimal_pairs
from elmokit.cli.app import app
from elmokit.errors import ModelError
from elmokit.text.minimal_pairs import MinimalPair
from helpers.web_models import save_bilm, save_classifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bilm(tmp_path_factory.mktemp("lm"))


PAIRS = [
    ("the bank was wet", "the bank wet was", "order", "syntax"),
    ("the river was wet", "river the was wet", "order", "syntax"),
    ("the cell of the bank", "the cell the of bank", "order", "syntax"),
    ("a zork was wet", "a blork was wet", "names", "lexicon"),
    ("the cell", "the cell", "names", "lexicon"),
]


def as_file(path: Path, pairs: list[tuple[str, str, str, str]] = PAIRS) -> Path:
    names = ("sentence_good", "sentence_bad", "UID", "linguistics_term")
    path.write_text("".join(json.dumps(dict(zip(names, pair, strict=True))) + "\n" for pair in pairs), encoding="utf-8")
    return path


def bits(encoder: Encoder, text: str) -> tuple[float, float]:
    """−log2 p(text) of each direction, from the perplexity and surprisals of one sentence."""
    (score,) = encoder.score([text])
    both = 2 * (len(score.words) + 1) * math.log2(score.perplexity)
    forward = float(score.forward.sum()) + score.end
    return forward, both - forward


def test_figures_are_those_of_each_sentence(folder: Path) -> None:
    encoder = Encoder.from_pretrained(folder)
    found = judge_minimal_pairs(encoder, [MinimalPair(*pair, place="") for pair in PAIRS])
    expected = {direction: 0.0 for direction in ("forward", "backward", "both")}
    for good, bad, *_ in PAIRS[:3]:
        (g, h), (b, c) = bits(encoder, good), bits(encoder, bad)
        for direction, right in (("forward", g < b), ("backward", h < c), ("both", g + h < b + c)):
            expected[direction] += right
    order = found.paradigms["order"]
    assert {direction: getattr(order, direction) for direction in expected} == expected
    assert list(found.paradigms) == ["order", "names"]
    assert found.groups["syntax"] == order
    assert found.all.pairs == 5 and found.all.forward == order.forward + found.paradigms["names"].forward
    assert found.paradigms["names"].unknown_only == 1  # the pair of equal sentences differs in nothing
    assert order.unknown_only == 0


def test_good_and_bad_change_places(folder: Path) -> None:
    encoder = Encoder.from_pretrained(folder)
    pairs = [MinimalPair(good, bad, "p", None, "") for good, bad, *_ in PAIRS]
    turned = [MinimalPair(bad, good, "p", None, "") for good, bad, *_ in PAIRS]
    one, other = (judge_minimal_pairs(encoder, each).all for each in (pairs, turned))
    for direction in ("forward", "backward", "both"):
        assert one.accuracy(direction) + other.accuracy(direction) == pytest.approx(1)


def test_ties_are_half(folder: Path) -> None:
    pairs = [MinimalPair("the bank", ["the", "bank"], "same", None, ""), MinimalPair("cell", "cell", "same", None, "")]
    found = judge_minimal_pairs(Encoder.from_pretrained(folder), pairs).all
    assert (found.pairs, found.forward, found.backward, found.both, found.unknown_only) == (2, 1.0, 1.0, 1.0, 0)
    assert found.accuracy("both") == 0.5


def test_words_that_are_split_already(folder: Path) -> None:
    encoder = Encoder.from_pretrained(folder)
    pair = MinimalPair("the don't", "the do n't", "p", None, "")
    assert judge_minimal_pairs(encoder, [pair]).all.both == 0.5  # the same words
    assert judge_minimal_pairs(encoder, [pair], pre_split=True).all.both != 0.5


def test_the_command(folder: Path, tmp_path: Path) -> None:
    file = as_file(tmp_path / "pairs.jsonl")
    result = CliRunner().invoke(app, ["evaluate", str(folder), "--minimal-pairs", str(file)])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "| paradigm | pairs | forward | backward | both | unknown words only |"
    assert [line.split(" | ")[:2] for line in lines if line.startswith("| names")] == [["| names", "2"]]
    assert lines[-1].startswith("| all pairs | 5 | ")
    result = CliRunner().invoke(app, ["evaluate", str(folder), "--minimal-pairs", str(file), "--json"])
    found = json.loads(result.stdout)
    assert set(found) == {"all", "paradigms", "groups"}
    assert found["all"]["pairs"] == 5 and 0 <= found["all"]["both"] <= 1
    assert found["groups"]["lexicon"]["unknown_only"] == 1


def test_options_that_do_not_fit(folder: Path, tmp_path: Path) -> None:
    file = str(as_file(tmp_path / "pairs.jsonl"))
    for options, message in (
        (["--minimal-pairs", file, "--text", file], "give one of --text"),
        (["--text", file, "--pair-columns", "1,2"], "--pair-columns names the columns of --minimal-pairs"),
        (["--minimal-pairs", str(tmp_path / "gone.tsv")], "gone.tsv does not exist (--minimal-pairs)"),
    ):
        result = CliRunner().invoke(app, ["evaluate", str(folder), *options])
        assert result.exit_code == 2 and message in result.stderr, result.output


def test_a_model_without_a_head(tmp_path: Path) -> None:
    encoder = Encoder.from_pretrained(save_classifier(tmp_path))
    with pytest.raises(
        ModelError, match="is a text classifier of elmo train and has no language-model head: expected a folder of"
    ):
        judge_minimal_pairs(encoder, [MinimalPair("a", "b", "p", None, "")])
