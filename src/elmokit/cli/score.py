"""`elmo score`: the surprisal of every word of a text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from elmokit.cli.options import (
    INPUT,
    NOT_SAID,
    Overwrite,
    Pretokenized,
    Quiet,
    Reading,
    Threads,
    bound_memory,
    reads_text,
    show_messages,
)
from elmokit.text.formats import written_endings


@reads_text
def score(
    model: Annotated[str, typer.Argument(help="Folder of elmo pretrain, or a model that comes with the package.")],
    source: Annotated[str, typer.Argument(metavar="SRC", help=INPUT)],
    output: Annotated[Path, typer.Option(help=f"File to write: {', '.join(written_endings())}.")],
    reading: Reading = NOT_SAID,
    pretokenized: Pretokenized = None,
    state: Annotated[
        Literal["zero", "warm"] | None,
        typer.Option(help="Where sentences start. [default: warm if the model has a warm state, else zero]"),
    ] = None,
    threads: Threads = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Write the surprisal of each word of SRC in bits: forward, backward, and the mean of both.

    A row per word: sentence and position (from 0), word, start and end in the text, known (whether the vocabulary has
    it; other words are scored as <UNK>), forward, backward, both.
    """
    from elmokit.interop.recognise import refuse_nothing
    from elmokit.text.files import expand_paths
    from elmokit.text.formats import reader_of
    from elmokit.text.row_files import check_row_file

    show_messages(quiet=quiet)
    bound_memory()
    check_row_file(output, overwrite=overwrite)  # as the input: neither should wait for the model
    for path in expand_paths(source):
        reader_of(path)
    refuse_nothing(model)
    from elmokit.encode.encoder import Encoder
    from elmokit.encode.score_file import ScoreSettings, score_file

    settings = ScoreSettings(source, output, reading.column, reading.files(), pretokenized, threads)
    found = score_file(Encoder.from_pretrained(model, state=state), settings, overwrite=overwrite, progress=not quiet)
    if not quiet:
        rate = found.words / max(found.seconds, 1e-9)
        typer.echo(
            f"{found.sentences:,} sentences, {found.words:,} words, {found.unknown:,} of them unknown, "
            f"{rate:,.0f} words/s",
            err=True,
        )
        typer.echo(f"written to {output}")
