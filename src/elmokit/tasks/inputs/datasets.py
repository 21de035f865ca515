"""Texts as data sets for a model: layers from the store where the biLM is frozen, else what the model reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from elmokit.cache import cache_folder
from elmokit.nn.heads.mixed import MixedNetwork
from elmokit.nn.network import ElmoNetwork, HasNetwork, network_of
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.inputs.batches import CharDataset, LayerDataset, RowDataset
from elmokit.tasks.inputs.contexts import Contexts
from elmokit.tasks.inputs.layer_store import LayerStore, layer_store
from elmokit.tasks.inputs.tokens import TokenizedTexts
from elmokit.tasks.precision import decided_precision
from elmokit.text.word_rows import SPELLING_WIDTH


def dataset_maker(
    model: MixedNetwork, tokens: TokenizedTexts, config: HeadConfig, contexts: Contexts | None = None
) -> Callable[..., RowDataset]:
    """A function from `rows` and labels (see `RowDataset`) to a data set of these texts.

    A frozen biLM runs once over all of them. What is next to it is not stored: static vectors are quicker looked up
    than read from disk, and char features learn.

    `contexts` are runs of texts that the biLM reads as one. A frozen one has done so, and the rows of the data set are
    texts all the same; else the rows are runs.
    """
    contexts = contexts or Contexts.alone(tokens.offsets)
    if config.finetune or model.config.n_layers == 0:
        return partial(CharDataset, contexts.joined(tokens), sentence_ids=contexts.sentence_ids())
    own, static_ids, spelling = model.config.row_width, None, None
    if model.static is not None:
        static_ids = tokens.rows[tokens.ids, own].astype(np.int64)
    if model.config.input_width > own + (static_ids is not None):  # the characters of a tagger
        spelling = replace(tokens, rows=tokens.rows[:, -SPELLING_WIDTH:])
    store = stored_layers(model.elmo, contexts.joined(tokens), config).cut_at(tokens.offsets)
    return partial(LayerDataset, store, static_ids=static_ids, spelling=spelling)


def stored_layers(model: ElmoNetwork | HasNetwork, tokens: TokenizedTexts, config: HeadConfig) -> LayerStore:
    """The layers of these texts, from the cache or computed into it in the precision of the training."""
    cache, precision = config.cache or cache_folder("layers"), decided_precision(config)
    own = network_of(model).config.row_width
    bare = replace(tokens, rows=tokens.rows[:, :own])  # without what is next to the biLM
    return layer_store(model, bare, cache=cache, precision=precision, progress=config.progress)
