"""`import elmokit` is light, and gives what it promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

import elmokit


def test_import_loads_neither_torch_nor_transformers() -> None:
    program = (
        "import sys, elmokit; elmokit.__version__; dir(elmokit);"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", elmokit.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(elmokit, name) is not None
    assert name in dir(elmokit)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'elmokit' has no attribute 'Elmo'"):
        elmokit.Elmo  # noqa: B018
