"""`elmo convert` and `elmo inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from elmokit import Encoder
from elmokit.cli.app import app
from elmokit.errors import ModelError
from helpers.published_files import bilm_arrays, bilm_options, read_arrays, write_bilm_files

OPTIONS = bilm_options(n_characters=261)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return write_bilm_files(tmp_path / "published", OPTIONS, bilm_arrays(OPTIONS))


def elmo(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_there_and_back(published: Path, tmp_path: Path) -> None:
    result = elmo("convert", published, tmp_path / "ours")
    assert result.exit_code == 0, result.output
    assert "n_characters 261 read as 262" in result.stderr
    assert elmo("convert", tmp_path / "ours", tmp_path / "back", "--to", "bilm").exit_code == 0
    arrays = read_arrays(tmp_path / "back" / "weights.hdf5")
    for name, array in bilm_arrays(OPTIONS).items():
        np.testing.assert_allclose(arrays[name], array, rtol=0, atol=1.2e-7)


def test_warm_text_chooses_the_state(published: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("Das Haus steht am Fluss.\n")
    elmo("convert", published, tmp_path / "english")
    assert elmo("convert", published, tmp_path / "german", "--warm-text", tmp_path / "text.txt").exit_code == 0
    english, german = (Encoder.from_pretrained(tmp_path / name).encode(["Haus"])[0] for name in ("english", "german"))
    assert np.abs(english - german).max() > 1e-3
    np.testing.assert_array_equal(english[0], german[0])


def test_half_the_size(published: Path, tmp_path: Path) -> None:
    sizes = {}
    for dtype in ("float32", "bfloat16"):
        assert elmo("convert", published, tmp_path / dtype, "--dtype", dtype).exit_code == 0
        sizes[dtype] = (tmp_path / dtype / "model.safetensors").stat().st_size
    assert sizes["bfloat16"] < 0.7 * sizes["float32"]
    assert Encoder.from_pretrained(tmp_path / "bfloat16").encode(["a"])[0].dtype == np.float32


def test_inspect(published: Path, tmp_path: Path) -> None:
    facts = json.loads(elmo("inspect", published, "--json").stdout)
    assert facts["format"] == "bilm-tf"
    assert facts["parameters"] == sum(array.size for array in bilm_arrays(OPTIONS).values())
    assert (facts["projection"], facts["cell"], facts["cell clip"], facts["vector"]) == (4, 6, 3, 8)
    assert "261 read as 262" in facts["repaired"][0]
    elmo("convert", published, tmp_path / "ours")
    table = elmo("inspect", tmp_path / "ours").stdout
    assert "format               elmokit" in table
    assert "warm state stored    True" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tmp}/none", "{tmp}/out"], "There is no model folder"),
        (["{published}", "{published}"], "exists: choose another name"),
        (["{published}", "{tmp}/out", "--to", "bilm", "--dtype", "float16"], "the bilm-tf format stores float32"),
        (["{published}", "{tmp}/out.onnx", "--to", "bilm"], "DST ends in .onnx"),
        (["{published}", "{tmp}/out", "--warm-text", "{tmp}/none.txt"], "matches no file"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    published: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = elmo("convert", *(argument.format(tmp=tmp_path, published=published) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["published"]


def test_sentence_vectors_survive_a_conversion(published: Path, tmp_path: Path) -> None:
    lines = [f"word{number} of the bank {number % 5} ." for number in range(30)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    assert elmo("convert", published, tmp_path / "plain").exit_code == 0
    with pytest.raises(ModelError, match="no common component"):
        Encoder.from_pretrained(tmp_path / "plain").encode(["a"], level="sentence", remove_common_component=True)
    (tmp_path / "plain" / "word_counts.txt").write_text("the\t90\nbank\t10\n")
    first = elmo("convert", tmp_path / "plain", tmp_path / "one", "--common-component-text", tmp_path / "text.txt")
    assert first.exit_code == 0, first.output
    assert elmo("convert", tmp_path / "one", tmp_path / "two").exit_code == 0
    encoder = Encoder.from_pretrained(tmp_path / "plain")
    encoder.fit_common_component(lines)
    options: dict[str, Any] = {"level": "sentence", "pooling": "weighted", "remove_common_component": True}
    expected = encoder.encode(lines, **options)
    for name in ("one", "two"):
        found = Encoder.from_pretrained(tmp_path / name).encode(lines, **options)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_text_too_short_for_a_common_component(published: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("one line\n\n")
    result = elmo("convert", published, tmp_path / "ours", "--common-component-text", tmp_path / "text.txt")
    assert result.exit_code == 2
    assert "1 sentences; expected at least 10" in result.stderr
    assert not (tmp_path / "ours").exists()
    result = elmo("convert", published, tmp_path / "m.onnx", "--common-component-text", tmp_path / "text.txt")
    assert "only a folder of elmokit contains a common component" in result.stderr
