"""`elmo train cove`: a translator's encoder as context vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def cove(
    model: Annotated[Path, typer.Option(help="Folder of a translator on static vectors.")],
    output: Annotated[Path, typer.Option(help="Folder to write the model to.")],
) -> None:
    """Keep a translator's encoder as context vectors (CoVe), for every command that reads a biLM."""
    from elmokit.tasks.translation.cove import save_cove

    save_cove(model, output)
    typer.echo(f"written to {output}")
