"""`elmo train tag`: named entities and chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elmokit.cli.options import (
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
    show_messages,
)


def tag(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of a tagger to go on from.")] = None,
    train: Annotated[
        list[str] | None, typer.Option(help="CoNLL files: a word a line with columns, a blank line between sentences.")
    ] = None,
    test: TestFiles = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the tagger to.")] = None,
    valid: ValidFiles = None,
    word_column: Annotated[int | None, typer.Option(help="From 1, or from the end with -1. [default: 1]")] = None,
    tag_column: Annotated[int | None, typer.Option(help="From 1, or from the end with -1. [default: -1]")] = None,
    vectors: Vectors = None,
    combine: Combine = None,
    finetune: Finetune = None,
    seed: Seed = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 20]")] = None,
    threads: Threads = None,
    cache: LayerCache = None,
    config: ConfigFile = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. head_dropout=0.5.")] = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Train a tagger (named entities, chunks) on a biLM's layers and measure it on test sentences."""
    from elmokit.settings import load_settings
    from elmokit.tasks.tagging.config import TagConfig

    resolved = load_settings(
        TagConfig, config, overrides=settings or [], model=model, train=files(train), test=files(test),
        valid=files(valid), output=output, word_column=word_column, tag_column=tag_column, vectors=vectors,
        combine=combine, finetune=finetune, seed=seed, epochs=epochs, threads=threads, cache=cache,
        overwrite=overwrite or None, resume=resume or None, progress=False if quiet else None,
    )  # fmt: skip
    show_messages(quiet=quiet)
    from elmokit.tasks.tagging.training import train_tagger

    metrics = train_tagger(resolved)
    typer.echo(f"{'':<12}sentences  precision  recall      F1")
    for split in ("train", "validation", "test"):
        scores = metrics[split]
        figures = f"{scores['precision']:>9.4f}  {scores['recall']:.4f}  {scores['f1']:.4f}"
        typer.echo(f"{split:<12}{scores['sentences']:>9,}  {figures}")
    typer.echo(f"written to {resolved.output}")
