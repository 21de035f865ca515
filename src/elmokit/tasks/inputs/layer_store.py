"""The frozen biLM's layers of every word, computed once and kept on disk in half precision.

A store is a folder named by the hash of everything its numbers depend on: weights, shape, words, the type of the
products. Every mixing mode, seed and split reads the same one. On AG News with P 256 it holds 3.4 million words of
5 x 256 half floats, 8.7 GB, so it is written in a stream and read through a memory map.

One word is one row: `token vector (P) | layer 1 (2P) | layer 2 (2P) | …`. Layer 0 of a biLM is the token vector twice
(Peters et al. 2018, §3.2); only one half is kept.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import os
import shutil
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.cache import LIMIT, entries, mark_used, shrink
from elmokit.errors import ConfigError, ModelError
from elmokit.machine import size_in_bytes
from elmokit.nn.network import ElmoNetwork, HasNetwork, network_of
from elmokit.nn.precision import Precision
from elmokit.progress import rate_bar
from elmokit.tasks.inputs.tokens import TokenizedTexts

log = logging.getLogger(__name__)

FORMAT = 1  # raise when the same model and words would be stored differently
WORDS_PER_BATCH = 4096
TYPES_PER_BATCH = 2048


class LayerStore:
    """Layers of ragged texts on disk: `batch(indices)` gives them padded. The layer mix casts them to its own type."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "store.json").read_text(encoding="utf-8"))
        self.n_layers, self.dim, self.halved = int(about["n_layers"]), int(about["dim"]), bool(about["halved"])
        self.offsets: NDArray[np.int64] = np.load(folder / "offsets.npy")
        width = _width(self.n_layers, self.dim, halved=self.halved)
        self.rows = np.memmap(folder / "layers.f16", dtype=np.float16, mode="r", shape=(int(self.offsets[-1]), width))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Words of each text (N,)."""
        return np.diff(self.offsets)

    def cut_at(self, offsets: NDArray[np.int64]) -> LayerStore:
        """The same words with other borders between texts: `offsets` (texts + 1,)."""
        if offsets[-1] != self.offsets[-1]:
            raise ValueError(
                f"The store has {self.offsets[-1]} words; expected offsets up to there, got {offsets[-1]}."
            )
        cut = copy.copy(self)
        cut.offsets = offsets
        return cut

    def batch(self, indices: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Layers (B, L, T, D) float16, zero in the padding, and the mask (B, T) int64 of the given texts."""
        starts, ends = self.offsets[indices], self.offsets[indices + 1]
        lengths = ends - starts
        first = self.dim // 2 if self.halved else self.dim  # numbers that are kept of layer 0
        shape = len(indices), self.n_layers, int(lengths.max()), self.dim
        layers = np.zeros(shape, dtype=np.float16)
        for text, start, end in zip(layers, starts, ends, strict=True):
            words = self.rows[start:end]
            text[0, : end - start] = np.tile(words[:, :first], 2 if self.halved else 1)
            text[1:, : end - start] = words[:, first:].reshape(-1, self.n_layers - 1, self.dim).swapaxes(0, 1)
        mask = np.arange(shape[2]) < lengths[:, None]
        return torch.from_numpy(layers), torch.from_numpy(mask.astype(np.int64))

    def _unpack(self, packed: Tensor) -> Tensor:
        batch, words, _ = packed.shape
        layers = packed.new_empty(batch, self.n_layers, words, self.dim)
        place = 0
        for layer in range(self.n_layers):
            if layer == 0 and self.halved:
                half = self.dim // 2
                layers[:, 0, :, :half] = packed[..., :half]
                layers[:, 0, :, half:] = packed[..., :half]
                place = half
            else:
                layers[:, layer] = packed[..., place : place + self.dim]
                place += self.dim
        return layers


def layer_store(
    model: ElmoNetwork | HasNetwork,
    tokens: TokenizedTexts,
    *,
    cache: Path,
    precision: Precision = "float32",
    progress: bool = True,
) -> LayerStore:
    """The store of these texts under this model, taken from `cache` or computed into it with products in `precision`.

    Other stores, the least recently used first, give way where `$ELMOKIT_CACHE_LIMIT` says how much there may be.

    Raises ConfigError when the disk cannot hold it, ModelError when the model gives numbers that are not finite.
    """
    limit = None if not os.environ.get(LIMIT) else size_in_bytes(os.environ[LIMIT], name=LIMIT)
    model = network_of(model)
    folder = cache / store_key(model, tokens, precision=precision)
    if (folder / "store.json").is_file():
        log.info("biLM layers of %d texts taken from %s", len(tokens), folder)
        mark_used(folder)
        return LayerStore(folder)
    _require_space(model, tokens, cache)
    partial = cache / f".{folder.name}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            _compute(model, tokens, partial, progress=progress)
        if folder.exists():  # another process was quicker
            return LayerStore(folder)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for gone in [] if limit is None else shrink(cache, limit=limit, keep=folder):
        log.info("%s was removed: the cache has more than %s=%s", gone.path, LIMIT, os.environ[LIMIT])
    held = entries(cache)
    log.info(
        "%s has %d sets of layers now, %.2f GB: elmo cache lists and clears them",
        cache,
        len(held),
        sum(entry.bytes for entry in held) / 1e9,
    )
    return LayerStore(folder)


