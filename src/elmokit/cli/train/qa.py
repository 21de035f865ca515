"""`elmo train qa`: question answering."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from elmokit.cli.options import files, show_messages


def qa(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of such a model to go on from.")] = None,
    train: Annotated[list[str] | None, typer.Option(help="JSON files of SQuAD 1.1, also .gz.")] = None,
    test: Annotated[list[str] | None, typer.Option(help="Test files: for the report alone.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the model to.")] = None,
    valid: Annotated[list[str] | None, typer.Option(help="Validation files; else train is split.")] = None,
    train_fraction: Annotated[float | None, typer.Option(help="Share of training passages. [default: 1]")] = None,
    max_words: Annotated[int | None, typer.Option(help="Longer passages: in windows. [default: 400]")] = None,
    vectors: Annotated[Path | None, typer.Option(help="Static vectors beside the layers: .txt, .vec, .bin.")] = None,
    combine: Annotated[
        Literal["trainable", "frozen", "function"] | None, typer.Option(help="Layer mix. [default: trainable]")
    ] = None,
    finetune: Annotated[bool | None, typer.Option("--finetune/--frozen-bilm", help="Train the biLM too.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of split, head and order. [default: 1]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 20]")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads. [default: all]")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for computed layers. [default: ~/.cache/elmokit]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with any of these settings and more.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. head_dropout=0.5.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUTPUT.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run for OUTPUT.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
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
