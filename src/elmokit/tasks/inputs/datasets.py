"""Texts as data sets for a model: layers from the store where the biLM is frozen, else what the model reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from elmokit.cache import cache_folder
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.inputs.batches import CharDataset, LayerDataset, RowDataset
from elmokit.tasks.inputs.layer_store import LayerStore, layer_store
from elmokit.tasks.inputs.tokens import TokenizedTexts
from elmokit.tasks.precision import decided_precision


def dataset_maker(model: ElmoMixedModel, tokens: TokenizedTexts, config: HeadConfig) -> Callable[..., RowDataset]:
    """A function from `rows` and labels (see `RowDataset`) to a data set of these texts.

    A frozen biLM runs once over all of them. Static vectors, which are quicker looked up than read from disk, are not
    stored.
    """
    if config.finetune or model.config.n_layers == 0:
        return partial(CharDataset, tokens)
    static_ids = None if model.static is None else tokens.rows[tokens.ids, -1].astype(np.int64)
    return partial(LayerDataset, stored_layers(model.elmo, tokens, config), static_ids=static_ids)


def stored_layers(model: ElmoModel, tokens: TokenizedTexts, config: HeadConfig) -> LayerStore:
    """The layers of these texts, from the cache or computed into it in the precision of the training."""
    cache, precision = config.cache or cache_folder("layers"), decided_precision(config)
    bare = replace(tokens, rows=tokens.rows[:, : model.config.row_width])  # without the numbers of static vectors
    return layer_store(model, bare, cache=cache, precision=precision, progress=config.progress)
