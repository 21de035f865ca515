"""`elmo train`: a task head on a pretrained biLM, or static vectors to compare it with."""

from __future__ import annotations

import typer

from elmokit.cli.train import classify, cove, qa, tag, translate, vectors

app = typer.Typer(help="Train a task on top of a biLM, or static vectors.", no_args_is_help=True, rich_markup_mode=None)
app.command("classify")(classify.classify)
app.command("tag")(tag.tag)
app.command("qa")(qa.qa)
app.command("translate")(translate.translate)
app.command("cove")(cove.cove)
app.command("vectors")(vectors.vectors)


@app.callback()
def tasks() -> None:
    """Train a task on top of a biLM, or static vectors."""
