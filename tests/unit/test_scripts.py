"""Scripts and benchmarks are run by hand, seldom; what they import must not move away from under them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "script",
    sorted([*ROOT.glob("scripts/*.py"), *ROOT.glob("benchmarks/*.py")]),
    ids=lambda script: f"{script.parent.name}/{script.name}",
)
def test_every_import_is_there(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(script.parent)  # as `python SCRIPT` has it
    runpy.run_path(str(script), run_name="imported")
