"""`elmo train TASK`: one command for every row of the table of tasks, its options made from the task's settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from elmokit.cli.inputs import check_run
from elmokit.cli.options import ConfigFile, Quiet, parameter_for, show_messages, takes
from elmokit.tasks import TASKS

_OWN = ("config", "set", "quiet")


class TaskCommands(TyperGroup):
    """The tasks of the table, each made when it is asked for, and the commands that are registered here."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Tasks first."""
        return [*TASKS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """By name."""
        return task_command(cmd_name) if cmd_name in TASKS else super().get_command(ctx, cmd_name)


def task_command(name: str) -> Any:
    """The click command of a task."""
    from elmokit.cli.settings_options import given, options_of

    entry = TASKS[name]
    kind = entry.settings()

    def train(**values: Any) -> None:
        config, overrides, quiet = (values.pop(own) for own in _OWN)
        from elmokit.settings import load_settings

        if quiet:
            values["progress"] = False
        resolved = load_settings(kind, config, overrides=overrides or [], **given(kind, values))
        show_messages(quiet=quiet)
        start = check_run(resolved)
        from elmokit.tasks.run import run_task

        task = entry.load()
        metrics = run_task(task, resolved, start)
        if quiet:
            return
        typer.echo(task.summary(metrics))
        for note in metrics.notes:
            typer.echo(f"note: {note}")
        typer.echo(f"written to {resolved.output}")

    own: dict[str, Any] = {
        "config": ConfigFile,
        "set": Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, also for null: --set max_words=64.")],
        "quiet": Quiet,
    }
    more = [parameter_for(place, annotation, False if place == "quiet" else None) for place, annotation in own.items()]
    train.__name__, train.__doc__ = name, entry.summary
    takes(train, [*options_of(kind), *more])
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name)(train)
    return get_command(app)
