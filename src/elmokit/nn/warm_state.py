"""The state from which the sentences of a published model start.

The references never start from zero: they trained on one endless stream and carry the LSTM's state from batch to batch,
which makes their vectors depend on what was embedded before. A *warm* state keeps the one without the other: the state
that stands after some text, computed once and kept with the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from elmokit.errors import ConfigError
from elmokit.nn.network import ElmoNetwork, HasNetwork, network_of
from elmokit.text.word_rows import WordRows

PASSES = 4
"""Times the text is read. One text read again and again brings the state of a real model to within 1e-4 of where it
stays in three or four passes."""

DEFAULT_TEXT = ("The committee met on Monday to discuss the plan , but no decision was made .".split(" "),)  # noqa: SIM905
"""An ordinary sentence. What precedes the end of the last one hardly matters after a few words; for models of other
languages, and of proteins, a text of their own is better."""


@torch.inference_mode()
def warm_up(
    model: ElmoNetwork | HasNetwork,
    rows: WordRows,
    sentences: Sequence[Sequence[str]] = DEFAULT_TEXT,
    *,
    passes: int = PASSES,
) -> None:
    """Keep in `model` the state that stands after reading `sentences` `passes` times, one after the other.

    Args:
        model: Gets parameters `warm_h` (layers, directions, H) and `warm_c` (layers, directions, C) that are not
            trained, and `config.warm_state`.
        rows: How it reads words.
        sentences: Lists of words.
        passes: See `PASSES`.

    Raises:
        ConfigError: The model is the encoder of a translator (CoVe), which carries no state.
    """
    model = network_of(model)
    if model.config.context_layers:
        raise ConfigError("The encoder of a translator (CoVe) carries no state: leave out --warm-text.")
    markers = model.token_vectors(model.marker_rows())
    state = model.bilm.zero_state(1)
    texts = []
    for words in sentences:
        inner = model.token_vectors(torch.from_numpy(rows(words)).to(model.device)) if words else markers[:0]
        texts.append(torch.cat([markers[:1], inner, markers[1:]]))
    for _ in range(passes):
        for tokens in texts:
            _, state = model.bilm.forward_ragged(tokens, [len(tokens)], state=state)
    with torch.inference_mode(False):
        model.set_warm_state(state.h[:, :, 0].clone(), state.c[:, :, 0].to(model.dtype).clone())
