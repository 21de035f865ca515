"""Print the table of AG News classifiers from the `metrics.json` of finished runs, as Markdown.

    python scripts/collect_ag_news.py runs/ag_news/frozen runs/ag_news/finetuned

A run folder is called MODE-SEED. Several seeds of a mode become mean and range.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any


def spread(values: list[float]) -> str:
    mean = statistics.mean(values)
    return f"{mean:.4f}" if len(values) == 1 else f"{mean:.4f} ({min(values):.4f}–{max(values):.4f})"


def main(folders: list[Path]) -> None:
    runs: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for folder in folders:
        for file in sorted(folder.glob("*-*/metrics.json")):
            metrics = json.loads(file.read_text(encoding="utf-8"))
            runs[folder.name, metrics["combine"]].append(metrics)
    print("| biLM | mix | seeds | best epoch | validation accuracy | test accuracy | test macro F1 | λ | γ |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (kind, mode), found in sorted(runs.items()):
        validation, test = ([run[part]["accuracy"] for run in found] for part in ("validation", "test"))
        f1 = [run["test"]["macro"]["f1"] for run in found]
        seeds = ", ".join(str(run["seed"]) for run in found)
        epochs = ", ".join(f"{run['best_epoch']} of {run['epochs']}" for run in found)
        mixes = [run for run in found if "lambdas" in run]
        lambdas = "; ".join(" ".join(f"{value:.2f}" for value in run["lambdas"]) for run in mixes) or "—"
        gammas = "; ".join(f"{run['gamma']:.2f}" for run in mixes) or "—"
        cells = [kind, mode, seeds, epochs, spread(validation), spread(test), spread(f1), lambdas, gammas]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main([Path(argument) for argument in sys.argv[1:]])
