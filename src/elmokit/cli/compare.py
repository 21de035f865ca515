"""`elmo compare`: methods side by side, from a config to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elmokit.cli.options import show_messages


def compare(
    config: Annotated[Path, typer.Option(help="YAML file of the study; configs/compare.yaml explains the settings.")],
    output: Annotated[Path | None, typer.Option(help="Folder of the report, over that of the file.")] = None,
    processes: Annotated[int | None, typer.Option(help="Trainings at a time. [default: one a core]")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. classifier.epochs=2.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the table alone.")] = False,
) -> None:
    """Train every row of a study with every seed, and write a report. What is done already is not done again."""
    from elmokit.experiments.config import CompareConfig
    from elmokit.settings import load_settings

    resolved = load_settings(
        CompareConfig, config, overrides=settings or [], output=output, processes=processes,
        progress=False if quiet else None,
    )  # fmt: skip
    show_messages(quiet=quiet)
    from elmokit.experiments.study import run_study

    study = run_study(resolved)
    width = max(len(row["name"]) for row in study["rows"])
    typer.echo(f"{'':<{width}}  test accuracy  95 % interval     macro F1")
    for row in study["rows"]:
        if not row["metrics"]:
            typer.echo(f"{row['name']:<{width}}  {'—':>13}  {row.get('failed', '')}")
            continue
        accuracy, f1 = row["metrics"]["test"]["accuracy"], row["metrics"]["test"]["f1"]
        spread = "one seed" if accuracy["low"] is None else f"{accuracy['low']:.4f}–{accuracy['high']:.4f}"
        typer.echo(f"{row['name']:<{width}}  {accuracy['mean']:>13.4f}  {spread:<16}  {f1['mean']:>8.4f}")
    typer.echo(f"written to {resolved.output / 'report.html'}")
