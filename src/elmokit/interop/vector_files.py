"""Files of static vectors, word2vec's or GloVe's, as models of one layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from elmokit.interop.model_format import Found, Given, ModelFormat

if TYPE_CHECKING:
    from elmokit.interop.imported import Imported

_ENDINGS = (".vec", ".txt", ".bin")


@dataclass(frozen=True)
class VectorsFile(Found):
    """A file of static vectors, which have no states."""

    file: Path
    has_states: ClassVar[bool] = False

    def read(self, *, dtype: str, whole: bool) -> Imported:
        from elmokit.interop.word_vectors import static_model
        from elmokit.static.vectors import WordVectors

        return static_model(WordVectors.load(self.file))


def detect(path: Path, given: Given) -> VectorsFile | None:
    """A file with one of the usual endings, also packed."""
    named = not path.is_dir() and path.name.lower().removesuffix(".gz").endswith(_ENDINGS)
    return VectorsFile(path) if named else None


VECTORS = ModelFormat(detect=detect, files=_ENDINGS)
