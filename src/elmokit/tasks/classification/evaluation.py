"""Scores of a trained classifier on whole splits, and the pictures of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from elmokit.report import plots
from elmokit.tasks.inputs.batches import RowDataset
from elmokit.tasks.metrics import classification_scores
from elmokit.tasks.pictures import draw_history

EVALUATION_BATCH = 256


@torch.inference_mode()
def logits_of(model: torch.nn.Module, data: RowDataset, *, batch_size: int = EVALUATION_BATCH) -> NDArray[np.float32]:
    """Logits (N, classes) in the order of `data`, computed by falling length."""
    model.eval()
    device = next(model.parameters()).device
    order = np.argsort(-data.lengths, kind="stable")
    parts = []
    for start in range(0, len(order), batch_size):
        batch = data.__getitems__(order[start : start + batch_size].tolist())
        batch.pop("labels", None)
        output = model(**{name: tensor.to(device) for name, tensor in batch.items()})
        parts.append(output.logits.float().cpu().numpy())
    logits = np.empty((len(order), parts[0].shape[1]), dtype=np.float32)
    logits[order] = np.concatenate(parts)
    return logits


def split_scores(logits: NDArray[np.float32], gold: NDArray[np.int64], *, labels: list[str]) -> dict[str, Any]:
    """`classification_scores` and the mean cross-entropy of logits (N, classes)."""
    loss = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(gold))
    return {"loss": float(loss), **classification_scores(gold, logits.argmax(axis=1).astype(np.int64), labels=labels)}


def draw(folder: Path, *, history: list[dict[str, Any]], scores: dict[str, Any], labels: list[str], title: str) -> None:
    """curves.png, confusion.png and, when λ is known, layer_weights.png."""
    draw_history(folder, history, {"accuracy": "accuracy", "macro_f1": "macro F1"}, title=title)
    matrices = {split: scores[split]["confusion"] for split in ("train", "validation", "test")}
    plots.confusion_matrices(folder / "confusion.png", matrices, labels=labels, title=title)
