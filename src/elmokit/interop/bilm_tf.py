"""`options.json` + `weights.hdf5` of bilm-tf, AllenNLP, NLPL and SeqVec, recognised; `bilm_hdf5.py` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from elmokit.errors import ModelError
from elmokit.interop.model_format import Found, Given, ModelFormat
from elmokit.whole_files import json_or_none

if TYPE_CHECKING:
    from elmokit.interop.imported import Imported

ENDINGS = (".hdf5", ".h5", ".hdf")


@dataclass(frozen=True)
class BilmFiles(Found):
    """The files of a model; a vocabulary if it is word-level."""

    options: Path
    weights: Path
    vocabulary: Path | None

    def read(self, *, dtype: str, whole: bool) -> Imported:
        from elmokit.interop.bilm_hdf5 import read_bilm
        from elmokit.saved_model.weights import DTYPES

        return read_bilm(self.options, self.weights, vocabulary=self.vocabulary, dtype=DTYPES[dtype])


def detect(path: Path, given: Given) -> BilmFiles | None:
    """The model whose weights a file has, with the options and the vocabulary that are given or next to it.

    Raises:
        ModelError: There are no options, or several.
    """
    if path.is_dir() or path.suffix.lower() not in ENDINGS:
        return None
    options = _options(path) if given.options is None else given.options
    vocabulary = given.vocabulary
    if vocabulary is None:
        names = ("vocab.txt", "vocabulary.txt", "vocab", path.name.replace("weights.hdf5", "vocab.txt"))
        texts = sorted(path.parent.glob("*vocab*.txt"))
        alone = texts[0] if len(texts) == 1 else None
        vocabulary = next((path.parent / name for name in names if (path.parent / name).is_file()), alone)
    return BilmFiles(options, path, vocabulary)


def _options(weights: Path) -> Path:
    folder, name = weights.parent, weights.name.replace("weights", "options")
    named = [folder / Path(name).with_suffix(".json").name, folder / "options.json"]
    contents = {path: json_or_none(path) for path in sorted(folder.glob("*.json"))}
    others = [path for path, content in contents.items() if isinstance(content, dict) and "lstm" in content]
    found = [path for path in named if path.is_file()] or others
    if not found:
        raise ModelError(f"no options file is next to {weights}: expected options.json there, or give --options")
    if len(found) > 1 and found[0] not in named:
        raise ModelError(f"{len(found)} options files are next to {weights}: name one with --options")
    return found[0]


BILM_TF = ModelFormat(detect=detect, endings=ENDINGS, expected="a .hdf5 file with its options", files=(".hdf5",))
