"""The command line: quick to start, errors on one line, nothing heavy before a command needs it."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner

from elmokit.cli import app as cli
from elmokit.cli.errors import describe, one_line_errors
from elmokit.cli.options import CLEAN
from elmokit.errors import ConfigError, DataError
from elmokit.text.normalize import STEPS

HEAVY = ("torch", "transformers", "numpy", "sklearn", "datasets", "matplotlib", "pydantic")
runner = CliRunner()


def loaded_after(code: str) -> list[str]:
    """Heavy modules a fresh interpreter has loaded after `code`."""
    report = f"\nimport sys; print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1].split()[1:]


def test_import_elmokit_loads_nothing_heavy() -> None:
    assert loaded_after("import elmokit") == []


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['elmo', '--help']\nfrom elmokit.cli.app import main\n"
    code += "try: main()\nexcept SystemExit: pass"
    assert loaded_after(code) == []


def test_the_check_for_heavy_modules_can_fail() -> None:
    assert "numpy" in loaded_after("import numpy")


def test_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "-m", "elmokit", "--help"], capture_output=True, text=True, check=True)
    for command in ("pretrain", "evaluate", "score", "embed", "convert", "inspect", "train", "predict", "demo", "info"):
        assert f"  {command} " in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["pretrain"],
        ["evaluate"],
        ["score"],
        ["embed"],
        ["convert"],
        ["inspect"],
        ["train", "classify"],
        ["predict"],
        ["demo"],
    ],
)
def test_every_command_has_help(command: list[str]) -> None:
    result = runner.invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_version() -> None:
    result = runner.invoke(cli.app, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("elmokit ")


def test_an_unknown_option_is_an_error_with_code_2() -> None:
    result = runner.invoke(cli.app, ["info", "--nonsense"])
    assert result.exit_code == 2
    assert "--nonsense" in result.output


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], typer.Typer]:
    """An application like ours whose commands `pretrain` and `demo` raise what they are told to."""

    def make(error: BaseException) -> typer.Typer:
        app = typer.Typer(cls=cli.Commands, pretty_exceptions_enable=False)

        def fail() -> None:
            raise error

        app.command("pretrain")(fail)
        app.command("demo")(fail)
        return app

    return make


@pytest.mark.parametrize(
    ("error", "command", "code", "line"),
    [
        (DataError("a.csv has no\ncolumn 'x'"), "demo", 2, "error: a.csv has no column 'x'\n"),
        (KeyboardInterrupt(), "pretrain", 130, "interrupted: the same command with --resume continues"),
        (KeyboardInterrupt(), "demo", 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "/runs/x"), "demo", 2, "error: no space left on the disk"),
        (RuntimeError("write failed: No space left on device (os error 28)"), "demo", 2, "error: no space left on the"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/root/x"),
            "demo",
            2,
            "error: /root/x: Permission denied\n",
        ),
    ],
)
def test_mendable_errors_are_one_line(
    failing: Callable[[BaseException], typer.Typer], error: BaseException, command: str, code: int, line: str
) -> None:
    result = runner.invoke(failing(error), [command])
    assert result.exit_code == code
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_bug_keeps_its_traceback(failing: Callable[[BaseException], typer.Typer]) -> None:
    result = runner.invoke(failing(ValueError("a bug")), ["demo"])
    assert isinstance(result.exception, ValueError)


def test_describe_knows_nothing_of_bugs() -> None:
    assert describe(ValueError("a bug")) is None
    assert describe(ConfigError("x")) == ("error: x", 2)


def test_one_line_errors_lets_other_exits_through() -> None:
    with pytest.raises(SystemExit, match="7"), one_line_errors():
        raise SystemExit(7)


def test_interrupting_a_real_process_gives_130_and_no_traceback() -> None:
    code = (
        "import time, typer\nfrom elmokit.cli import app as cli\napp = typer.Typer(cls=cli.Commands)\n"
        "def wait() -> None:\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "app.command('pretrain')(wait)\napp.command('other')(wait)\napp()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "pretrain"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(2)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr.startswith("interrupted: ")
    assert "Traceback" not in stderr


def test_help_names_every_clean_up_step() -> None:
    assert all(step in CLEAN for step in STEPS)
