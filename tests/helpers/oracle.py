"""The biLM of bilm-tf in plain NumPy, word by word and gate by gate: slow, and right by inspection.

It shares no code with the package. Weights come under the names and in the layout of published files
(``weights.hdf5``): ``W_0`` has the input rows first, then the recurrent ones; its columns are the gates i, j
(candidate), f, o; the forget bias of 1.0 is added at run time. ``options`` is what ``options.json`` holds. The
arithmetic is that of bilm-tf's ``model.py`` and TensorFlow 1's ``LSTMCell``; ``test_reference_files.py`` checks it
against stored outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Options = Mapping[str, Any]
Weights = Mapping[str, Array]
State = list[list[tuple[Array, Array]]]  # [direction][layer] -> h (P,), c (C,) of one sentence

SENTENCE_BEGIN, SENTENCE_END, WORD_BEGIN, WORD_END, PADDING = 256, 257, 258, 259, 260


def word_ids(word: str, max_characters: int = 50) -> list[int]:
    """The ids of one word, shifted by one."""
    body = list(word.encode("utf-8"))[: max_characters - 2]
    return _framed(body, max_characters)


def marker_ids(marker: str, max_characters: int = 50) -> list[int]:
    """The ids of ``<S>`` or ``</S>``, shifted by one."""
    return _framed([{"<S>": SENTENCE_BEGIN, "</S>": SENTENCE_END}[marker]], max_characters)


def _framed(body: list[int], max_characters: int) -> list[int]:
    ids = [WORD_BEGIN, *body, WORD_END]
    ids += [PADDING] * (max_characters - len(ids))
    return [number + 1 for number in ids]


def sentence_ids(words: Sequence[str], max_characters: int = 50) -> list[list[int]]:
    """Ids of a whole sentence with its markers, (T + 2, max_characters)."""
    middle = [word_ids(word, max_characters) for word in words]
    return [marker_ids("<S>", max_characters), *middle, marker_ids("</S>", max_characters)]


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * x))


def token_vector(ids: Sequence[int], weights: Weights, options: Options) -> Array:
    """Character ids of one word to its context-free vector (P,)."""
    cnn = options["char_cnn"]
    table = np.concatenate([np.zeros((1, weights["char_embed"].shape[1])), weights["char_embed"]])  # id 0 is padding
    characters = table[np.asarray(ids)]  # (L, E)
    activations: dict[str, Callable[[Array], Array]] = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}
    activate = activations[cnn["activation"]]
    pooled = []
    for number, (width, count) in enumerate(cnn["filters"]):
        kernel = weights[f"CNN/W_cnn_{number}"][0]  # (width, E, n)
        starts = len(ids) - width + 1  # VALID: windows inside the word's positions, padding among them
        windows = weights[f"CNN/b_cnn_{number}"] + np.zeros((starts, count))
        for offset in range(width):
            windows = windows + characters[offset : offset + starts] @ kernel[offset]
        pooled.append(activate(windows.max(axis=0)))
    x = np.concatenate(pooled)
    for number in range(cnn.get("n_highway") or 0):
        name = f"CNN_high_{number}/"
        gate = _sigmoid(x @ weights[name + "W_carry"] + weights[name + "b_carry"])
        transformed = np.maximum(x @ weights[name + "W_transform"] + weights[name + "b_transform"], 0)
        x = gate * transformed + (1 - gate) * x
    if "CNN_proj/W_proj" in weights:
        x = x @ weights["CNN_proj/W_proj"] + weights["CNN_proj/b_proj"]
    return x


def cell_name(direction: int, layer: int) -> str:
    """Where a published file keeps a cell's weights."""
    return f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"


def lstm_step(
    x: Array, h: Array, c: Array, *, weights: Weights, cell: str, cell_clip: float | None, proj_clip: float | None
) -> tuple[Array, Array]:
    """One step of one cell: the new h and c."""
    z = np.concatenate([x, h]) @ weights[cell + "W_0"] + weights[cell + "B"]
    i, j, f, o = np.split(z, 4)
    c = _sigmoid(f + 1.0) * c + _sigmoid(i) * np.tanh(j)
    if cell_clip is not None:
        c = np.minimum(np.maximum(c, -cell_clip), cell_clip)
    h = _sigmoid(o) * np.tanh(c)
    if cell + "W_P_0" in weights:
        h = h @ weights[cell + "W_P_0"]
        if proj_clip is not None:
            h = np.minimum(np.maximum(h, -proj_clip), proj_clip)
    return h, c


def zero_state(weights: Weights, options: Options, *, directions: int = 2) -> State:
    """Before any text."""
    size = options["lstm"]["dim"]
    out = weights[cell_name(0, 0) + "W_P_0"].shape[1] if cell_name(0, 0) + "W_P_0" in weights else size
    layers = options["lstm"]["n_layers"]
    return [[(np.zeros(out), np.zeros(size)) for _ in range(layers)] for _ in range(directions)]


def run_direction(
    tokens: Array, state: list[tuple[Array, Array]], direction: int, *, weights: Weights, options: Options
) -> tuple[list[Array], list[tuple[Array, Array]]]:
    """tokens (T, P) in sentence order to one (T, P) a layer, in sentence order, and the state that is carried on."""
    lstm = options["lstm"]
    sequence = tokens if direction == 0 else tokens[::-1]
    outputs: list[Array] = []
    final = []
    for layer, (h, c) in enumerate(state):
        steps = []
        for x in sequence:
            h, c = lstm_step(
                x, h, c, weights=weights, cell=cell_name(direction, layer),
                cell_clip=lstm["cell_clip"], proj_clip=lstm["proj_clip"],
            )  # fmt: skip
            steps.append(h + x if layer > 0 and lstm["use_skip_connections"] else h)
        final.append((h, c))  # without what the skip connection added
        sequence = np.array(steps).reshape(len(tokens), len(h))
        outputs.append(sequence if direction == 0 else sequence[::-1])
    return outputs, final


def run_sentence(
    tokens: Array, *, weights: Weights, options: Options, state: State | None = None, directions: int = 2
) -> tuple[list[Array], State]:
    """tokens (T, P) to n_layers + 1 of (T, 2P), layer 0 the token vectors once a direction, and the final state."""
    state = zero_state(weights, options, directions=directions) if state is None else state
    runs = [run_direction(tokens, state[d], d, weights=weights, options=options) for d in range(directions)]
    layers = [np.concatenate([tokens] * directions, axis=1)]
    for layer in range(options["lstm"]["n_layers"]):
        layers.append(np.concatenate([outputs[layer] for outputs, _ in runs], axis=1))
    return layers, [final for _, final in runs]


def embed_sentence(
    words: Sequence[str], *, weights: Weights, options: Options, state: State | None = None, directions: int = 2
) -> tuple[Array, State]:
    """Words to (n_layers + 1, T, 2P) without the sentence markers, and the final state.

    All layers need one width here, that of the token vectors, as in every published model.
    """
    ids = sentence_ids(words, options["char_cnn"].get("max_characters_per_token", 50))
    tokens = np.array([token_vector(word, weights, options) for word in ids])
    layers, final = run_sentence(tokens, weights=weights, options=options, state=state, directions=directions)
    return np.stack(layers)[:, 1:-1], final
