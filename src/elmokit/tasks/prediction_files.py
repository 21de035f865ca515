"""Predictions to a table: the columns and the id of each input, and behind them what the model says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from elmokit.text.formats import Kind, Write, format_of
from elmokit.text.row_files import writing_rows
from elmokit.whole_files import json_text

WritePrediction = Callable[[Mapping[str, Any] | None, Mapping[str, Any]], None]
"""Takes the input's own columns (None: a blank line of a file with columns), and what `Predictor.record` gives."""


@contextmanager
def writing_predictions(output: Path) -> Iterator[WritePrediction]:
    """What writes a row: the input's own columns, and the prediction.

    The first row that is no blank line decides the columns. A prediction whose name the input has already is called
    `predicted_…`. Lists and objects stay as they are in JSON lines, and are JSON elsewhere. The file is there when the
    block ends without an error.
    """
    keeps_lists = format_of(output).keeps_lists
    with ExitStack() as stack:
        names: list[str] = []
        found: list[str] = []
        opened: list[Write] = []
        blank: list[Mapping[str, Any]] = []  # before the first row

        def write(given: Mapping[str, Any] | None, record: Mapping[str, Any]) -> None:
            if not opened and given is None:
                blank.append(record)
                return
            if not opened:
                names.extend(given or ())
                found.extend(record)
                columns: dict[str, Kind] = dict.fromkeys(names, "any")
                columns |= {f"predicted_{name}" if name in names else name: "any" for name in found}
                opened.append(stack.enter_context(writing_rows(output, columns)))
                for each in blank:
                    write({}, each)
            values = [*((given or {}).get(name) for name in names), *(record.get(name) for name in found)]
            if not keeps_lists:
                values = [json_text(value) if isinstance(value, list | tuple | dict) else value for value in values]
            opened[0](values)

        yield write
