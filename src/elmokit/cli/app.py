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


class Commands(TyperGroup):
    """The commands, with the errors a user can mend printed on one line."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of use."""
        return [
            "prepare",
            "pretrain",
            "evaluate",
            "score",
            "embed",
            "convert",
            "inspect",
            "train",
            "predict",
            "compare",
            "senses",
            "probe",
            "similarity",
            "oov",
            "serve",
            "models",
            "cache",
            "demo",
            "info",
        ]

    def invoke(self, ctx: Any) -> Any:
        words = [*ctx._protected_args, *ctx.args]
        flag = "the same command with --resume continues from the last checkpoint, if one was written"
        ways = {
            "pretrain": flag,
            "train": flag,
            "embed": flag,
            "prepare": "the same command continues",
            "compare": "the same command continues",
        }
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
app.command("prepare", short_help="Text to shards for pretraining.")(prepare.prepare)
app.command("pretrain", short_help="Train a biLM on text.")(pretrain.pretrain)
app.command("evaluate", short_help="Perplexity, or scores of a task.")(evaluate.evaluate)
app.command("score", short_help="Surprisal of every word.")(score.score)
app.command("embed", short_help="Write word vectors of a text.")(embed.embed)
app.command("convert", short_help="A model to another format.")(convert.convert)
app.command("inspect", short_help="Show a model's format, layers and sizes.")(inspect.inspect)
app.add_typer(train.app, name="train", short_help="Train a task, or vectors.")
app.command("predict", short_help="Labels, spans, answers …")(predict.predict)
app.command("compare", short_help="Methods side by side.")(compare.compare)
app.command("senses", short_help="Uses of a word, grouped.")(senses.senses)
app.command("probe", short_help="What each layer knows.")(probe.probe)
app.command("similarity", short_help="Word similarity sets.")(similarity.similarity)
app.command("oov", short_help="Misspelt and unseen words.")(oov.oov)
app.command("serve", short_help="A page to explore vectors in.")(serve.serve)
app.command("models", short_help="Models that come with it.")(models.models)
app.command("cache", short_help="What is kept between runs.")(cache.cache)
app.command("demo", short_help="The whole chain, a few minutes.")(demo.demo)
app.command("info", short_help="Versions, cores, threads.")(info.info)


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
