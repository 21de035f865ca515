"""What a model was trained on so far: the runs of all its stages, kept in its folder as `training.json`.

A model is trained in stages, each from the weights that the one before shipped, perhaps on another machine: the folders
of earlier runs may be gone when a card is written.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from elmokit.machine import processor_name

FILE = "training.json"


@dataclass(frozen=True)
class Stage:
    """One stage: a run at a constant rate and the decay that ended it.

    Args:
        config: The configuration of the run.
        words: Predicted words of one direction.
        updates: Updates, those of the decay included.
        hours: Of the training itself, whatever else the machine did meanwhile.
        threads, precision, seed: Of the run.
        processor: What it ran on.
        curve: Held-out perplexity after so many words of the stage: (words, perplexity) pairs.
        train_words: Words of the training text.
        large_head: Held-out perplexity with the head it was trained with, where a small one was fitted afterwards.
        small_head: The same with the small one.
    """

    config: str
    words: int
    updates: int
    hours: float
    threads: int
    precision: str
    seed: int
    processor: str
    curve: list[tuple[int, float]]
    train_words: int
    large_head: float | None
    small_head: float | None


def read(folder: Path) -> list[Stage]:
    """The stages of a model folder; none where there is no file."""
    file = folder / FILE
    if not file.is_file():
        return []
    return [Stage(**stage) for stage in json.loads(file.read_text(encoding="utf-8"))["stages"]]


def write(folder: Path, stages: list[Stage]) -> None:
    """Write the stages of a model folder."""
    text = json.dumps({"stages": [asdict(stage) for stage in stages]}, indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def finished_stage(config: str, decay: Path, *, fit: dict[str, Any] | None) -> Stage:
    """The stage that a decayed run ended; `fit` is the `head_fitting.json` of its small head, if one was fitted."""
    metrics = json.loads((decay / "metrics.json").read_text(encoding="utf-8"))
    settings = yaml.safe_load((decay / "config.yaml").read_text(encoding="utf-8"))
    last = metrics["epochs"][-1]
    curve = [(each["words"], round(each["valid_perplexity"], 2)) for each in metrics.get("evaluations", [])]
    return Stage(
        config=config, words=last["words"], updates=metrics["steps"], hours=round(metrics["seconds"] / 3600, 2),
        threads=metrics["threads"], precision=metrics["precision"], seed=settings["seed"],
        processor=processor_name(), curve=[*curve, (last["words"], round(last["valid_perplexity"], 2))],
        train_words=metrics["train_words"], large_head=fit["large"]["mean"] if fit else None,
        small_head=fit["small"]["mean"] if fit else None,
    )  # fmt: skip
