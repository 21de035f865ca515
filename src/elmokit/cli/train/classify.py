"""`elmo train classify`: a text classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from elmokit.cli.options import (
    CLEAN,
    COLUMNS,
    Combine,
    ConfigFile,
    Finetune,
    LayerCache,
    Overwrite,
    Quiet,
    Resume,
    Seed,
    TestFiles,
    Threads,
    ValidFiles,
    Vectors,
    files,
    parts,
    show_messages,
)


def classify(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of a classifier to go on from.")] = None,
    train: Annotated[
        list[str] | None, typer.Option(help="Training files (csv, tsv, jsonl, .gz) or a datasets name; F1,F2 or again.")
    ] = None,
    test: TestFiles = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the classifier to.")] = None,
    valid: ValidFiles = None,
    text_column: Annotated[str | None, typer.Option(help=f"Text: {COLUMNS}; 'title,body', '2-' (to last).")] = None,
    label_column: Annotated[str | None, typer.Option(help=f"Label: {COLUMNS}. [default: 1]")] = None,
    label_names: Annotated[Path | None, typer.Option(help="File with a name a line for the sorted labels.")] = None,
    valid_fraction: Annotated[float | None, typer.Option(help="Share of train for validation. [default: 0.05]")] = None,
    train_fraction: Annotated[float | None, typer.Option(help="Share of training rows to use. [default: 1]")] = None,
    clean: Annotated[str | None, typer.Option(help=f"{CLEAN} [default: the model's]")] = None,
    vectors: Vectors = None,
    max_words: Annotated[int | None, typer.Option(help="Longer texts are cut. [default: 128]")] = None,
    combine: Combine = None,
    finetune: Finetune = None,
    seed: Seed = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 20]")] = None,
    patience: Annotated[int | None, typer.Option(help="Epochs without gain before stopping. [default: 3]")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Texts a step. [default: 64]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of mix and head. [default: 0.001]")] = None,
    finetune_learning_rate: Annotated[float | None, typer.Option(help="Of the biLM. [default: 0.0001]")] = None,
    threads: Threads = None,
    cache: LayerCache = None,
    baseline: Annotated[bool | None, typer.Option("--baseline", help="Score TF-IDF + linear SVM too.")] = None,
    config: ConfigFile = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. head_dropout=0.5.")] = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Train a text classifier on a biLM's layers and measure it on test rows."""
    from elmokit.settings import load_settings
    from elmokit.tasks.classification.config import ClassifyConfig

    flags: dict[str, Any] = {
        "model": model,
        "train": files(train),
        "test": files(test),
        "valid": files(valid),
        "output": output,
        "text_column": text_column,
        "label_column": label_column,
        "label_names": label_names,
        "valid_fraction": valid_fraction,
        "train_fraction": train_fraction,
        "clean": parts(clean),
        "vectors": vectors,
        "max_words": max_words,
        "combine": combine,
        "finetune": finetune,
        "seed": seed,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "finetune_learning_rate": finetune_learning_rate,
        "threads": threads,
        "cache": cache,
        "baseline": baseline,
        "overwrite": overwrite or None,
        "resume": resume or None,
        "progress": False if quiet else None,
    }
    resolved = load_settings(ClassifyConfig, config, overrides=settings or [], **flags)
    show_messages(quiet=quiet)
    from elmokit.tasks.classification.training import train_classifier

    metrics = train_classifier(resolved)
    typer.echo(summary(metrics))
    typer.echo(f"written to {resolved.output}")


def summary(metrics: dict[str, Any]) -> str:
    """The scores as a small table."""
    rows = {split: metrics[split] for split in ("train", "validation", "test")}
    if "baseline" in metrics:
        rows["TF-IDF SVM"] = metrics["baseline"]["test"]
    lines = [f"{'':<12}{'rows':>8}  accuracy  macro F1"]
    for name, scores in rows.items():
        lines.append(f"{name:<12}{scores['rows']:>8,}  {scores['accuracy']:>8.4f}  {scores['macro']['f1']:>8.4f}")
    return "\n".join(lines)