def store_key(model: ElmoNetwork | HasNetwork, tokens: TokenizedTexts, *, precision: Precision = "float32") -> str:
    """Hash of all that the numbers depend on: weights, shape, words and their order, the type of the products."""
    model = network_of(model)
    digest = hashlib.blake2b(f"{FORMAT} {_shape(model)} {precision}".encode(), digest_size=12)
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    for array in (tokens.rows, tokens.ids, tokens.offsets):
        digest.update(np.ascontiguousarray(array, dtype=np.int64).data)  # a column of static vectors made rows wider
    return digest.hexdigest()


def _shape(model: ElmoNetwork) -> str:
    config = model.config
    keys = ["projection_dim", "cell_dim", "n_layers", "directions", "filters", "n_highway", "char_cnn_activation"]
    keys += ["token_encoder", "use_skip_connections", "cell_clip", "proj_clip", "max_characters_per_token"]
    return json.dumps({key: getattr(config, key) for key in keys})


def _width(n_layers: int, dim: int, *, halved: bool) -> int:
    return n_layers * dim - (dim // 2 if halved else 0)


def _require_space(model: ElmoNetwork, tokens: TokenizedTexts, cache: Path) -> None:
    config = model.config
    width = _width(config.n_layers + 1, config.hidden_size, halved=config.directions == 2)
    needed = len(tokens.ids) * width * 2
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cache folder {cache} cannot be made: {error.strerror} (--cache)") from error
    free = shutil.disk_usage(cache).free
    if needed * 1.01 > free:
        raise ConfigError(
            f"the biLM layers of {len(tokens)} texts need {needed / 1e9:.1f} GB, {cache} has {free / 1e9:.1f} GB free: "
            "give --cache on another disk, fewer rows (--train-fraction) or --max-words"
        )
    log.info("computing the biLM layers of %d words (%.2f GB) in %s", len(tokens.ids), needed / 1e9, cache)


def _compute(model: ElmoNetwork, tokens: TokenizedTexts, folder: Path, *, progress: bool) -> None:
    config = model.config
    halved = config.directions == 2
    borders = [0]  # of runs of consecutive texts, the unit of writing, so that memory stays flat
    while borders[-1] < len(tokens):
        end = np.searchsorted(tokens.offsets, tokens.offsets[borders[-1]] + 16 * WORDS_PER_BATCH, side="right") - 1
        borders.append(min(max(int(end), borders[-1] + 1), len(tokens)))
    chunks = [np.arange(start, end) for start, end in pairwise(borders)]
    bar = rate_bar("biLM layers", len(tokens.ids), unit="words", show=progress)
    began = time.perf_counter()
    was_training = model.training
    model.train(False)
    try:
        with bar as advance, torch.inference_mode(), (folder / "layers.f16").open("wb") as file:
            # Token vectors (types + 2, P) of every distinct word, then of <S> and </S>: the char CNN runs once a word.
            spelt = torch.cat([torch.from_numpy(tokens.rows).long(), model.marker_rows().cpu().long()])
            parts = torch.split(spelt, TYPES_PER_BATCH)
            words = torch.cat([model.token_vectors(part.to(model.device)) for part in parts])
            for chunk in chunks:
                rows = _chunk_rows(model, words, tokens, chunk, halved=halved)
                if not np.isfinite(rows).all():
                    raise ModelError("the biLM gives vectors that are not finite: the model is damaged (--model)")
                file.write(rows.data)
                advance(int(tokens.offsets[chunk[-1] + 1] - tokens.offsets[chunk[0]]))
    finally:
        model.train(was_training)
    np.save(folder / "offsets.npy", tokens.offsets)
    about = {"format": FORMAT, "n_layers": config.n_layers + 1, "dim": config.hidden_size, "halved": halved}
    about |= {"texts": len(tokens), "words": len(tokens.ids), "shape": json.loads(_shape(model))}
    (folder / "store.json").write_text(json.dumps(about, indent=2), encoding="utf-8")
    log.info("%.0f words/s", len(tokens.ids) / max(time.perf_counter() - began, 1e-9))


def _chunk_rows(
    model: ElmoNetwork, words: Tensor, tokens: TokenizedTexts, chunk: NDArray[np.int64], *, halved: bool
) -> NDArray[np.float16]:
    """Stored rows (words of the chunk, width) in text order; batches are made by length inside the chunk."""
    base = tokens.offsets[chunk[0]]
    dim, layers = model.config.hidden_size, model.config.n_layers + 1
    out = np.empty((int(tokens.offsets[chunk[-1] + 1] - base), _width(layers, dim, halved=halved)), dtype=np.float16)
    begin, end = len(tokens.types), len(tokens.types) + 1  # rows of <S> and </S> in `words`
    sizes = tokens.offsets[chunk + 1] - tokens.offsets[chunk]
    order = np.argsort(-sizes, kind="stable")
    while len(order):
        picked, order = np.split(order, [max(1, WORDS_PER_BATCH // int(sizes[order[0]]))])
        batch, lengths = chunk[picked], sizes[picked]
        index = np.full((len(batch), int(lengths.max()) + 2), end, dtype=np.int64)
        index[:, 0] = begin
        for row, text, length in zip(index, batch, lengths, strict=True):
            row[1 : 1 + length] = tokens.ids[tokens.offsets[text] : tokens.offsets[text + 1]]
        found, _ = model.run(words, torch.from_numpy(index).to(model.device), (lengths + 2).tolist())  # L x (B, T, D)
        kept = [found[0][..., : dim // 2] if halved else found[0], *found[1:]]
        packed = torch.cat(kept, dim=-1)[:, 1:-1].to(torch.float16).cpu().numpy()  # (B, T, width), without markers
        for row, text, length in zip(packed, batch, lengths, strict=True):
            start = tokens.offsets[text] - base
            out[start : start + length] = row[:length]
    return out
