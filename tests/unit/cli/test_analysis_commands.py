"""`elmo probe`, `elmo similarity` and `elmo oov`: what is read, printed and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.static.vectors import WordVectors
from elmokit.text.vocab import Vocabulary
from helpers.web_models import save_bilm

# "the plan" is a noun, "to plan" a verb, six times each.
TAGGED = "the D\nplan N\n\nto D\nplan V\n\n" * 6


@pytest.fixture(scope="module")
def bilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bilm(tmp_path_factory.mktemp("bilm"))


def run(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def test_a_probe_of_tags_has_a_column_a_layer(bilm: Path, tmp_path: Path) -> None:
    (tmp_path / "tags.txt").write_text(TAGGED, encoding="utf-8")
    flags = ["probe", bilm, "--train", tmp_path / "tags.txt", "--test", tmp_path / "tags.txt"]
    lines = run(*flags).stdout.splitlines()
    assert lines[0] == "|  | cases | without vectors | layer 0 | layer 1 | layer 2 |"
    assert [line.split(" | ")[0].strip("| ") for line in lines[2:]] == [
        "tags, linear probe", "homographs, nearest occurrence",
    ]  # fmt: skip
    content = json.loads(run(*flags, "--json").stdout)
    assert content["homographs, nearest occurrence"]["count"] == 12
    assert content["homographs, nearest occurrence"]["accuracy"][0] == 0.5  # the token layer knows no context


def test_pseudo_words_come_from_text(bilm: Path, tmp_path: Path) -> None:
    words = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}word" for number in range(100)]
    (tmp_path / "t.txt").write_text("".join(f"the {word} of\n" for word in words for _ in range(30)), encoding="utf-8")
    content = json.loads(run("probe", bilm, "--text", tmp_path / "t.txt", "--json").stdout)
    assert content["pseudo-words, nearest occurrence"]["count"] == 3000


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ([], "nothing to probe: give --train and --test with tags, or --text"),
        (["--train", "tags.txt"], "--train and --test belong together"),
        (["--train", "tags.txt", "--test", "tags.txt", "--tag-column", "3"], "lacks one of the columns"),
    ],
)
def test_probes_that_lack_something(
    flags: list[str], problem: str, bilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tags.txt").write_text(TAGGED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run("probe", bilm, *flags)
    assert result.exit_code == 2
    assert problem in result.output


def test_similarity_of_a_model_and_of_vectors(bilm: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "set.txt").write_text("bank river 5\nbank cell 2\nriver cell 1\nbank heron 3\n", encoding="utf-8")
    angles = np.array([0.0, 0.1, 2.0])
    matrix = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    WordVectors(["bank", "river", "cell"], matrix).save(tmp_path / "v.txt")
    flags = ["similarity", tmp_path / "set.txt", "--model", bilm, "--vectors", tmp_path / "v.txt"]
    head, _, row = run(*flags).stdout.splitlines()
    assert head == f"| set | pairs | known to all | {bilm.name}, token layer | v.txt |"
    assert row.startswith("| set | 4 | 3 | ")
    content = json.loads(run(*flags, "--all-layers", "--json").stdout)["set"]
    assert list(content["rho"]) == [*(f"{bilm.name}, layer {layer}" for layer in range(3)), "v.txt"]
    assert content["rho"]["v.txt"] == pytest.approx(0.5)
    assert "give --model or --vectors" in run("similarity", tmp_path / "set.txt").output
    (tmp_path / "few.txt").write_text("bank river 5\nbank cell 2\n", encoding="utf-8")
    both = run("similarity", tmp_path / "few.txt", *flags[1:])
    assert [line.split(" | ")[0] for line in both.stdout.splitlines()[2:]] == ["| set"]
    assert "few is left out: 2 of 2 pairs are known to every model; expected at least 3" in caplog.text
    alone = run("similarity", tmp_path / "few.txt", *flags[2:])
    assert (alone.exit_code, "no set has three pairs that every model knows" in alone.stderr) == (2, True)


def test_misspelt_and_unseen_words(bilm: Path, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("the farmer was horses\nwinter of zebra gnu and okapi\n", encoding="utf-8")
    refused = run("oov", bilm, "--text", tmp_path / "t.txt")
    assert refused.exit_code == 2
    assert "0 words could be misspelt; expected at least two" in refused.output
    shutil.copytree(bilm, tmp_path / "m")
    known = ["the", "farmer", "was", "horses", "winter", "of", "and"]
    Vocabulary.from_counts(dict.fromkeys(known, 9)).save(tmp_path / "m" / "vocab.txt")
    shown = run("oov", tmp_path / "m", "--text", tmp_path / "t.txt").stdout.splitlines()
    assert shown[0] == "2 misspelt words in their sentences, 3 out-of-vocabulary words alone"
    assert [line.split(" | ")[1] for line in shown[4:]] == ["0", "1", "2"]
    content = json.loads(run("oov", tmp_path / "m", "--text", tmp_path / "t.txt", "--json").stdout)
    assert [each["unseen_apart"] for each in content["layers"]] == [1.0] * 3  # the char CNN reads any word
