"""`elmo train vectors`: static vectors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from elmokit.cli.options import (
    CLEAN,
    INPUT,
    NOT_SAID,
    AlreadySplit,
    ConfigFile,
    Quiet,
    Reading,
    files,
    parts,
    reads_text,
    show_messages,
)


@reads_text
def vectors(
    method: Annotated[
        Literal["svd", "cbow", "skipgram", "random"] | None, typer.Option(help="[default: skipgram]")
    ] = None,
    train: Annotated[list[str] | None, typer.Option(help=INPUT)] = None,
    output: Annotated[Path | None, typer.Option(help="File to write: .txt, .vec or .bin, also .gz.")] = None,
    reading: Reading = NOT_SAID,
    clean: Annotated[str | None, typer.Option(help=CLEAN)] = None,
    pretokenized: AlreadySplit = None,
    dim: Annotated[int | None, typer.Option(help="Size of a vector. [default: 256]")] = None,
    window: Annotated[int | None, typer.Option(help="Places to each side. [default: 4]")] = None,
    min_count: Annotated[int | None, typer.Option(help="Rarer words have no vector. [default: 3]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of cbow and skipgram. [default: 5]")] = None,
    seed: Annotated[int | None, typer.Option(help="[default: 1]")] = None,
    config: ConfigFile = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. negative=10.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train static word vectors: SVD of PPMI counts, CBOW or skip-gram."""
    from elmokit.settings import load_settings
    from elmokit.static.training import VectorsConfig, train_vectors

    resolved = load_settings(
        VectorsConfig,
        config,
        overrides=settings or [],
        method=method,
        train=files(train),
        output=output,
        **asdict(reading),
        normalize=parts(clean),
        pre_split=pretokenized,
        dim=dim,
        window=window,
        min_count=min_count,
        epochs=epochs,
        seed=seed,
        overwrite=overwrite or None,
        progress=False if quiet else None,
    )
    show_messages(quiet=quiet)
    found = train_vectors(resolved)
    if quiet:
        return
    typer.echo(f"{len(found):,} words, {found.dim} numbers each")
    typer.echo(f"written to {resolved.output}")
