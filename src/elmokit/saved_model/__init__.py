"""Model folders: `SavedModel.open(path)` reads one, `write_model` (in `writing`) makes one."""

from elmokit.saved_model.opening import VOCABULARY_FILE, SavedModel

__all__ = ["VOCABULARY_FILE", "SavedModel"]
