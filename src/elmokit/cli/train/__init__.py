"""`elmo train`: a task head on a pretrained biLM, or static vectors to compare it with."""

from __future__ import annotations

import typer

from elmokit.cli.train import cove, vectors
from elmokit.cli.train.task_command import TaskCommands

app = typer.Typer(
    cls=TaskCommands,
    help="Train a task on top of a biLM, or static vectors.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("cove")(cove.cove)
app.command("vectors")(vectors.vectors)


@app.callback()
def tasks() -> None:
    """Train a task on top of a biLM, or static vectors."""
