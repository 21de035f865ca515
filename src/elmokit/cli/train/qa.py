"""`elmo train qa`: question answering."""

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


def qa(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of such a model to go on from.")] = None,
    train: Annotated[list[str] | None, typer.Option(help="JSON files of SQuAD 1.1, also .gz.")] = None,
    test: TestFiles = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the model to.")] = None,
    valid: ValidFiles = None,
    train_fraction: Annotated[float | None, typer.Option(help="Share of training passages. [default: 1]")] = None,
    max_words: Annotated[int | None, typer.Option(help="Longer passages: in windows. [default: 400]")] = None,
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
    """Train question answering (SQuAD 1.1) on a biLM's layers and measure it on test questions."""
    from elmokit.settings import load_settings
    from elmokit.tasks.question_answering.config import QuestionAnsweringConfig

    resolved = load_settings(
        QuestionAnsweringConfig, config, overrides=settings or [], model=model, train=files(train), test=files(test),
        valid=files(valid), output=output, train_fraction=train_fraction, max_words=max_words, vectors=vectors,
        combine=combine, finetune=finetune, seed=seed, epochs=epochs, threads=threads, cache=cache,
        overwrite=overwrite or None, resume=resume or None, progress=False if quiet else None,
    )  # fmt: skip
    show_messages(quiet=quiet)
    from elmokit.tasks.question_answering.training import train_question_answerer

    metrics = train_question_answerer(resolved)
    typer.echo(f"{'':<12}questions  exact match      F1")
    for split in ("train", "validation", "test"):
        scores = metrics[split]
        typer.echo(f"{split:<12}{scores['questions']:>9,}  {scores['exact_match']:>11.2f}  {scores['f1']:>6.2f}")
    typer.echo(f"written to {resolved.output}")
