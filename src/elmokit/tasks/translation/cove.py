"""CoVe: the encoder of a translator kept as context vectors (McCann et al. 2017)."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from elmokit.errors import ConfigError, ModelError
from elmokit.interop.imported import Imported
from elmokit.interop.loading import save
from elmokit.interop.our_folders import OURS
from elmokit.nn.config import NetworkConfig
from elmokit.nn.context_lstm import ContextLSTM
from elmokit.nn.heads.shapes import TranslationShape
from elmokit.nn.heads.translation import TranslationNetwork
from elmokit.nn.network import ElmoNetwork
from elmokit.saved_model import SavedModel


def save_cove(translator: str | Path, output: Path) -> None:
    """Write the encoder of a translator on static vectors as a model of two layers: word vectors, and CoVe on top.

    The folder is one like those of `elmo pretrain`: `Encoder`, `elmo embed` and every task read it. What the mix
    multiplied the word vectors by goes into the weights of the first LSTM.

    Raises:
        ModelError: `translator` contains no translator, or `output` exists.
        ConfigError: The translator reads a biLM, or its encoder has another size than its word vectors.
    """
    saved = SavedModel.open(translator)
    if saved.architecture != "ElmoForTranslation":
        raise ModelError(f"{translator} contains no translator: train one with elmo train translate")
    config = saved.shape(TranslationShape)
    if config.n_layers or config.n_static_words or config.combine == "function" or config.mix_layer_norm:
        raise ConfigError(
            f"the translator in {translator} reads more than word vectors: CoVe needs one on a model of static vectors "
            "(elmo convert VECTORS DIR), without --vectors, --combine function and mix_layer_norm"
        )
    if config.head_hidden_dim != config.projection_dim:
        raise ConfigError(
            f"the encoder in {translator} has {config.head_hidden_dim} units a direction, its word vectors "
            f"{config.projection_dim} numbers: expected as many (--set head_hidden_dim={config.projection_dim})"
        )
    trained = cast(TranslationNetwork, saved.head())
    kept = ("token_encoder", "n_words", "n_characters", "projection_dim", "marker_rows")
    values = {name: getattr(config, name) for name in kept}
    values |= {"cell_dim": config.projection_dim, "n_layers": 1, "directions": 2, "context_layers": config.head_layers}
    values |= {"cell_clip": None, "proj_clip": None, "use_skip_connections": False}
    model = ElmoNetwork(NetworkConfig.checked(values)).train(False)
    model.token_encoder.load_state_dict(trained.elmo.token_encoder.state_dict())
    weights = trained.lstm.state_dict()
    (share,), factor = trained.mix.weights() or ([1.0], 1.0)
    weights["layers.0.weight_input"] = weights["layers.0.weight_input"] * (share * factor)
    cast(ContextLSTM, model.bilm).lstm.load_state_dict(weights)
    save(Imported(model, saved.word_rows, OURS, preprocessing=saved.preprocessing), output)
