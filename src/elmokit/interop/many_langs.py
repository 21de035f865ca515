"""Model folders of ELMoForManyLangs (Che et al. 2018), recognised; `many_langs_files.py` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from elmokit.interop.model_format import Found, Given, ModelFormat

if TYPE_CHECKING:
    from elmokit.interop.imported import Imported


@dataclass(frozen=True)
class ManyLangsFolder(Found):
    """A folder with `config.json`, `encoder.pkl`, `token_embedder.pkl` and two dictionaries."""

    folder: Path

    def read(self, *, dtype: str, whole: bool) -> Imported:
        from elmokit.interop.many_langs_files import read_many_langs
        from elmokit.saved_model.weights import DTYPES

        return read_many_langs(self.folder, dtype=DTYPES[dtype])


def detect(path: Path, given: Given) -> ManyLangsFolder | None:
    """The model in a folder."""
    marked = (path / "config.json").is_file() and (path / "encoder.pkl").is_file()
    return ManyLangsFolder(path) if marked else None


MANY_LANGS = ModelFormat(detect=detect, expected="config.json with encoder.pkl")
