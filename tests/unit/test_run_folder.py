import json
import math
from pathlib import Path

import pytest
from pydantic import Field

from elmokit.errors import ConfigError, ModelError
from elmokit.run_folder import RunFolder, files_of, settings_of, versions, write_json
from elmokit.settings import FILES, Settings


def test_a_folder_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "out")
    assert folder.open() is False
    (folder.work / "file").write_text("x")
    assert not (tmp_path / "out").exists()
    folder.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_output_with_content_needs_overwrite(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("x")
    with pytest.raises(ConfigError, match="not empty: --overwrite replaces it"):
        RunFolder(tmp_path / "out").open()
    folder = RunFolder(tmp_path / "out")
    folder.open(overwrite=True)
    assert (tmp_path / "out" / "old").exists()  # until the new one is whole
    folder.finish()
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unfinished_run_is_resumed_or_started_afresh(tmp_path: Path) -> None:
    RunFolder(tmp_path / "out").open()
    with pytest.raises(ConfigError, match="--resume continues it"):
        RunFolder(tmp_path / "out").open()
    assert RunFolder(tmp_path / "out").open(resume=True) is True
    assert RunFolder(tmp_path / "out").open(overwrite=True) is False


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_run_that_was_to_replace_another_is_resumed(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("x")
    began = RunFolder(tmp_path / "out")
    assert began.open(overwrite=True, resume=True) is False  # nothing to resume yet
    (began.work / "new").write_text("x")
    again = RunFolder(tmp_path / "out")
    assert again.open(overwrite=overwrite, resume=True) is True
    assert (tmp_path / "out" / "old").exists()
    again.finish()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]
    with pytest.raises(ConfigError, match="not empty"):
        RunFolder(tmp_path / "out").open(resume=True)


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(ConfigError, match=r"is a file, expected a folder \(--output\)"):
        RunFolder(tmp_path / "out").open()


def test_a_run_without_progress_leaves_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "out")
    folder.open()
    folder.discard_if_without(folder.work / "checkpoints")
    assert list(tmp_path.iterdir()) == []


def test_json_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "m.json", {"a": math.nan, "b": [1.5, math.inf], "c": (2,)})
    assert json.loads((tmp_path / "m.json").read_text()) == {"a": None, "b": [1.5, None], "c": [2]}


def test_versions_name_what_shapes_a_result() -> None:
    assert {"python", "torch", "elmokit"} <= versions().keys()


@pytest.mark.parametrize("content", [b"a: {", b"\xff\xfe", b"text"])
def test_damaged_settings_are_told(tmp_path: Path, content: bytes) -> None:
    assert settings_of(tmp_path) == {}
    (tmp_path / "training.yaml").write_bytes(content)
    with pytest.raises(ModelError, match=r"training.yaml is damaged"):
        settings_of(tmp_path)


def test_all_files_of_a_data_folder_are_read_and_those_of_a_model_that_matter(tmp_path: Path) -> None:
    class Reading(Settings):
        """What is read"""

        train: list[str] = Field(json_schema_extra=FILES)

    for name in ("data/pos/1.txt", "data/neg/2.txt", "model/config.json", "model/model.safetensors", "model/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = files_of(Reading(train=[str(tmp_path / "data"), str(tmp_path / "model")]))
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "data/neg/2.txt", "data/pos/1.txt", "model/config.json", "model/model.safetensors"
    ]  # fmt: skip
