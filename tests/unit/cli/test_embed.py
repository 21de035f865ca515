"""`elmo embed`: whole files or none, in the shapes the help names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder)
    ElmoTokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("The bank was wet.\n\nDon't row!\n", encoding="utf-8")
    return path


def elmo(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_tokens_of_all_layers(model: Path, text: Path, tmp_path: Path) -> None:
    result = elmo("embed", model, text, tmp_path / "out.npz")
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "out.npz") as arrays:
        assert sorted(arrays) == ["vectors_0", "vectors_1", "vectors_2", "words_0", "words_1", "words_2"]
        assert arrays["words_0"].tolist() == ["The", "bank", "was", "wet", "."]
        assert arrays["words_2"].tolist() == ["Do", "n't", "row", "!"]
        assert arrays["vectors_1"].shape == (3, 0, 32)  # the blank line keeps its place
        assert arrays["vectors_0"].shape == (3, 5, 32)
        assert arrays["vectors_0"].dtype == np.float32


def test_one_layer_pre_split_and_sentence_means(model: Path, text: Path, tmp_path: Path) -> None:
    assert elmo("embed", model, text, tmp_path / "top.npz", "--layers", "-1", "--pre-split").exit_code == 0
    assert (
        elmo(
            "embed", model, text, tmp_path / "s.npz", "--layers", "top", "--level", "sentence", "--pre-split"
        ).exit_code
        == 0
    )
    with np.load(tmp_path / "top.npz") as tokens, np.load(tmp_path / "s.npz") as sentences:
        assert tokens["words_2"].tolist() == ["Don't", "row!"]
        assert tokens["vectors_0"].shape == (4, 32)
        assert sentences["vectors"].shape == (3, 32)
        np.testing.assert_allclose(sentences["vectors"][0], tokens["vectors_0"].mean(axis=0), atol=1e-5)


def test_more_memory_gives_the_same_vectors(model: Path, text: Path, tmp_path: Path) -> None:
    for name, options in (("usual", []), ("larger", ["--memory", "256MB"])):
        result = elmo("embed", model, text, tmp_path / f"{name}.npz", *options)
        assert result.exit_code == 0, result.output
    with np.load(tmp_path / "usual.npz") as one, np.load(tmp_path / "larger.npz") as other:
        assert sorted(one) == sorted(other)
        for name in one:
            if name.startswith("vectors"):
                np.testing.assert_allclose(one[name], other[name], atol=1e-5)


def test_an_existing_file_stays_without_overwrite(model: Path, text: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.npz"
    output.write_bytes(b"precious")
    result = elmo("embed", model, text, output)
    assert (result.exit_code, output.read_bytes()) == (2, b"precious")
    assert "--overwrite" in result.stderr
    assert elmo("embed", model, text, output, "--overwrite").exit_code == 0
    assert output.read_bytes() != b"precious"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{model}", "{tmp}/none.txt", "{tmp}/o.npz"], "none.txt"),
        (["{tmp}/none", "{text}", "{tmp}/o.npz"], "There is no model folder"),
        (["{model}", "{text}", "{tmp}/o.txt"], "ends in .hdf5, .h5, .parquet, .npz"),
        (["{model}", "{text}", "{tmp}/no/o.npz"], "does not exist"),
        (["{model}", "{text}", "{tmp}/o.npz", "--layers", "9"], "Unknown layers 9"),
        (["{model}", "{text}", "{tmp}/o.npz", "--layers", "best"], "Unknown layers 'best'"),
        (["{model}", "{text}", "{tmp}/o.npz", "--memory", "much"], "memory is 'much'; expected a number of bytes"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    model: Path, text: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = elmo("embed", *(argument.format(model=model, text=text, tmp=tmp_path) for argument in arguments))
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_an_empty_input_leaves_nothing(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    result = elmo("embed", model, tmp_path / "empty.txt", tmp_path / "o.npz")
    assert result.exit_code == 2
    assert not (tmp_path / "o.npz").exists()


def test_pooling_layers_and_positions(model: Path, text: Path, tmp_path: Path) -> None:
    options = ["--level", "sentence", "--pooling", "mean+max", "--layers", "0,2"]
    assert elmo("embed", model, text, tmp_path / "s.npz", *options).exit_code == 0
    (tmp_path / "at.txt").write_text("1 -1\n\n\n")
    options = ["--layers", "concat", "--positions", str(tmp_path / "at.txt")]
    assert elmo("embed", model, text, tmp_path / "p.npz", *options).exit_code == 0
    with np.load(tmp_path / "s.npz") as sentences, np.load(tmp_path / "p.npz") as words:
        assert sentences["vectors"].shape == (3, 2, 64)
        assert (words["vectors_0"].shape, words["words_0"].tolist()) == ((2, 96), ["bank", "."])
        assert words["positions_0"].tolist() == [1, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pooling", "max"], "pooling applies to sentence vectors: expected level 'sentence'"),
        (["--level", "sentence", "--pooling", "weighted"], "needs word counts, which this model does not have"),
        (["--level", "sentence", "--remove-common-component"], "has no common component to remove"),
        (["--positions", "AT"], "at.txt line 1: there is no word 7; the sentence has 5 words"),
        (["--layers", "0,3"], "Unknown layers 3"),
    ],
)
def test_what_the_model_or_the_text_lacks(
    model: Path, text: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    (tmp_path / "at.txt").write_text("7\n\n\n")
    options = [option.replace("AT", str(tmp_path / "at.txt")) for option in options]
    result = elmo("embed", model, text, tmp_path / "o.npz", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["at.txt", "text.txt"]
