"""Scripts and benchmarks are run by hand, seldom; what they import must not move away from under them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "script",
    sorted(path for folder in ("scripts", "recipes", "benchmarks") for path in ROOT.glob(f"{folder}/*.py")),
    ids=lambda script: f"{script.parent.name}/{script.name}",
)
def test_every_import_is_there(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(script.parent)  # as `python SCRIPT` has it
    runpy.run_path(str(script), run_name="imported")


def test_the_installation_tells_how_far_it_is() -> None:
    progress = runpy.run_path(str(ROOT / "scripts" / "install.py"))["Progress"]()
    for line, told in (
        ("", "0 packages found, asking for the first packages"),
        ("Collecting numpy>=2 (from elmokit==0.2.0)", "1 packages found, looking at numpy>=2"),
        ("Downloading torch-2.13.0.whl (175.3 MB)", "1 packages found, downloading torch-2.13.0.whl 175.3 MB"),
        ("Requirement already satisfied: numpy", "1 packages found, downloading torch-2.13.0.whl 175.3 MB"),
        ("Installing collected packages: numpy, torch", "1 packages found, unpacking 2 packages, the last step"),
    ):
        progress.read(line)
        assert progress.told(67.9) == f"  1:07  {told}"


def test_the_installation_has_the_status_of_pip(capfd: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(ROOT / "scripts" / "install.py"))["main"]
    assert main(["--no-index", "no-such-package-of-elmokit"]) == 1
    assert "no-such-package-of-elmokit" in capfd.readouterr().err
    assert main(["--no-index", "numpy"]) == 0


def test_the_benchmark_of_pretraining_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It reaches into the network to switch single ingredients off."""
    small = ["--preset", "tiny", "--sentences", "60", "--tokens", "60", "--batches", "1", "--repeats", "1"]
    monkeypatch.delenv("ELMOKIT_DATA", raising=False)
    monkeypatch.setattr("sys.argv", ["pretrain_speed.py", *small, "--min-count", "1"])
    runpy.run_path(str(ROOT / "benchmarks" / "pretrain_speed.py"), run_name="__main__")
    assert "plain implementation" in capsys.readouterr().out
