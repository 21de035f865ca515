"""`OnnxBackend`: a model folder behind an `Encoder` by onnxruntime, without PyTorch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from elmokit.encode.backend import Array, Backend, Take
from elmokit.encode.batching import length_sorted_batches, windows
from elmokit.encode.memory import layer_budget
from elmokit.encode.onnx_mix import WeightedMix, saved_mix
from elmokit.encode.word_cache import WordCache
from elmokit.errors import ConfigError, ModelError
from elmokit.extras import install_command
from elmokit.machine import usable_cores
from elmokit.saved_model import SavedModel
from elmokit.saved_model.arrays import WeightArrays
from elmokit.saved_model.graph_files import LAYERS_GRAPH, SHAPE_KEY, WORDS_GRAPH, shape_sum

_WORDS_PER_CALL = 256
_FEWER = 3 / 4  # share of its sentences that are left when a stretch of steps ends


class Graph:
    """A graph of a folder with the folder's weights. Threads may share it.

    Raises:
        ModelError: The graph is missing, damaged, or made for another shape, or the weights are.
    """

    def __init__(self, saved: SavedModel, name: str, *, threads: int) -> None:
        self._saved, self._name, self.threads = saved, name, threads
        file = saved.folder / name
        if not file.is_file():
            raise ModelError(
                f"{saved.folder} has no {name}: `elmo convert {saved.folder} NEW --graphs` writes one that has it; or "
                f"load it with PyTorch: {install_command('torch')}"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised, too
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            stored = WeightArrays(saved.folder)
            names = stored.names("token_encoder.")
            if (
                name == LAYERS_GRAPH
            ):  # of each direction by itself, the matrices that multiply from the right transposed
                names = [
                    f"{each}[{direction}]" + ".T" * each.endswith(("weight_input", "weight_hidden"))
                    for each in stored.names("bilm.layers.")
                    for direction in range(saved.config.directions)
                ]
            weights = stored.read(names)
            self._kept = {each: onnxruntime.OrtValue.ortvalue_from_numpy(array) for each, array in weights.items()}
            options.add_external_initializers(list(self._kept), list(self._kept.values()))
            self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's own kinds have no common base below this one
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"{file} is damaged or does not fit the weights next to it: {reason}") from error
        made_for = self._session.get_modelmeta().custom_metadata_map.get(SHAPE_KEY)
        if made_for != shape_sum(saved.config):
            raise ModelError(f"{file} was made for a model of another shape than that of config.json: make it again")

    @property
    def outputs(self) -> list[str]:
        """Their names in order."""
        return [output.name for output in self._session.get_outputs()]

    def __call__(self, **inputs: NDArray[Any]) -> list[Array]:
        found: list[Array] = self._session.run(None, inputs)
        return found

    def __getstate__(self) -> dict[str, object]:
        """What a pickle or copy needs: it is opened again."""
        return {"saved": self._saved, "name": self._name, "threads": self.threads}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state)  # type: ignore[misc]


class OnnxBackend(Backend):
    """A folder of elmokit with graphs (`words.onnx`, `layers.onnx`) and float weights, on the CPU.

    Raises:
        ModelError: The graphs or the weights are missing, damaged, or do not fit.
        ConfigError: The model is the encoder of a translator, or its layer mix is no weighted sum.
    """

    name = "onnx"

    def __init__(self, saved: SavedModel, *, memory: int | None = None) -> None:
        self._saved, self.config, self.rows = saved, saved.config, saved.word_rows
        self._weights = WeightArrays(saved.folder)
        self._mix = saved_mix(saved, self._weights)
        threads = os.environ.get("OMP_NUM_THREADS", "")  # which PyTorch obeys as well
        self.set_threads(int(threads) if threads.isdecimal() and int(threads) > 0 else usable_cores())
        word_bytes = 4 * self.config.hidden_size * (self.config.n_layers + 1)
        self.words_per_batch = max(256, layer_budget(memory) // word_bytes)
        self._cache = WordCache(self._vectors, dim=self.config.projection_dim)
        self._markers = self._vectors_of_rows(np.array(self.config.markers, dtype=np.int64))
        self._warm = None
        if self.config.warm_state:
            found = self._weights.read(["warm_h", "warm_c"])
            self._warm = found["warm_h"], found["warm_c"]

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def mix(self) -> WeightedMix | None:
        return self._mix

    def mixed(self, layers: Sequence[Array]) -> Array:
        assert self._mix is not None
        return self._mix(layers)

    def set_threads(self, count: int) -> None:
        self._words = Graph(self._saved, WORDS_GRAPH, threads=count)
        self._layers = Graph(self._saved, LAYERS_GRAPH, threads=count)

    def each(self, sentences: Sequence[Sequence[str]], take: Take, *, batch_size: int, zero_state: bool) -> None:
        places = {word: row for row, word in enumerate(dict.fromkeys(w for words in sentences for w in words), 2)}
        table = np.concatenate([self._markers, self._cache(list(places))])  # (2 + words, P)
        slots = [[0, *(places[word] for word in words), 1] for words in sentences]
        lengths = [len(row) for row in slots]
        for batch in length_sorted_batches(lengths, batch_size=batch_size, max_words=self.words_per_batch):
            rows = [np.array(slots[number]) for number in batch]
            starts = np.cumsum([0, *(len(row) for row in rows)])
            layers = self._read(table, rows, starts, zero_state=zero_state)
            for number, start, stop in zip(batch, starts, starts[1:], strict=False):
                take(number, [layer[start + 1 : stop - 1] for layer in layers])

    def carry(self, sentences: Sequence[Sequence[str]], take: Take) -> None:
        raise ConfigError(
            f"state='carry' needs the backend 'torch': {install_command('torch')}, then load with backend='torch'"
        )

    def reset_state(self) -> None:
        """Nothing is carried."""

    def clear_cache(self) -> None:
        self._cache.clear()

    def cached_words(self) -> tuple[list[str], Array]:
        return self._cache.contents()

    def restore_cached_words(self, words: Sequence[str], vectors: Array) -> None:
        self._cache.restore(words, vectors)

    def weights(self) -> list[tuple[str, NDArray[Any]]]:
        names = self._weights.names("token_encoder.", "bilm.", "warm_")
        mix = self._weights.names("mix.") if self._mix is not None else []
        found = self._weights.read([*names, *mix])
        return [(name.removeprefix("mix."), array) for name, array in found.items()]

    # Words ----------------------------------------------------------------------------------------------------------

    def _vectors(self, words: list[str]) -> Array:
        """(n, P), words of like length together: each call is cut to its longest."""
        order = sorted(range(len(words)), key=lambda number: len(words[number]))
        computed = np.empty((len(words), self.config.projection_dim), dtype=np.float32)
        for chunk in windows(order, _WORDS_PER_CALL):
            computed[chunk] = self._vectors_of_rows(self.rows([words[number] for number in chunk]).astype(np.int64))
        return computed

    def _vectors_of_rows(self, rows: NDArray[np.int64]) -> Array:
        """(n, width) to (n, P). Columns of padding are left out but for what the widest filter covers: every maximum
        sees the values it would have seen."""
        config = self.config
        first = config.kind.first_character(config)
        if first is not None:
            spelled = rows[:, first:]
            columns = np.flatnonzero(((spelled != 0) & (spelled != config.character_padding)).any(axis=0))
            longest = int(columns[-1]) + 1 if len(columns) else 0
            rows = rows[:, : first + longest + max(width for width, _ in config.filters or [[1, 1]])]
        (vectors,) = self._words(rows=rows)
        return vectors

    # Sentences ------------------------------------------------------------------------------------------------------

    def _read(
        self, table: Array, rows: list[NDArray[np.int64]], starts: NDArray[np.int64], *, zero_state: bool
    ) -> list[Array]:
        """n_layers + 1 of (N, D): all words of a batch, sentence behind sentence; `rows` are sorted, longest first.

        The steps run in stretches: the states go from one to the next, so the result is that of one long pass, and a
        text of any length takes no more memory than its layers.
        """
        directions, size = self.config.directions, self.config.projection_dim
        lengths = np.array([len(row) for row in rows])
        joined = np.concatenate(rows)
        tokens = table[joined]
        layers = [np.concatenate([tokens] * directions, axis=1)]
        layers += [np.empty((len(joined), directions * size), np.float32) for _ in range(self.config.n_layers)]
        sizes = {"h": size, "c": self.config.cell_dim}
        states = {}  # before any word, by the name of the input
        for number, d, kind in product(range(self.config.n_layers), range(directions), sizes):
            one = np.zeros(sizes[kind], np.float32)
            if self._warm is not None and not zero_state:
                one = self._warm["hc".index(kind)][number, d]
            states[f"{kind}.{number}.{d}"] = np.broadcast_to(one, (len(rows), sizes[kind]))
        for stretch in _stretches(lengths, most_words=self.words_per_batch):
            steps = np.arange(stretch.start, stretch.stop)[:, None]  # (T, 1)
            real = steps < lengths[: stretch.sentences]  # (T, B)
            first = starts[: stretch.sentences]
            places = [first + steps, first + lengths[: stretch.sentences] - 1 - steps][:directions]
            inputs = {f"tokens.{d}": tokens[np.where(real, place, 0)] for d, place in enumerate(places)} | {
                name: state[: stretch.sentences] for name, state in states.items()
            }
            found = dict(zip(self._layers.outputs, self._layers(**inputs), strict=True))
            for name, output in found.items():
                kind, layer, direction = name.split(".")
                if kind == "layer":
                    part = slice(int(direction) * size, (int(direction) + 1) * size)
                    layers[int(layer) + 1][places[int(direction)][real], part] = output[real]
            states = {name: found[name.replace(".", "_last.", 1)] for name in states}
        return layers


class _Stretch(NamedTuple):
    """Steps from `start` up to `stop` of the first `sentences` of a batch."""

    start: int
    stop: int
    sentences: int


def _stretches(lengths: NDArray[np.int64], *, most_words: int) -> Iterator[_Stretch]:
    """All steps of sentences of these lengths, falling: a new stretch begins where a quarter of them have ended."""
    start, longest = 0, int(lengths[0]) if len(lengths) else 0
    while start < longest:
        sentences = int((lengths > start).sum())
        fewer = int(lengths[max(int(sentences * _FEWER) - 1, 0)])  # with these many, the next steps are worth it
        stop = min(max(fewer, start + 1), start + max(most_words // sentences, 1))
        yield _Stretch(start, stop, sentences)
        start = stop
