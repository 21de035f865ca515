"""Every command on every kind of damaged input: one line and exit code 2, or a result; never a traceback."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.models import ElmoConfig
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.text.vocab import Vocabulary

WORDS = ["the", "bank", "of", "river", "was", "wet", "and", "cell", "gene", "orbit", "team", "goal"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained language model `lm`, an untrained classifier `topic`, and good text and rows."""
    folder = tmp_path_factory.mktemp("bad_input")
    torch.manual_seed(0)
    vocabulary = Vocabulary.from_counts(dict.fromkeys(WORDS, 9))
    ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=len(vocabulary))).save_pretrained(folder / "lm")
    vocabulary.save(folder / "lm" / "vocab.txt")
    labels = {0: "1", 1: "2"}
    shape = ElmoConfig.preset("tiny", head_hidden_dim=4, head_layers=1)
    shape.id2label, shape.label2id = labels, {name: number for number, name in labels.items()}
    ElmoForSequenceClassification(shape).save_pretrained(folder / "topic")
    for name in ("lm", "topic"):
        ElmoTokenizer().save_pretrained(folder / name)
    (folder / "good.txt").write_text("the bank was wet\n" * 20, encoding="utf-8")
    (folder / "good.csv").write_text("1,the bank was wet\n2,the cell of orbit\n" * 20, encoding="utf-8")
    return folder


def elmo(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def pretrain(place: Path, file: Path, output: Path) -> Result:
    options = ["--preset", "tiny", "--epochs", 1, "--set", "batch_tokens=256", "--set", "min_count=1"]
    return elmo("pretrain", "--train", file, "--valid", place / "good.txt", "--output", output, *options)


def evaluate(place: Path, file: Path, output: Path) -> Result:
    return elmo("evaluate", place / "lm", "--text", file)


def embed(place: Path, file: Path, output: Path) -> Result:
    return elmo("embed", place / "lm", file, output.with_suffix(".npz"))


def predict(place: Path, file: Path, output: Path) -> Result:
    return elmo("predict", place / "topic", "--file", file, "--json")


def classify(place: Path, train: Path, test: Path, output: Path) -> Result:
    options = ["--epochs", 1, "--quiet", "--cache", output.parent / "cache", "--set", "head_hidden_dim=4"]
    return elmo(
        "train", "classify", "--model", place / "lm", "--train", train, "--test", test, "--output", output, *options
    )


READERS = [pretrain, evaluate, embed, predict]
Reader = Callable[[Path, Path, Path], Result]

UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.txt", b"", "contains no text"),
    "blank lines": ("a.txt", b"\n \n\t\n", "contains no text"),
    "picture": ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "is a PNG picture; expected text, CSV"),
    "junk": ("a.txt", bytes(range(256)) * 50, "is binary; expected text, CSV"),
    "gzip cut short": ("a.txt.gz", gzip.compress(b"the bank\n" * 5000)[:60], "a.txt.gz"),
    "no gzip": ("a.csv.gz", b"1,the bank\n", "a.csv.gz"),
    "no such column": ("a.csv", b"key,label\nx y,1\nz,2\n", "has the columns key, label: say which to take"),
    "no JSON": ("a.jsonl", b"{text: 1}\n", "line 1 is no JSON"),
}


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("kind", UNREADABLE)
def test_unreadable_text(place: Path, tmp_path: Path, read: Reader, kind: str) -> None:
    name, content, problem = UNREADABLE[kind]
    (tmp_path / name).write_bytes(content)
    result = read(place, tmp_path / name, tmp_path / "out")
    assert_one_line(result, problem)
    assert not list(tmp_path.glob("out*")) or not list((tmp_path / "out").glob("model*"))


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_missing_file(place: Path, tmp_path: Path, read: Reader) -> None:
    assert_one_line(read(place, tmp_path / "gone.txt", tmp_path / "out"), "gone.txt")


ODD: dict[str, bytes] = {
    "invalid UTF-8": b"the bank of caf\xe9\nthe river was wet\n" * 5,
    "NUL bytes": b"the b\0ank\n\0\nthe river was wet\n" * 5,
    "a word of 10,000 characters": b"the bank\n" + b"x" * 10_000 + b" was wet\nthe river\n",
    "empty lines": b"\n\nthe bank\n\n\n  \nthe river was wet\n",
    "a long document": b"the bank was wet . " * 1000 + b"\nthe river\n",
    "control characters": b"the \x01 bank\x07\n\x1b[31mred\x1b[0m river\n",
    "no line end": b"the bank was wet",
    "Windows lines and a BOM": b"\xef\xbb\xbfthe bank\r\nthe river\r\n",
}


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("kind", ODD)
def test_odd_text_is_read(place: Path, tmp_path: Path, read: Reader, kind: str) -> None:
    (tmp_path / "a.txt").write_bytes(ODD[kind])
    result = read(place, tmp_path / "a.txt", tmp_path / "out")
    assert result.exit_code == 0, result.output
    if read is embed:
        with np.load(tmp_path / "out.npz") as arrays:
            vectors = [arrays[name] for name in arrays if name.startswith("vectors")]
            assert all(np.isfinite(array).all() for array in vectors)
            assert len(vectors) == len(ODD[kind].removesuffix(b"\n").split(b"\n"))  # blank lines keep their place
    if read is predict:
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(lines) == len(ODD[kind].removesuffix(b"\n").split(b"\n"))
        for line in lines:
            total = 1.0 if line["text"] else 0.0
            assert sum(line["probabilities"].values()) == pytest.approx(total, abs=1e-4)
    if read is evaluate:
        assert "nan" not in result.stdout


@pytest.mark.parametrize(
    ("train", "test", "problem"),
    [
        (b"", None, "contains no rows"),
        (None, b"", "contains no rows"),
        (b"1,the bank\n" * 9, None, "have the label '1'; two classes are needed"),
        (None, b"3,the bank\n", "'3'"),  # a label that training never saw
        (b"the bank\n" * 9, None, "no column 2, only 1"),
        (b"1,\n2,\n" * 9, None, "contains no labelled text"),
        (b"\x89PNG\r\n\x1a\n\0\0", None, "is a PNG picture"),
        (b'1,"the bank\n2,x\n', None, "unclosed quote"),
    ],
)
def test_rows_that_cannot_be_learnt_from(
    place: Path, tmp_path: Path, train: bytes | None, test: bytes | None, problem: str
) -> None:
    files = {}
    for name, content in (("train", train), ("test", test)):
        files[name] = place / "good.csv" if content is None else tmp_path / f"{name}.csv"
        if content is not None:
            files[name].write_bytes(content)
    assert_one_line(classify(place, files["train"], files["test"], tmp_path / "out"), problem)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ODD)
def test_odd_rows_are_learnt_from(place: Path, tmp_path: Path, kind: str) -> None:
    text = ODD[kind].replace(b"\r\n", b" ").replace(b"\n", b" ").removeprefix(b"\xef\xbb\xbf")
    good = (place / "good.csv").read_bytes()
    (tmp_path / "train.csv").write_bytes(good + b"1," + text + b"\n")
    (tmp_path / "test.csv").write_bytes(b"2," + text + b"\n1,the bank\n")
    result = classify(place, tmp_path / "train.csv", tmp_path / "test.csv", tmp_path / "out")
    assert result.exit_code == 0, result.output
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["rows"]["test"] == 2


def assert_one_line(result: Result, problem: str) -> None:
    """Exit code 2 and one error line on stderr (progress above it is no error)."""
    assert result.exit_code == 2, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.stderr
    assert problem in errors[0]
    assert "Traceback" not in result.output
