"""Write `uv.lock` with the versions that `constraints.txt` names: python scripts/write_lock.py [options of uv lock] …

It needs uv and PyPI. What `constraints.txt` does not name, such as packages of other systems, gets its newest version.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def constraints(text: str) -> list[str]:
    """The requirements of a file of constraints, without comments."""
    return [line for each in text.splitlines() if (line := each.partition("#")[0].strip())]


def main(arguments: list[str]) -> int:
    """Lock a copy that has the constraints, then the project itself, which keeps the versions; the status of uv."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        project = (ROOT / "pyproject.toml").read_text("utf-8")
        wanted = json.dumps(constraints((ROOT / "constraints.txt").read_text("utf-8")))
        (copy / "pyproject.toml").write_text(f"{project}\n[tool.uv]\nconstraint-dependencies = {wanted}\n", "utf-8")
        for name in ("README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        found = subprocess.run(["uv", "lock", *arguments], cwd=copy, check=False)
        if found.returncode:
            return found.returncode
        shutil.copy(copy / "uv.lock", ROOT)
    return subprocess.run(["uv", "lock", *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
