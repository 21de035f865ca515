"""What the README shows is what happens: its Python examples print what stands below them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n```\n(.*?)```", README, re.DOTALL)


def test_there_is_something_to_try() -> None:
    assert EXAMPLES


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_the_examples_print_what_is_shown(code: str, output: str, tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout == output, run.stderr
