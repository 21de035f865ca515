"""`elmo train translate`: a translator."""

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
    Threads,
    Vectors,
    bleu_lines,
    files,
    show_messages,
)


def translate(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of a translator to go on from.")] = None,
    train_source: Annotated[
        list[str] | None, typer.Option(help="Sentences in the language of the biLM, one a line, also .gz.")
    ] = None,
    train_target: Annotated[list[str] | None, typer.Option(help="Their translations, line by line.")] = None,
    valid_source: Annotated[list[str] | None, typer.Option(help="Validation files; else train is split.")] = None,
    valid_target: Annotated[list[str] | None, typer.Option(help="Their translations.")] = None,
    test_source: Annotated[list[str] | None, typer.Option(help="Test files: for the report alone.")] = None,
    test_target: Annotated[list[str] | None, typer.Option(help="Their translations.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the translator to.")] = None,
    n_pieces: Annotated[int | None, typer.Option(help="Pieces of the target language. [default: 5000]")] = None,
    vectors: Vectors = None,
    max_words: Annotated[int | None, typer.Option(help="Longer sentences are not trained on. [default: 128]")] = None,
    combine: Combine = None,
    finetune: Finetune = None,
    seed: Seed = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 12]")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sentences a step. [default: 64]")] = None,
    threads: Threads = None,
    cache: LayerCache = None,
    config: ConfigFile = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. beam_size=10.")] = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Train a translator on a biLM's layers and measure it on test sentences."""
    from elmokit.settings import load_settings
    from elmokit.tasks.translation.config import TranslationConfig

    resolved = load_settings(
        TranslationConfig, config, overrides=settings or [], model=model, train_source=files(train_source),
        train_target=files(train_target), valid_source=files(valid_source), valid_target=files(valid_target),
        test_source=files(test_source), test_target=files(test_target), output=output, n_pieces=n_pieces,
        vectors=vectors, max_words=max_words, combine=combine, finetune=finetune, seed=seed, epochs=epochs,
        batch_size=batch_size, threads=threads, cache=cache, overwrite=overwrite or None, resume=resume or None,
        progress=False if quiet else None,
    )  # fmt: skip
    show_messages(quiet=quiet)
    from elmokit.tasks.translation.training import train_translator

    metrics = train_translator(resolved)
    typer.echo(bleu_lines(metrics["test"]))
    typer.echo(f"written to {resolved.output}")
