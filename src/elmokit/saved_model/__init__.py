"""Model folders: `SavedModel.open(path)` reads one, `write_model` (in `writing`) makes one."""

from elmokit.saved_model.opening import BILM_FOLDER, VOCABULARY_FILE, SavedModel, language_model_folder

__all__ = ["BILM_FOLDER", "VOCABULARY_FILE", "SavedModel", "language_model_folder"]
