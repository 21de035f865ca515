"""The README of a trained model: what it is, what it was trained on, what it scores, how to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def card(
    task: str, title: str, what: str, sections: Mapping[str, str], *, scored_by: Sequence[str], code: str, command: str,
    limits: str,
) -> str:  # fmt: skip
    """Markdown with the front matter the model hub reads.

    Args:
        task: The hub's name of the task.
        title: The heading.
        what: The network in a sentence or two.
        sections: Headings and what stands below them.
        scored_by: The hub's names of the metrics.
        code: Python that uses the model in `THIS_FOLDER`.
        command: The same from the command line.
        limits: What it cannot do.
    """
    front = {
        "library_name": "transformers",
        "pipeline_tag": task,
        "tags": ["elmo", "elmokit", task],
        "metrics": list(scored_by),
    }
    every = {
        **sections,
        "Use": f"```python\n{code}\n```\n\nor `{command}`",
        "Limits": f"{limits} It was not checked for bias.",
    }
    blocks = [f"---\n{yaml.safe_dump(front, sort_keys=False)}---", f"# {title}", what]
    blocks += [f"## {heading}\n\n{text}" for heading, text in every.items()]
    return "\n\n".join(blocks) + "\n"


def what_it_is(metrics: dict[str, Any], *, head: str = "A BiLSTM") -> str:
    """The network in a sentence or two."""
    bilm = "fine-tuned with it" if metrics["finetune"] else "frozen"
    mix = {"trainable": "a trained", "frozen": "a fixed", "function": "a learned-function"}[metrics["combine"]]
    beside = f", and static vectors (`{Path(metrics['vectors']).name}`) beside them" if metrics["vectors"] else ""
    total, trained = metrics["parameters"]["total"], metrics["parameters"]["trained"]
    return (
        f"{head} over {mix} mix of the layers of a bidirectional language model (`{Path(metrics['model']).name}`), "
        f"the language model {bilm}{beside}. {total:,} parameters, {trained:,} of them trained here."
    )


def file_names(files: list[str]) -> str:
    """Files without their folders, as code."""
    return ", ".join(f"`{Path(file).name}`" for file in files)


def training_of(metrics: dict[str, Any], settings: dict[str, Any]) -> str:
    """How a head was trained, and with which versions."""
    rates = f"learning rate {settings['learning_rate']:g}"
    if metrics["finetune"]:
        rates += f", {settings['finetune_learning_rate']:g} for the language model"
    if settings.get("vectors_learning_rate"):
        rates += f", {settings['vectors_learning_rate']:g} for the static vectors"
    text = (
        f"Seed {metrics['seed']}, {metrics['epochs']} epochs, the best by validation {settings['best_by']} was epoch "
        f"{metrics['best_epoch']}; batches of {settings['batch_size']}, AdamW, {rates}. "
        f"{metrics['texts_per_second']:,.0f} texts a second, {metrics['seconds']['total']:,.0f} s in all. "
        "The test rows were used for nothing but the figures above."
    )
    if "lambdas" in metrics:
        shares = ", ".join(f"{value:.3f}" for value in metrics["lambdas"])
        how = ", both fixed" if metrics["combine"] == "frozen" else ""
        text += f" Layer weights λ (tokens first): {shares}; γ {metrics['gamma']:.3f}{how}."
    kept = ", ".join(f"{package} {version}" for package, version in metrics["versions"].items())
    return f"{text}\n\nVersions: {kept}. All settings: `training.yaml`; all figures: `metrics.json`."
