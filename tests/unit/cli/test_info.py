"""`elmo info`."""

from __future__ import annotations

import json
import platform

from typer.testing import CliRunner

from elmokit.cli.app import app
from elmokit.cli.info import installed_version


def test_info_names_versions_and_cores() -> None:
    result = CliRunner().invoke(app, ["info", "--json"])
    assert result.exit_code == 0
    facts = json.loads(result.output)
    assert facts["python"] == platform.python_version()
    assert facts["torch"] == installed_version("torch")
    assert facts["cores"] >= 1


def test_info_as_text_has_a_line_a_fact() -> None:
    result = CliRunner().invoke(app, ["info"])
    assert any(line.split() == ["python", platform.python_version()] for line in result.output.splitlines())


def test_a_package_that_is_not_there() -> None:
    assert installed_version("no-such-package-anywhere") == "(not installed)"
