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
    epochs = [record["epoch"] for record in history]
    panels = {
        "loss": {
            "train (running)": [_number(record["train_loss"]) for record in history],
            "validation": [_number(record["validation_loss"]) for record in history],
        },
        "validation score": {
            "accuracy": [_number(record["validation_accuracy"]) for record in history],
            "macro F1": [_number(record["validation_macro_f1"]) for record in history],
        },
    }
    plots.learning_curves(folder / "curves.png", panels, x=epochs, title=title)
    matrices = {split: scores[split]["confusion"] for split in ("train", "validation", "test")}
    plots.confusion_matrices(folder / "confusion.png", matrices, labels=labels, title=title)
    mixed = [record for record in history if "lambdas" in record]
    if mixed:
        names = ["tokens", *(f"LSTM {number}" for number in range(1, len(mixed[0]["lambdas"])))]
        plots.layer_weights(
            folder / "layer_weights.png",
            [record["lambdas"] for record in mixed],
            gammas=[record["gamma"] for record in mixed],
            layers=names,
            x=[record["epoch"] for record in mixed],
            title=title,
        )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
