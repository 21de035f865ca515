"""The table of words of a trained model, moved towards static vectors of the same text."""

from __future__ import annotations

import torch
from torch import Tensor

from elmokit.nn.token_encoders import WordCharEncoder
from elmokit.static.vectors import WordVectors


@torch.no_grad()
def move_table(
    encoder: WordCharEncoder, words: list[str], counts: Tensor, vectors: WordVectors, *, share: float
) -> float:
    """Move each word's part of the token vector towards its static vector, as far as the table's size can hold.

    A token vector is the sum of what the word's row of the table and its spelling give. The static vectors are turned
    and scaled, so that they come as close to the first parts as a rotation brings them (Schönemann 1966). Then each
    part moves by `share` of the way to its static vector, and table and projection are the best ones of their size for
    the moved parts. Words that have no static vector stay where they are.

    Args:
        encoder: Changed in place.
        words, counts: The words of the table in its order, and (V,) how often each occurs: a word weighs as much as the
            square root of that.
        vectors: Static vectors.
        share: 0 leaves everything as it is, 1 leaves nothing of what the table held.

    Returns:
        The part of the variance of the moved parts that the table cannot hold.
    """
    table, matrix = encoder.word_table, encoder.projection.weight
    assert table is not None
    size = table.embedding_dim
    parts = (table.weight[1:] @ matrix[:, :size].T).double()  # (V, P)
    weights = counts.double().sqrt()[:, None]
    rows = torch.from_numpy(vectors.rows(words))
    known = rows >= 0
    static = torch.from_numpy(vectors.matrix)[rows[known]].double()
    static -= (weights[known] * static).sum(0) / weights[known].sum()
    mean = (weights[known] * parts[known]).sum(0) / weights[known].sum()
    centred = parts[known] - mean
    left, values, right = torch.linalg.svd((weights[known] * static).T @ centred, full_matrices=False)
    turned = static @ left @ right
    turned *= values.sum() / (weights[known] * turned.square()).sum()
    moved = parts.clone()
    moved[known] += share * (turned - centred)
    *_, axes = torch.linalg.svd(weights.sqrt() * moved, full_matrices=False)
    axes = axes[:size]  # (size, P)
    held = moved @ axes.T
    lost = (weights * (moved - held @ axes).square()).sum() / (weights * (moved - mean).square()).sum()
    scale = held.square().mean().sqrt() / table.weight[1:].double().square().mean().sqrt()
    table.weight[1:] = (held / scale).float()
    matrix[:, :size] = (axes.T * scale).float()
    return float(lost)
