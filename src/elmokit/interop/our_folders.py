"""Model folders of elmokit, recognised and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from elmokit.interop.model_format import Found, Given, ModelFormat
from elmokit.saved_model import SavedModel, language_model_folder
from elmokit.saved_model.heads import HEADS
from elmokit.whole_files import JsonObject, json_or_none

if TYPE_CHECKING:
    from elmokit.interop.imported import Imported

OURS = "elmokit"


@dataclass(frozen=True)
class OurFolder(Found):
    """A folder, and what its `config.json` holds, as far as that can be told. It says itself whether it is warm."""

    folder: Path
    values: JsonObject | None
    starts_warm: ClassVar[bool] = False

    def open(self) -> SavedModel:
        """The folder, whose reader says what is wrong with it."""
        return SavedModel.open(self.folder) if self.values is None else SavedModel(self.folder, self.values)

    def open_language_model(self) -> SavedModel:
        """The language model in it: the folder itself, or the one that a task's model keeps in it."""
        folder = language_model_folder(self.folder)
        return self.open() if folder == self.folder else SavedModel.open(folder)

    def read(self, *, dtype: str, whole: bool) -> Imported:
        from elmokit.interop.imported import Imported

        saved = self.open() if whole else self.open_language_model()
        if not whole or saved.architecture is None:
            network, mix = saved.network(dtype=dtype), saved.mix(dtype=dtype)
            return Imported(network, saved.word_rows, OURS, [], saved.preprocessing, mix, saved=saved)
        if saved.architecture in HEADS:
            head = saved.head(dtype=dtype)
            return Imported(head.elmo, saved.whole_word_rows, OURS, [], saved.preprocessing, head.mix, head, saved)
        model = saved.language_model(dtype=dtype)
        return Imported(model.elmo, saved.word_rows, OURS, [], saved.preprocessing, None, model, saved)


def detect(path: Path, given: Given) -> OurFolder | None:
    """The model in a folder."""
    config = path / "config.json"
    if not config.is_file():
        return None
    content = json_or_none(config)
    values = content if isinstance(content, dict) else None
    if (values is not None and "model_type" in values) or (path / "model.safetensors").is_file():
        return OurFolder(path, values)
    return None


OUR_FORMAT = ModelFormat(detect=detect, expected="config.json with model.safetensors")
