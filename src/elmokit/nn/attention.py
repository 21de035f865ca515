"""Attention between the words of a passage and those of a question, and of a passage with itself."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class TrilinearSimilarity(nn.Module):
    """s(x, y) = a·x + b·y + c·(x ∘ y) of every two words (Seo et al. 2017, §2, eq. 1), without building their products.

    The three vectors are drawn within ±sqrt(6 / (3 dim + 1)) (Glorot & Bengio 2010), as the one vector of 3 dim
    numbers that they are in the paper.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(dim))
        self.second = nn.Parameter(torch.empty(dim))
        self.product = nn.Parameter(torch.empty(dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        bound = math.sqrt(6 / (3 * len(self.first) + 1))
        for weight in (self.first, self.second, self.product):
            nn.init.uniform_(weight, -bound, bound)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x (B, P, D) and y (B, Q, D) to similarities (B, P, Q)."""
        alone = (x @ self.first).unsqueeze(2) + (y @ self.second).unsqueeze(1)
        return alone + torch.bmm(x * self.product, y.transpose(1, 2))


class BidirectionalAttention(nn.Module):
    """What a question tells each word of a passage, in both directions (Seo et al. 2017, §2, "attention flow").

    Context to query: each word of the passage gets the question's words weighed by their similarity to it. Query to
    context: the passage's words that are most similar to some word of the question, summed to one vector.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.similarity = TrilinearSimilarity(dim)

    def forward(self, passage: Tensor, question: Tensor, passage_mask: Tensor, question_mask: Tensor) -> Tensor:
        """Passage (B, P, D) to (B, P, 4D): h, u, h ∘ u and h ∘ m side by side, zero in the padding.

        Args:
            passage: (B, P, D), the words h.
            question: (B, Q, D).
            passage_mask: (B, P) bool, true at words.
            question_mask: (B, Q) bool. A question without words adds nothing: u is zero.
        """
        pairs = passage_mask.unsqueeze(2) & question_mask.unsqueeze(1)  # (B, P, Q)
        similarity = self.similarity(passage, question)
        attended = torch.bmm(masked_softmax(similarity, pairs), question)  # u (B, P, D)
        lowest = torch.finfo(similarity.dtype).min
        closest = similarity.masked_fill(~pairs, lowest).amax(dim=2)  # (B, P)
        weights = masked_softmax(closest, passage_mask & question_mask.any(dim=1, keepdim=True))
        summary = torch.bmm(weights.unsqueeze(1), passage)  # m (B, 1, D)
        joined = torch.cat([passage, attended, passage * attended, passage * summary], dim=2)
        return joined * passage_mask.unsqueeze(2).to(joined.dtype)


class SelfAttention(nn.Module):
    """What the other words of a passage tell each of them (Clark & Gardner 2018, §2.1): no word attends to itself."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.similarity = TrilinearSimilarity(dim)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """words (B, P, D) and mask (B, P) to (B, P, 3D): h, a and h ∘ a side by side, zero in the padding.

        The only word of a passage has nothing to attend to: its a is zero.
        """
        others = mask.unsqueeze(2) & mask.unsqueeze(1)
        others = others & ~torch.eye(words.shape[1], dtype=torch.bool, device=words.device)
        attended = torch.bmm(masked_softmax(self.similarity(words, words), others), words)
        return torch.cat([words, attended, words * attended], dim=2) * mask.unsqueeze(2).to(words.dtype)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last dimension where `mask` is true; a row without such places is zero, not NaN."""
    filled = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return filled.softmax(dim=-1) * mask.to(scores.dtype)
