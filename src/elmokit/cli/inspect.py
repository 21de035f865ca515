"""`elmo inspect`: format, layers and sizes of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elmokit.cli.options import AsJson, OptionsFile, SourceModel, VocabularyFile, print_facts
from elmokit.whole_files import JsonObject

if TYPE_CHECKING:
    from elmokit.interop.imported import Imported


def inspect(
    source: SourceModel, options: OptionsFile = None, vocabulary: VocabularyFile = None, as_json: AsJson = False
) -> None:
    """Print format, layers, sizes, clips and parameters of a model, and what had to be repaired in it."""
    from elmokit.interop.recognise import refuse_nothing

    refuse_nothing(source)
    from elmokit.interop.loading import load

    print_facts(facts_of(load(source, options=options, vocabulary=vocabulary, warm=False)), as_json=as_json)


def facts_of(found: Imported) -> JsonObject:
    """What `elmo inspect` tells, by name."""
    config = found.model.config
    filters = ", ".join(f"{count} × {width}" for width, count in config.filters or [])
    characters = config.reads_characters
    layers = f"{config.n_layers} LSTM layers"
    if config.context_layers:
        layers = f"the encoder of a translator ({config.context_layers} LSTM layers)"
    return {
        "format": found.format,
        "parameters": sum(tensor.numel() for tensor in found.model.parameters() if tensor.requires_grad)
        - config.kind.padding_numbers(config),  # published counts leave them out
        "token encoder": config.token_encoder,
        f"{config.kind.table} looked up": config.n_words - 1 if config.n_words else 0,
        "characters": config.n_characters if characters else 0,
        "characters a word": config.max_characters_per_token if characters else None,
        "filters": filters if characters else None,
        "activation": config.char_cnn_activation if characters else None,
        "highways": config.n_highway if characters else 0,
        "layers": f"{layers} and the token layer",
        "directions": config.directions,
        "vector": config.hidden_size,
        "projection": config.projection_dim if config.projection_dim < config.cell_dim else None,
        "cell": config.cell_dim,
        "cell clip": config.cell_clip,
        "projection clip": config.proj_clip,
        "skip connections": config.use_skip_connections,
        "language-model head": f"{config.vocab_size} words ({config.softmax})" if config.vocab_size else None,
        "warm state stored": config.warm_state,
        "trained layer mix": None if found.mix is None else found.mix.mode,
        "repaired": found.notes,
    }
