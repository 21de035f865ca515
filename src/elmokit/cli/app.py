"""The `elmo` command: names and help only. Each command imports what it needs when it runs."""

from __future__ import annotations

import atexit
import gc
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from elmokit.cli.errors import one_line_errors

OLD_SPELLINGS = {"pre-split": "pretokenized"}
"""Options by names they had before, which continue to work."""

COMMANDS = {
    "prepare": "Text to shards for pretraining.",
    "pretrain": "Train a biLM on text.",
    "evaluate": "Perplexity, or scores of a task.",
    "score": "Surprisal of every word.",
    "embed": "Write word vectors of a text.",
    "convert": "A model to another format.",
    "inspect": "Show a model's format, layers and sizes.",
    "train": "Train a task, or vectors.",
    "predict": "Apply a trained task model.",
    "compare": "Methods side by side.",
    "senses": "Uses of a word, grouped.",
    "probe": "What each layer knows.",
    "similarity": "Word similarity sets.",
    "oov": "Misspelt and unseen words.",
    "serve": "A page to explore vectors in.",
    "models": "List the bundled models.",
    "cache": "What is kept between runs.",
    "demo": "Try everything in minutes.",
    "info": "Versions, cores, threads.",
}
"""The commands, in the order of use, each with its line of help: NAME is the function of this name in `cli/NAME.py`."""


class Commands(TyperGroup):
    """The commands, with the errors a user can mend printed on one line."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of use."""
        return list(COMMANDS)

    def invoke(self, ctx: Any) -> Any:
        words = [*ctx._protected_args, *ctx.args]
        flag = "the same command with --resume continues from the last checkpoint, if one was written"
        ways = dict.fromkeys(("pretrain", "train", "embed"), flag)
        ways |= dict.fromkeys(("prepare", "compare"), "the same command continues")
        with one_line_errors(resume=ways.get(words[0] if words else "", "nothing half-written")):
            return super().invoke(ctx)


app = typer.Typer(
    cls=Commands,
    name="elmo",
    help="ELMo: pretrain bidirectional language models, embed text, train tasks.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: a third of the start-up time
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: OLD_SPELLINGS.get(name, name),
    },
)
for name, summary in COMMANDS.items():
    module = import_module(f"elmokit.cli.{name}")
    if name == "train":  # which has commands of its own
        app.add_typer(module.app, name=name, short_help=summary)
    else:
        app.command(name, short_help=summary)(getattr(module, name))


def show_version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        from importlib.metadata import version

        typer.echo(f"elmokit {version('elmokit')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """ELMo: pretrain bidirectional language models, embed text, train tasks."""


def main() -> None:
    """Entry point of the `elmo` command."""
    # As it ends, Python looks through all objects for garbage: 0.4 s with torch loaded. Frozen ones it leaves out.
    atexit.register(gc.freeze)
    app()
