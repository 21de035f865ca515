"""Every command that reads text: what it reads and refuses, sentences of raw text, words that are split already."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.text.vocab import Vocabulary
from helpers.web_models import save_bilm, save_classifier

Command = Callable[[Path, Path, Path, list[str]], Result]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_bilm(folder / "lm")
    save_classifier(folder / "topic")
    shutil.copytree(folder / "lm", folder / "spelled")  # long words to misspell
    Vocabulary.from_counts({"river": 9, "water": 9}).save(folder / "spelled" / "vocab.txt")
    return folder


def elmo(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def pretrain(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    quick = ["--preset", "tiny", "--epochs", 1, "--set", "batch_tokens=256", "--set", "min_count=1"]
    return elmo("pretrain", "--train", file, "--output", out / "run", *quick, *options)


def prepare(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("prepare", file, "--output", out / "corpus", "--min-count", 1, "--actors", 1, *options)


def evaluate(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("evaluate", place / "lm", "--text", file, *options)


def score(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("score", place / "lm", file, "--output", out / "a.tsv", *options)


def embed(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("embed", place / "lm", file, out / "a.npz", *options)


def embed_parts(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("embed", place / "lm", file, f"{out / 'parts'}/", "--actors", 1, *options)


def predict(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("predict", place / "topic", "--file", file, *options)


def vectors(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    quick = ["--method", "random", "--min-count", 1, "--dim", 4]
    return elmo("train", "vectors", "--train", file, "--output", out / "v.txt", *quick, *options)


def oov(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("oov", place / "spelled", "--text", file, *options)


def component(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("convert", place / "lm", out / "with", "--common-component-text", file, *options)


def senses(place: Path, file: Path, out: Path, options: list[str]) -> Result:
    return elmo("senses", "river", "--in", file, "--model", place / "lm", *options)


COMMANDS: list[Command] = [
    pretrain, prepare, evaluate, score, embed, embed_parts, predict, vectors, oov, component, senses
]  # fmt: skip
SENTENCES = ["the bank of the river was wet", "the river and the cell", "the water of the bank"] * 4


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def each(commands: list[Command]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("command", commands, ids=lambda command: command.__name__)


@each(COMMANDS)
def test_conllu_is_read_as_conllu(place: Path, tmp_path: Path, out: Path, command: Command) -> None:
    """No `_`, `root` or `=` becomes a word."""
    rows = [
        f"{number}\t{word}" + "\t_" * 8 for sentence in SENTENCES for number, word in enumerate(sentence.split(), 1)
    ]
    (tmp_path / "a.conllu").write_text("\n".join(rows) + "\n", encoding="utf-8")
    result = command(place, tmp_path / "a.conllu", out, [])
    assert result.exit_code == 0, result.output
    if command is pretrain:
        assert "_" not in (out / "run" / "vocab.txt").read_text(encoding="utf-8")
    if command is vectors:
        assert "_" not in (out / "v.txt").read_text(encoding="utf-8")
    if command is evaluate:
        assert f"{sum(len(sentence.split()) for sentence in SENTENCES)} words in {len(SENTENCES)}" in result.stdout


def conll(sentences: list[str]) -> str:
    return "\n".join("".join(f"{word} O\n" for word in sentence.split()) for sentence in sentences)


def fasta(sentences: list[str]) -> str:
    return "".join(f">record{number}\n{'MKVLAA' * 3}\n" for number, _ in enumerate(sentences))


def json_array(sentences: list[str]) -> str:
    return json.dumps([{"text": sentence} for sentence in sentences], indent=1)


@each(COMMANDS)
@pytest.mark.parametrize(("name", "written"), [("a.conll", conll), ("a.fasta", fasta), ("a.json", json_array)])
def test_other_formats_are_read_as_what_they_are_or_refused(
    place: Path, tmp_path: Path, out: Path, command: Command, name: str, written: Callable[[list[str]], str]
) -> None:
    """No tag, record name or bracket becomes a word."""
    (tmp_path / name).write_text(written(SENTENCES), encoding="utf-8")
    if written is fasta and command in (oov, senses):
        pytest.skip("looks for words that sequences have not")
    with_column = written is json_array and command is not component  # which finds it by its name
    result = command(place, tmp_path / name, out, ["--column", "text"] if with_column else [])
    if result.exit_code:
        assert result.exit_code == 2 and name in result.stderr, result.output
        return
    files = {pretrain: "run/vocab.txt", vectors: "v.txt"}
    if command in files:
        words = set(re.split(r"[\s\t]+", (out / files[command]).read_text(encoding="utf-8")))
        assert not words & {"O", ">record0", "record0", "[", "{", '"text"', "text:"}


@each(COMMANDS)
def test_a_spreadsheet_is_refused_by_name(place: Path, tmp_path: Path, out: Path, command: Command) -> None:
    (tmp_path / "a.xlsx").write_text("the bank\n" * 20, encoding="utf-8")
    result = command(place, tmp_path / "a.xlsx", out, [])
    assert result.exit_code == 2, result.output
    assert "a.xlsx is an Excel file, which cannot be read" in result.stderr


@each(COMMANDS)
def test_split_words_are_warned_of_once(
    place: Path, tmp_path: Path, out: Path, command: Command, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.txt").write_text("".join(f"{each} @-@ , <unk>\n" for each in SENTENCES), encoding="utf-8")
    result = command(place, tmp_path / "a.txt", out, [])
    assert result.exit_code == 0, result.output
    told = [record for record in caplog.records if "--pretokenized takes them as they are" in record.getMessage()]
    assert len(told) == 1
    assert f"{tmp_path / 'a.txt'}: the words seem to be split already" in told[0].getMessage()


@each(COMMANDS)
def test_with_the_flag_nothing_is_said(
    place: Path, tmp_path: Path, out: Path, command: Command, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.txt").write_text("".join(f"{each} @-@ , <unk>\n" for each in SENTENCES), encoding="utf-8")
    result = command(place, tmp_path / "a.txt", out, ["--pretokenized"])
    assert result.exit_code == 0, result.output
    assert not [record for record in caplog.records if "--pretokenized" in record.getMessage()]


@each([command for command in COMMANDS if command is not senses])  # which always works on sentences
def test_raw_texts_are_cut_into_sentences(place: Path, tmp_path: Path, out: Path, command: Command) -> None:
    text = " ".join(f"{sentence.capitalize()}." for sentence in SENTENCES)
    (tmp_path / "a.txt").write_text(f"{text}\n" * 2, encoding="utf-8")
    result = command(place, tmp_path / "a.txt", out, ["--split-sentences"])
    assert result.exit_code == 0, result.output
    count = 2 * len(SENTENCES)
    if command in (evaluate, prepare, score, embed, embed_parts):
        assert f"{count} sentences" in result.output
    if command is predict:
        assert len(result.stdout.splitlines()) == count


@each([pretrain, embed, predict])
def test_columns_by_number_leave_the_header_out(place: Path, tmp_path: Path, out: Path, command: Command) -> None:
    """No result moves by one row, and no name of a column becomes a word."""
    rows = "".join(f'{number},"{text}",{text}\n' for number, text in enumerate(SENTENCES))
    (tmp_path / "a.csv").write_text(f"Class Index,Title,Description\n{rows}", encoding="utf-8")
    result = command(place, tmp_path / "a.csv", out, ["--column", "2,3"])
    assert result.exit_code == 0, result.output
    if command is pretrain:
        assert "Title" not in (out / "run" / "vocab.txt").read_text(encoding="utf-8")
    if command is embed:
        assert f"{len(SENTENCES)} sentences" in result.stderr
    if command is predict:
        assert len(result.stdout.splitlines()) == len(SENTENCES)


@each([prepare, score, embed, embed_parts, vectors])
def test_quiet_is_silent(place: Path, tmp_path: Path, out: Path, command: Command) -> None:
    (tmp_path / "a.txt").write_text("".join(f"{sentence}\n" for sentence in SENTENCES), encoding="utf-8")
    result = command(place, tmp_path / "a.txt", out, ["--quiet"])
    assert result.exit_code == 0, result.output
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.parametrize("command", [pretrain, prepare, score, embed, embed_parts, vectors])
def test_quiet_prints_nothing(place: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "text.txt").write_text("the river has water\nsome water\n" * 20, encoding="utf-8")
    result = command(place, tmp_path / "text.txt", tmp_path, ["--quiet"])
    assert result.exit_code == 0, result.output
    assert result.output == ""
