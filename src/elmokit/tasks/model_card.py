"""The README of a trained model: what it is, what it was trained on, what it scores, how to use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from elmokit.pretrained import located
from elmokit.tasks.report import RunMetrics


@dataclass(frozen=True)
class Card:
    """What is special to a task in the card of its models.

    Attributes:
        hub_task: The hub's name of the task.
        title: The heading.
        what: The network in a sentence or two.
        sections: Headings and the text below them, before how it was trained.
        scored_by: The hub's names of the metrics.
        code: Python that uses the model in `THIS_FOLDER`.
        command: The same from the command line.
        limits: What it cannot do.
    """

    hub_task: str
    title: str
    what: str
    sections: Mapping[str, str]
    scored_by: Sequence[str]
    code: str
    command: str
    limits: str


def card_text(card: Card, metrics: RunMetrics, settings: Mapping[str, Any]) -> str:
    """Markdown with the front matter the model hub reads; every figure comes from `metrics`.

    The language is that of the biLM's card; the licence is for the user to choose.
    """
    below = located(str(settings["model"])) / "README.md"
    parts = below.read_text(encoding="utf-8", errors="replace").split("---\n", 2) if below.is_file() else []
    try:
        found = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    except yaml.YAMLError:
        found = None  # a card that somebody wrote: the rest of the run does not depend on it
    language = found.get("language") if isinstance(found, dict) else None
    front = {
        **({} if language is None else {"language": language}),
        "library_name": "transformers",
        "pipeline_tag": card.hub_task,
        "tags": ["elmo", "elmokit", card.hub_task],
        "metrics": list(card.scored_by),
    }
    sections = {
        **card.sections,
        "Notes": "\n".join(f"- {note}" for note in metrics.notes),
        "Training": training_of(metrics, settings),
        "Use": f"```python\n{card.code}\n```\n\nor `{card.command}`",
        "Limits": f"{card.limits} It was not checked for bias.",
    }
    blocks = [f"---\n{yaml.safe_dump(front, sort_keys=False)}---", f"# {card.title}", card.what]
    blocks += [f"## {heading}\n\n{text}" for heading, text in sections.items() if text]
    return "\n\n".join(blocks) + "\n"


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; numbers between 0 and 1 have four places, and bars in words are escaped."""
    lines = [f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}"]
    for row in rows:
        cells = (
            f"{value:{'.4f' if isinstance(value, float) else ','}}"
            if isinstance(value, int | float)
            else str(value).replace("|", "\\|")
            for value in row
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def split_table(metrics: RunMetrics, counts: Mapping[str, str], figures: Mapping[str, str]) -> str:
    """A row for each part of the data that was scored: what was counted and the figures, each with its heading."""
    rows = [
        [name, *(found.counts[count] for count in counts), *(found.figure(figure) for figure in figures)]
        for name, found in metrics.scores.items()
    ]
    return table(["split", *counts.values(), *figures.values()], rows)


def label_table(metrics: RunMetrics, figures: Mapping[str, str], *, heading: str = "label") -> str:
    """A row for each label of the test rows, with the figures under their headings."""
    details = metrics.scores["test"].details
    each = details["per_label" if "per_label" in details else "per_class"]
    return table(
        [heading, *figures.values()], [[label, *(one[name] for name in figures)] for label, one in each.items()]
    )


def rows_of(metrics: RunMetrics, settings: Mapping[str, Any], *, unit: str) -> list[str]:
    """Lines on the data that every card has: how many rows, of which files, how they were chosen."""
    lines = [f"- {split}: {count:,} {unit}" for split, count in metrics.rows.items()]
    lines.append(f"- training files: {file_names(settings['train'])}; test files: {file_names(settings['test'])}")
    if settings["valid"]:
        lines.append(f"- validation files: {file_names(settings['valid'])}")
    else:
        lines.append(
            f"- validation: {settings['valid_fraction']:.0%} of the training files, drawn with seed {metrics.seed}"
        )
    if settings["train_fraction"] < 1:
        lines.append(f"- only {settings['train_fraction']:.1%} of the remaining training {unit} were used")
    return lines


def what_it_is(metrics: RunMetrics, *, head: str = "A BiLSTM") -> str:
    """The network in a sentence or two."""
    bilm = "fine-tuned with it" if metrics.finetune else "frozen"
    mix = {"trainable": "a trained", "frozen": "a fixed", "function": "a learned-function"}[metrics.combine]
    beside = f", and static vectors (`{Path(metrics.vectors).name}`) concatenated with them" if metrics.vectors else ""
    total, trained = metrics.parameters["total"], metrics.parameters["trained"]
    return (
        f"{head} over {mix} mix of the layers of a bidirectional language model (`{Path(metrics.model).name}`), "
        f"the language model {bilm}{beside}. {total:,} parameters, {trained:,} of them trained here."
    )


def file_names(files: Sequence[str]) -> str:
    """Files without their folders, as code."""
    return ", ".join(f"`{Path(file).name}`" for file in files)


def training_of(metrics: RunMetrics, settings: Mapping[str, Any]) -> str:
    """How a head was trained, and with which versions."""
    rates = f"learning rate {settings['learning_rate']:g}"
    if metrics.finetune:
        rates += f", {settings['finetune_learning_rate']:g} for the language model"
    if settings.get("vectors_learning_rate"):
        rates += f", {settings['vectors_learning_rate']:g} for the static vectors"
    text = (
        f"Seed {metrics.seed}, {metrics.epochs} epochs, the best by validation {settings['best_by'] or 'score'} was "
        f"epoch {metrics.best_epoch}; batches of {settings['batch_size']}, AdamW, {rates}. "
        f"{metrics.texts_per_second:,.0f} texts a second, {metrics.seconds['total']:,.0f} s in all. "
        "The test rows were used only for the figures above."
    )
    if metrics.lambdas is not None:
        shares = ", ".join(f"{value:.3f}" for value in metrics.lambdas)
        how = ", both fixed" if metrics.combine == "frozen" else ""
        text += f" Layer weights λ (tokens first): {shares}; γ {metrics.gamma:.3f}{how}."
    kept = ", ".join(f"{package} {version}" for package, version in metrics.versions.items())
    return f"{text}\n\nVersions: {kept}. All settings: `training.yaml`; all figures: `metrics.json`."
