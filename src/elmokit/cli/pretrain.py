"""`elmo pretrain`: train a bidirectional language model on text."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from elmokit.cli.inputs import check_files
from elmokit.cli.options import CLEAN, FORMATS, NOT_SAID, AlreadySplit, ConfigFile, Quiet, Reading, parts, reads_text
from elmokit.errors import ConfigError

if TYPE_CHECKING:
    from elmokit.settings import SettingValues


@reads_text
def pretrain(
    more: Annotated[list[str] | None, typer.Argument(metavar="[TRAIN]...", help="Further training files.")] = None,
    train: Annotated[list[str] | None, typer.Option(help=f"Training text: {FORMATS}.")] = None,
    corpus: Annotated[
        str | None, typer.Option(help="A corpus of elmo prepare, in place of --train and --valid.")
    ] = None,
    valid: Annotated[str | None, typer.Option(help="Held-out text, for perplexity and early stopping.")] = None,
    output: Annotated[
        str | None, typer.Option(help="Run folder: model, logs, checkpoints, settings; a path or an address.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="tiny, mini, small, medium, original or classic. [default: mini]")
    ] = None,
    from_model: Annotated[str | None, typer.Option("--from", help="Continue with this model on new text.")] = None,
    decay_from: Annotated[
        Path | None, typer.Option(help="Branch from the constant-rate run in this folder, decay and finish in OUTPUT.")
    ] = None,
    mode: Annotated[
        Literal["sentence", "stream"] | None, typer.Option(help="Independent sentences, or carried state.")
    ] = None,
    reading: Reading = NOT_SAID,
    pretokenized: AlreadySplit = None,
    clean: Annotated[str | None, typer.Option(help=CLEAN)] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 5]")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights, order and negative samples. [default: 13]")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads. [default: as measured or set outside]")] = None,
    config: ConfigFile = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, e.g. learning_rate=0.001 or model.cell_dim=256.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the interrupted run in OUTPUT.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUTPUT.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a bidirectional language model from characters.

    Every setting can also be given in the --config file; options override the file, and --set overrides both.
    """
    from elmokit.pretrain.config import PretrainConfig
    from elmokit.settings import load_settings

    if decay_from is not None and config is None:
        config = decay_from / "config.yaml"  # all settings of the other run; how this one begins is its own
        if not config.is_file():
            raise ConfigError(f"--decay-from {decay_from} contains no run of elmo pretrain: it has no config.yaml")
    values: SettingValues = {
        "train": [*(train or []), *(more or [])]
        or None,  # `--train *.txt`: the shell hands the others over as arguments
        "corpus": corpus,
        "valid": valid,
        "output": output,
        "preset": preset,
        "from_model": from_model,
        "decay_from": decay_from,
        "mode": mode,
        **asdict(reading),
        "pre_split": pretokenized,
        "normalize": parts(clean),
        "epochs": epochs,
        "seed": seed,
        "threads": threads,
        "resume": resume or (None if decay_from is None else False),
        "overwrite": overwrite or (None if decay_from is None else False),
    }
    resolved = load_settings(PretrainConfig, config, overrides=settings or [], **values)
    check_files(resolved.train, "--train")
    check_files([] if resolved.valid is None else [resolved.valid], "--valid")
    from elmokit.pretrain.loop import pretrain as run

    run(resolved, show_progress=not quiet)
    if not quiet and os.environ.get("RANK", "0") == "0":  # one of several processes speaks for all
        typer.echo(f"written to {resolved.copy_to or resolved.output}")
