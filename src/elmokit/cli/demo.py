"""`elmo demo`: the whole chain on a synthetic corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("runs/demo"),
    seed: Annotated[int, typer.Option(help="Seed of the corpus and of all training.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier demo wrote there.")] = False,
) -> None:
    """Pretrain, classify, compare and draw on a synthetic corpus: offline, a few minutes on two cores."""
    from elmokit.demo.chain import run_demo

    run_demo(output, seed=seed, overwrite=overwrite)
