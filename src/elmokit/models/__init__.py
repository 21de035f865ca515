"""The model classes that transformers sees. Importing this package registers them with the Auto classes."""

from transformers import AutoConfig

from elmokit.models.configuration_elmo import PRESETS, ElmoConfig

AutoConfig.register("elmo", ElmoConfig, exist_ok=True)

__all__ = ["PRESETS", "ElmoConfig"]
