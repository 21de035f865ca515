"""The files in configs/ are valid, and those that list every setting list them all, with the defaults."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from elmokit.experiments.config import CompareConfig
from elmokit.pretrain.config import PretrainConfig
from elmokit.settings import Settings, load_settings
from elmokit.static.training import VectorsConfig
from elmokit.tasks import TASKS
from elmokit.tasks.classification.config import ClassifyConfig

CONFIGS = Path(__file__).parents[3] / "configs"
KINDS: dict[str, type[Settings]] = {
    "pretrain": PretrainConfig,
    "vectors": VectorsConfig,
    "compare": CompareConfig,
    "news": CompareConfig,
    "course": CompareConfig,
    **{name: entry.settings() for name, entry in TASKS.items()},
}
NEEDED = {"train": ["a.txt"], "test": ["a.txt"], "model": "m", "output": "o"}
NEEDED |= {f"{split}_{side}": ["a.txt"] for split in ("train", "test") for side in ("source", "target")}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_file_is_accepted(path: Path) -> None:
    kind = KINDS[path.stem.rpartition("_")[2]]
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    load_settings(kind, None, **{name: NEEDED[name] for name in required - set(values)}, **values)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("tables/*.yaml")), ids=lambda path: path.name)
def test_every_table_is_accepted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMOKIT_DATA", "data")
    config = load_settings(CompareConfig, path)
    kind = TASKS[config.task].settings()
    for row in config.rows:
        load_settings(kind, None, **{**config.data, **config.settings, **row.settings, "model": "m", "output": "o"})


def test_files_made_from_the_settings_are_fresh() -> None:
    script = runpy.run_path(str(CONFIGS.parent / "scripts" / "write_settings.py"), run_name="imported")
    stale = [path.name for path, text in script["pages"]().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python scripts/write_settings.py"


@pytest.mark.parametrize("name", ["pretrain", "vectors", "compare", *TASKS])
def test_the_full_files_name_every_setting_with_its_default(name: str) -> None:
    kind, text = KINDS[name], (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    optional = {key: field for key, field in kind.model_fields.items() if not field.is_required()}
    assert {key: value for key, value in values.items() if key in optional} == {
        key: _plain(field.default) for key, field in optional.items() if key in values
    }
    assert sorted(re.findall(r"^(?:# )?(\w+):", text, flags=re.MULTILINE)) == sorted(kind.model_fields)


def _plain(default: Any) -> Any:
    return default.model_dump(exclude_none=True) if isinstance(default, Settings) else default


def test_the_study_of_all_settings_names_those_of_its_parts() -> None:
    text = (CONFIGS / "compare.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    data = ClassifyConfig.model_fields
    assert {key: value for key, value in values["data"].items() if key not in {"train", "test"}} == {
        key: data[key].default for key in values["data"] if key not in {"train", "test"}
    }
    for name in ("efficiency", "word_map"):
        kind = CompareConfig.model_fields[name].annotation
        assert isinstance(kind, type)
        fields = kind.model_fields
        assert values[name] == {key: fields[key].default for key in values[name]}
        block = re.search(rf"^{name}:.*\n((?:  .*\n)+)", text, flags=re.MULTILINE)
        assert block is not None
        assert re.findall(r"^  (?:# )?(\w+):", block[1], flags=re.MULTILINE) == list(fields)
