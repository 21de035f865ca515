"""Which extra has a package, and that pyproject.toml says the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from elmokit.extras import EXTRAS, MissingPackage, explained, needs

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
IMPORTED = {"sklearn": "scikit-learn"}  # the others are installed by the name they are imported by


def test_every_extra_installs_what_it_is_named_for() -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    for package, extra in EXTRAS.items():
        names = [re.split(r"[\[<>=]", line)[0] for line in project["optional-dependencies"][extra]]
        wanted = IMPORTED.get(package, package).replace("_", "-")
        assert wanted in [name.replace("_", "-") for name in names], f"{package} is not in the extra {extra}"


def test_what_is_missing_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    needs("this test", "torch")
    monkeypatch.setitem(EXTRAS, "nowhere_matplotlib", "report")
    with pytest.raises(MissingPackage, match=r"^pictures needs nowhere_matplotlib: pip install -c constraints\.txt "):
        needs("pictures", "torch", "nowhere_matplotlib")


def test_an_import_that_failed() -> None:
    error = explained(ModuleNotFoundError("no", name="h5py.core"))
    assert str(error) == "this needs h5py: pip install -c constraints.txt '.[published]'"
    assert explained(ModuleNotFoundError("no", name="elmokit.nowhere")) is None
