"""`elmo compare`: methods side by side, from a config to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elmokit.cli.options import show_messages


def compare(
    config: Annotated[
        Path, typer.Option(help="YAML file of the comparison; configs/compare.yaml explains the settings.")
    ],
    output: Annotated[Path | None, typer.Option(help="Folder of the report, over that of the file.")] = None,
    processes: Annotated[int | None, typer.Option(help="Runs at a time. [default: one per core]")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. settings.epochs=2.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only the table.")] = False,
) -> None:
    """Train every row of a comparison with every seed, and write a report. Finished runs are not repeated."""
    from elmokit.experiments.config import CompareConfig
    from elmokit.settings import load_settings

    resolved = load_settings(
        CompareConfig,
        config,
        overrides=settings or [],
        output=output,
        processes=processes,
        progress=False if quiet else None,
    )
    show_messages(quiet=quiet)
    from elmokit.experiments.study import run_study

    study = run_study(resolved)
    places = 2 if study["highest"] == 100 else 4
    width = max(len(row["name"]) for row in study["rows"])
    figure, other = study["figure"], "f1" if study["figure"] == "accuracy" and study["task"] == "classify" else None
    head = f"{'':<{width}}  {f'test {figure}':>13}  {'95 % interval':<16}"
    typer.echo(f"{head}  {'macro F1':>8}" if other else head.rstrip())
    for row in study["rows"]:
        if not row["metrics"]:
            typer.echo(f"{row['name']:<{width}}  {'—':>13}  {row.get('failed', '')}")
            continue
        score, spread = row["metrics"]["test"][figure], "one seed"
        if score["low"] is not None:
            spread = f"{score['low']:.{places}f}–{score['high']:.{places}f}"
        elif "over_rows" in row:
            spread = f"{row['over_rows']['low']:.{places}f}–{row['over_rows']['high']:.{places}f} (test rows)"
        line = f"{row['name']:<{width}}  {score['mean']:>13.{places}f}  {spread:<16}"
        typer.echo(f"{line}  {row['metrics']['test'][other]['mean']:>8.{places}f}" if other else line.rstrip())
    for gain in study["gains"]:
        between = (
            "" if gain["low"] is None else f" ({gain['low']:+.{places}f} to {gain['high']:+.{places}f}, {gain['over']})"
        )
        typer.echo(f"{gain['row']} over {gain['baseline']}: {gain['mean']:+.{places}f}{between}")
    typer.echo(f"written to {resolved.output / 'report.html'}")
