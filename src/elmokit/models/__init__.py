"""The model classes that transformers sees. Importing this package registers them with the Auto classes."""

from transformers import AutoConfig, AutoModel

from elmokit.models.configuration_elmo import PRESETS, ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel, ElmoModelOutput, ElmoPreTrainedModel

AutoConfig.register("elmo", ElmoConfig, exist_ok=True)
AutoModel.register(ElmoConfig, ElmoModel, exist_ok=True)

__all__ = ["PRESETS", "ElmoConfig", "ElmoModel", "ElmoModelOutput", "ElmoPreTrainedModel"]
