"""A run that begins where another one stands: `decay_from`.

It gets the newest checkpoint of the other run and its corpus in a folder of its own, and then is a run that was
interrupted there. The other run is only read.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from accelerate import Accelerator

from elmokit.errors import ConfigError, DataError
from elmokit.pretrain.checkpoint import Checkpoints
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.setup import check_same, clear_folder

_OWN = frozenset({"decay_from", "decay_steps"})  # what such a run has of its own
_ATTEMPTS = 20


def check_branch(config: PretrainConfig, run: Path, accelerator: Accelerator) -> None:
    """Find out whether the run can be decayed, before any file is touched.

    Raises:
        ConfigError: There is no run with a checkpoint, its learning rate is not at the peak, or a setting differs that
            would make it another run.
    """
    checkpoints = Checkpoints(run / "checkpoints", accelerator)
    if run.resolve() == config.output.resolve():
        raise ConfigError(f"--decay-from and --output are the same folder {run}: the decay needs one of its own")
    if checkpoints.latest() is None:
        raise ConfigError(
            f"--decay-from {run} has no checkpoint; expected the folder of a run of elmo pretrain, "
            "which saves its first one after checkpoint_minutes"
        )
    check_same(config, run, option="--decay-from", may_change=_OWN)
    factor = checkpoints.facts().get("learning_rate_factor", 1.0)
    if factor != 1.0:
        raise ConfigError(
            f"--decay-from {run}: its learning rate is at {factor:.3f} of the peak; expected a run at its peak: "
            "schedule constant, or wsd, after the warm-up and before any decay"
        )


def branch_off(config: PretrainConfig, run: Path, accelerator: Accelerator) -> None:
    """Clear the output folder and bring the corpus and the newest checkpoint of the run into it, each in one move.

    Raises:
        DataError: The disk refuses.
    """
    try:
        clear_folder(config.output)
        corpus, partial = config.output / "corpus", config.output / "corpus.partial"
        for leftover in (corpus, partial):
            shutil.rmtree(leftover, ignore_errors=True)
        if (run / "corpus").is_dir():  # else it is made again from the text
            shutil.copytree(run / "corpus", partial, copy_function=_link_or_copy)
            partial.rename(corpus)
        _copy_newest(Checkpoints(run / "checkpoints", accelerator), config.output / "checkpoints")
    except OSError as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
        raise DataError(f"cannot copy the run {run} to {config.output}: {reason}") from error


def _copy_newest(source: Checkpoints, folder: Path) -> None:
    """The other run may replace its checkpoint at any time: a copy counts only if that was still the newest at its end.

    A checkpoint is removed after the next one is in place, so that until then it was whole.
    """
    for _ in range(_ATTEMPTS):
        newest = source.latest()
        if newest is None:
            break
        partial = folder / f"{newest.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            shutil.copytree(newest, partial)
        except OSError:
            if source.latest() == newest:
                raise
            continue
        if source.latest() == newest:
            partial.rename(folder / newest.name)
            return
    raise DataError(f"{source.folder} changes faster than it can be copied: raise checkpoint_minutes of that run")


def _link_or_copy(source: str, target: str) -> None:
    """The files of a corpus are never written to again, so that two folders may share them."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
