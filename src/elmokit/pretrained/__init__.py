"""The models that come with the package: `Encoder.from_pretrained("elmo-mini")` and the like find them here.

Each is a folder next to this file with the files of a saved model, a card (`README.md`) and `about.json`: what it is
for, the terms of its data, and the SHA-256 checksum of every file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from elmokit.places import is_address, local_copy

ABOUT = "about.json"
DEFAULT_MODEL = "elmo-mini"
DEFAULT_CLASSIFIER = "elmo-mini-news"
_HOME = Path(__file__).parent


@dataclass(frozen=True)
class ShippedModel:
    """One of them.

    Attributes:
        name: As it is asked for.
        folder: Where it lies.
        summary: What it is, in one line.
        terms: Under which its training text may be used.
        parameters: How many numbers it has.
        sha256: The checksum of each file, by its path in the folder.
    """

    name: str
    folder: Path
    summary: str
    terms: str
    parameters: int
    sha256: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum((self.folder / name).stat().st_size for name in self.sha256)

    def damaged(self) -> list[str]:
        """Names of files that are missing or changed."""
        return [name for name, sum_ in self.sha256.items() if _sum(self.folder / name) != sum_]


@cache
def shipped_models() -> dict[str, ShippedModel]:
    """All of them, by name."""
    found = {}
    for file in sorted(_HOME.glob(f"*/{ABOUT}")):
        about = json.loads(file.read_text(encoding="utf-8"))
        found[file.parent.name] = ShippedModel(file.parent.name, file.parent, **about)
    return found


def located(source: str | Path) -> Path:
    """The path itself, or the folder of the shipped model of that name where there is no such path.

    What an address (`s3://…`) names is copied to the cache; http(s) addresses are downloaded by `interop.download`.

    Raises:
        DataError: Nothing is at the address, or it cannot be read.
    """
    if is_address(source) and not str(source).startswith("http"):
        return local_copy(str(source), kind="models")
    path = Path(source)
    if path.exists() or len(path.parts) != 1:
        return path
    model = shipped_models().get(str(source))
    return path if model is None else model.folder


def write_about(folder: Path, *, summary: str, terms: str, parameters: int) -> None:
    """Make a saved model one that can be shipped: its `about.json`, with the checksums of its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / ABOUT)
    about = {
        "summary": summary,
        "terms": terms,
        "parameters": parameters,
        "sha256": {path.relative_to(folder).as_posix(): _sum(path) for path in files},
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _sum(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
