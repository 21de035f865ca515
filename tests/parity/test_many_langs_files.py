"""Folders of ELMoForManyLangs, with the quirks of their code, against an oracle in NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from elmokit.encode.encoder import Encoder
from elmokit.errors import ModelError
from elmokit.interop.loading import load, save
from helpers import oracle

Array = NDArray[np.float64]
P, C, LAYERS = 4, 6, 2
FILTERS = [[1, 3], [2, 4]]
SPECIAL = ["<oov>", "<pad>", "<bos>", "<eos>", "<bow>", "<eow>"]
LETTERS = [*SPECIAL, "b", "a", "n", "k", "銀", "行", "\u3000"]
WORDS = ["<oov>", "<pad>", "<bos>", "<eos>", "bank", "銀行", "\u3000", "Bank"]
SENTENCES = [["bank", "banked"], ["銀行", "\u3000", "Bank"], ["x" * 60], []]


def write_folder(
    folder: Path, *, word_dim: int = 3, char_dim: int = 2, max_characters: int = 12, activation: str = "relu",
    config_path: str = "/home/author/configs/cnn.json", seed: int = 0,
) -> dict[str, NDArray[np.float32]]:  # fmt: skip
    """A random model; returns its tensors under the names of its files."""
    folder.mkdir(parents=True)
    embedder = {
        "name": "cnn", "activation": activation, "filters": FILTERS, "n_highway": 2, "word_dim": word_dim,
        "char_dim": char_dim, "max_characters_per_token": max_characters,
    }  # fmt: skip
    encoder = {"name": "elmo", "projection_dim": P, "cell_clip": 3, "proj_clip": 3, "dim": C, "n_layers": LAYERS}
    (folder / "config.json").write_text(json.dumps({"config_path": config_path, "seed": 1}))
    (folder / "cnn.json").write_text(json.dumps({"token_embedder": embedder, "encoder": encoder, "dropout": 0.1}))
    for name, entries, size in (("char.dic", LETTERS, char_dim), ("word.dic", WORDS, word_dim)):
        if size:
            lines = [f"{entry}\t{number}\n" for number, entry in enumerate(entries)]
            (folder / name).write_text("".join(lines), encoding="utf-8")
    draw = np.random.default_rng(seed)
    total = sum(count for _, count in FILTERS)
    shapes: dict[str, tuple[int, ...]] = {}
    if word_dim:
        shapes["word_emb_layer.embedding.weight"] = (len(WORDS) + 2, word_dim)  # larger than the dictionary
    if char_dim:
        shapes["char_emb_layer.embedding.weight"] = (len(LETTERS), char_dim)
        for number, (width, count) in enumerate(FILTERS):
            shapes[f"convolutions.{number}.weight"] = (count, char_dim, width)
            shapes[f"convolutions.{number}.bias"] = (count,)
        for number in range(2):
            shapes[f"highways._layers.{number}.weight"] = (2 * total, total)
            shapes[f"highways._layers.{number}.bias"] = (2 * total,)
    shapes["projection.weight"] = (P, word_dim + (total if char_dim else 0))
    shapes["projection.bias"] = (P,)
    tokens = {name: draw.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}
    shapes = {}
    for layer in range(LAYERS):
        for direction in ("forward", "backward"):
            name = f"{direction}_layer_{layer}."
            shapes[name + "input_linearity.weight"] = shapes[name + "state_linearity.weight"] = (4 * C, P)
            shapes[name + "state_linearity.bias"] = (4 * C,)
            shapes[name + "state_projection.weight"] = (P, C)
    layers = {name: draw.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}
    for file, tensors in (("token_embedder.pkl", tokens), ("encoder.pkl", layers)):
        torch.save({name: torch.from_numpy(array) for name, array in tensors.items()}, folder / file)
    return tokens | layers


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def token_vector(word: str, weights: dict[str, Any], *, activation: str, max_characters: int) -> Array:
    """One word, or a marker in angle brackets, to its vector (P,)."""
    parts = []
    if word not in ("<bos>", "<eos>"):
        word = word[: max_characters - 2]
    if "word_emb_layer.embedding.weight" in weights:
        number = WORDS.index(word) if word in WORDS else WORDS.index("<oov>")
        parts.append(weights["word_emb_layer.embedding.weight"][number])
    if "char_emb_layer.embedding.weight" in weights:
        spelled = [word] if word in ("<bos>", "<eos>") else list(word)
        letters = ["<eow>", *spelled, "<bow>"]  # swapped in the published code
        letters += ["<pad>"] * (max_characters - len(letters))
        ids = [LETTERS.index(letter) if letter in LETTERS else LETTERS.index("<oov>") for letter in letters]
        x = weights["char_emb_layer.embedding.weight"][ids]  # (L, E)
        pooled = []
        for number, (width, _) in enumerate(FILTERS):
            kernel = weights[f"convolutions.{number}.weight"]  # (n, E, width)
            windows = np.stack([np.einsum("we,new->n", x[s : s + width], kernel) for s in range(len(x) - width + 1)])
            pooled.append((windows + weights[f"convolutions.{number}.bias"]).max(axis=0))
        y = np.concatenate(pooled)
        y = np.maximum(y, 0) if activation == "relu" else np.tanh(y)
        for number in range(2):
            z = weights[f"highways._layers.{number}.weight"] @ y + weights[f"highways._layers.{number}.bias"]
            half = len(y)
            gate = sigmoid(z[half:])
            y = gate * y + (1 - gate) * np.maximum(z[:half], 0)
        parts.append(y)
    vector: Array = weights["projection.weight"] @ np.concatenate(parts) + weights["projection.bias"]
    return vector


def as_bilm(weights: dict[str, Any]) -> dict[str, Array]:
    """The LSTMs in the layout that the biLM oracle reads: gates i, j, f, o and the forget bias outside."""
    arrays = {}
    for layer in range(LAYERS):
        for number, direction in enumerate(("forward", "backward")):
            name, cell = f"{direction}_layer_{layer}.", oracle.cell_name(number, layer)
            parts = [weights[f"{name}{part}_linearity.weight"] for part in ("input", "state")]
            joined = np.concatenate(parts, axis=1)
            i, f, g, o = np.split(joined, 4)
            arrays[cell + "W_0"] = np.concatenate([i, g, f, o]).T
            i, f, g, o = np.split(weights[name + "state_linearity.bias"], 4)
            arrays[cell + "B"] = np.concatenate([i, g, f - 1.0, o])
            arrays[cell + "W_P_0"] = weights[name + "state_projection.weight"].T
    return arrays


@pytest.mark.parametrize(
    ("word_dim", "char_dim", "activation"), [(3, 2, "relu"), (0, 2, "tanh"), (3, 0, "relu"), (3, 2, "tanh")]
)
def test_layers_are_the_oracles(tmp_path: Path, word_dim: int, char_dim: int, activation: str) -> None:
    found = write_folder(tmp_path / "m", word_dim=word_dim, char_dim=char_dim, activation=activation)
    weights = {name: array.astype(np.float64) for name, array in found.items()}
    options = {"lstm": {"dim": C, "n_layers": LAYERS, "cell_clip": 3, "proj_clip": 3, "use_skip_connections": True}}
    save(load(tmp_path / "m", warm=False), tmp_path / "ours")
    for folder in ("m", "ours"):
        encoder = Encoder.from_pretrained(tmp_path / folder, state="zero")
        for words, ours in zip(SENTENCES, encoder.encode(SENTENCES, is_split_into_words=True), strict=True):
            tokens = np.array(
                [
                    token_vector(word, weights, activation=activation, max_characters=12)
                    for word in ("<bos>", *words, "<eos>")
                ]
            )
            layers, _ = oracle.run_sentence(tokens, weights=as_bilm(weights), options=options)
            np.testing.assert_allclose(ours, np.stack(layers)[:, 1:-1], rtol=0, atol=1e-5)


def test_a_line_that_strips_to_one_field_means_the_ideographic_space(tmp_path: Path) -> None:
    write_folder(tmp_path / "m")
    rows = load(tmp_path / "m", warm=False).rows
    assert rows(["\u3000"])[0, 0] == WORDS.index("\u3000") + 1
    assert rows(["\u3000"])[0, 2] == LETTERS.index("\u3000") + 1


def test_the_authors_path_is_looked_up_in_the_folder_and_noted(tmp_path: Path) -> None:
    write_folder(tmp_path / "m")
    (note,) = load(tmp_path / "m", warm=False).notes
    assert "cnn.json" in note and "/home/author" in note


def damage(folder: Path, kind: str) -> None:
    if kind == "code":
        import pickle

        class Harm:
            def __reduce__(self) -> tuple[Any, ...]:
                return (Path.touch, (folder / "harmed",))

        (folder / "encoder.pkl").write_bytes(pickle.dumps({"a": Harm()}, protocol=2))
    elif kind == "cut":
        (folder / "encoder.pkl").write_bytes((folder / "encoder.pkl").read_bytes()[:200])
    elif kind == "missing":
        (folder / "word.dic").unlink()
    elif kind == "dictionary":
        (folder / "word.dic").write_text("bank\tone\n", encoding="utf-8")
    elif kind == "beyond":
        with (folder / "word.dic").open("a", encoding="utf-8") as file:
            file.write("river\t900\n")
    else:
        state = torch.load(folder / "encoder.pkl", weights_only=True)
        name = "forward_layer_0.input_linearity.weight"
        state[name] = state[name][:3] if kind == "shape" else state[name] * torch.nan
        torch.save(state, folder / "encoder.pkl")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("code", "not a safe one"), ("cut", "no state dict"), ("missing", "word.dic"),
        ("dictionary", "line 1: expected token<TAB>id"), ("beyond", "'river' the number 900"),
        ("shape", "its configuration asks for"), ("nan", "not finite"),
    ],
)  # fmt: skip
def test_damaged_folders_are_named(tmp_path: Path, kind: str, message: str) -> None:
    write_folder(tmp_path / "m")
    damage(tmp_path / "m", kind)
    with pytest.raises(ModelError, match=message):
        load(tmp_path / "m")
    assert not (tmp_path / "m" / "harmed").exists()
