"""What a command reads is there: looked at before torch is imported, which takes longer than to say what is missing."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from elmokit.errors import DataError

if TYPE_CHECKING:
    from elmokit.saved_model import SavedModel
    from elmokit.tasks.config import HeadConfig


def check_files(names: Iterable[str | Path], option: str, *, or_data_sets: bool = False) -> None:
    """Raise DataError for the first path or glob that nothing is at; addresses are left to the reader.

    Args:
        names: As they were given.
        option: Where, for the message.
        or_data_sets: What cannot be a file may name a data set of `datasets`.
    """
    from elmokit.places import is_address
    from elmokit.text.containers import zip_of

    for name in names:
        if is_address(name) or Path(name).exists() or zip_of(name) is not None:
            continue
        if or_data_sets and not str(name).startswith((".", "/", "~")):
            from elmokit.tasks.classification.rows import is_file_name

            if not is_file_name(str(name)):
                continue
        if not any(mark in str(name) for mark in "*?["):
            raise DataError(f"{name} does not exist ({option})")
        if next(glob.iglob(str(name), recursive=True), None) is None:
            raise DataError(f"{name} matches no file ({option})")


def check_run(config: HeadConfig) -> SavedModel:
    """The opened model of a run of a task, whose files are there; raises DataError or ModelError."""
    from elmokit.saved_model import SavedModel
    from elmokit.settings import roles

    start = SavedModel.open(config.model)
    for name, role in roles(type(config)).items():
        given = getattr(config, name)
        if role.files and name != "model" and given is not None:
            option = f"--{name.replace('_', '-')}"
            check_files(
                given if isinstance(given, list) else [given],
                option,
                or_data_sets=config.reads_data_sets and isinstance(given, list),
            )
    return start
