"""What the README shows is what happens: its examples, in Python and on the command line, print what stands below."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n```\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"```\n\$ elmo (.*?)\n(.*?)```", README, re.DOTALL)


def test_there_is_something_to_try() -> None:
    assert EXAMPLES
    assert COMMANDS


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_the_examples_print_what_is_shown(code: str, output: str, tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout == output, run.stderr


@pytest.mark.parametrize(("words", "output"), COMMANDS)
def test_the_commands_print_what_is_shown(words: str, output: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "elmokit", *shlex.split(words)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout == output, run.stderr
