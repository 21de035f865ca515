"""Rows of named values to a file, in the format that the ending of its name says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from elmokit.errors import ConfigError
from elmokit.text.formats import Kind, Write, format_of, written_endings
from elmokit.whole_files import replacing


def check_row_file(output: Path, *, overwrite: bool, flag: str = "--output", more: Sequence[str] = ()) -> None:
    """
    Raises:
        ConfigError: No format is known by the ending of `output` (`more` are endings that somebody else writes), it
            exists, or its folder does not.
    """
    endings = (*written_endings(), *more)
    if output.suffix not in endings:
        raise ConfigError(f"{flag} {output}: expected a name that ends in {', '.join(endings)}")
    if output.is_dir():
        raise ConfigError(f"{flag} {output} is a folder; expected the name of a file")
    if output.exists() and not overwrite:
        raise ConfigError(f"{flag} {output} exists: --overwrite replaces it")
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"the folder of {flag}, {output.absolute().parent}, does not exist")


@contextmanager
def writing_rows(output: Path, columns: Mapping[str, Kind]) -> Iterator[Write]:
    """What writes a row of `output`, its values in the order of `columns`; the file is there when the block ends well.

    In TSV and CSV the first row has the names, a cell is quoted with `"` where it needs it, and None and numbers that
    are not finite are empty; elsewhere these are null.
    """
    with replacing(output) as partial, format_of(output).write(partial, columns) as write:
        yield write
