"""The `elmo` command: names and help only. Each command imports what it needs when it runs."""

from __future__ import annotations

import atexit
import gc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from elmokit.cli import (
    cache,
    compare,
    convert,
    demo,
    embed,
    evaluate,
    info,
    inspect,
    models,
    oov,
    predict,
    prepare,
    pretrain,
    probe,
    score,
    senses,
    serve,
    similarity,
    train,
)
from elmokit.cli.errors import one_line_errors

OLD_SPELLINGS = {"pre-split": "pretokenized"}
"""Options by names they had before, which continue to work."""

COMMANDS: dict[str, tuple[Any, str]] = {
    "prepare": (prepare.prepare, "Text to shards for pretraining."),
    "pretrain": (pretrain.pretrain, "Train a biLM on text."),
    "evaluate": (evaluate.evaluate, "Perplexity, or scores of a task."),
    "score": (score.score, "Surprisal of every word."),
    "embed": (embed.embed, "Write word vectors of a text."),
    "convert": (convert.convert, "A model to another format."),
    "inspect": (inspect.inspect, "Show a model's format, layers and sizes."),
    "train": (train.app, "Train a task, or vectors."),
    "predict": (predict.predict, "Labels, spans, answers …"),
    "compare": (compare.compare, "Methods side by side."),
    "senses": (senses.senses, "Uses of a word, grouped."),
    "probe": (probe.probe, "What each layer knows."),
    "similarity": (similarity.similarity, "Word similarity sets."),
    "oov": (oov.oov, "Misspelt and unseen words."),
    "serve": (serve.serve, "A page to explore vectors in."),
    "models": (models.models, "Models that come with it."),
    "cache": (cache.cache, "What is kept between runs."),
    "demo": (demo.demo, "The whole chain, a few minutes."),
    "info": (info.info, "Versions, cores, threads."),
}
"""Each command, or app of commands, with its line of help."""


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
for name, (command, summary) in COMMANDS.items():
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, short_help=summary)
    else:
        app.command(name, short_help=summary)(command)


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
