"""The oldest versions that pyproject.toml allows, as constraints: python scripts/lowest_versions.py torch …"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def lowest(requirements: list[str], names: list[str]) -> list[str]:
    """`torch>=2.6` as `torch==2.6`, for the packages named.

    Raises:
        ValueError: A package has no lower bound.
    """
    found = {match[1]: match[2] for each in requirements if (match := re.match(r"([\w.-]+)[^,]*?>=\s*([\w.]+)", each))}
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"pyproject.toml has no lower bound (>=) for {', '.join(missing)}")
    return [f"{name}=={found[name]}" for name in names]


def main() -> None:
    """Print them."""
    project = tomllib.loads(Path(__file__).resolve().parents[1].joinpath("pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    extras = [each for listed in project["optional-dependencies"].values() for each in listed]
    print("\n".join(lowest([*project["dependencies"], *extras], sys.argv[1:])))


if __name__ == "__main__":
    main()
