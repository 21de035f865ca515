"""Model folders: `SavedModel.open(path)` reads one, `write_model` makes one."""

from elmokit.saved_model.opening import DTYPES, VOCABULARY_FILE, SavedModel
from elmokit.saved_model.writing import write_model

__all__ = ["DTYPES", "VOCABULARY_FILE", "SavedModel", "write_model"]
