"""CSV, TSV and their relatives: how a table is written shows in it, and its rows become records."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from elmokit.errors import ConfigError, DataError
from elmokit.text.columns import chosen_ranges, taken
from elmokit.text.files import SourceStats
from elmokit.text.headers import has_header
from elmokit.text.records import FileOptions, Record, Source

log = logging.getLogger(__name__)

Quoting = Literal["doubled", "backslash", "none"]

_LONGEST_FIELD = 1 << 26  # characters of a CSV field; a quote left open would otherwise take in the whole file
_SAMPLE_LINES, _SAMPLE_CHARACTERS = 20_000, 1 << 23
_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_QUOTES: dict[str, Quoting] = {'"': "doubled", "\\": "backslash", "none": "none"}
_NAMES_OF_QUOTING = {quoting: name for name, quoting in _QUOTES.items()}


@dataclass(frozen=True)
class Dialect:
    r"""How the fields of a table are parted and quoted.

    Attributes:
        delimiter: Between two fields.
        quoting: A field in `"` holds `"` as `""` ("doubled") or as `\"` ("backslash"); or `"` is a letter ("none").
    """

    delimiter: str
    quoting: Quoting = "doubled"

    def reader(self, lines: Iterable[str]) -> Any:
        """A `csv.reader`."""
        csv.field_size_limit(_LONGEST_FIELD)
        if self.quoting == "none":
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        if self.quoting == "doubled":
            return csv.reader(lines, delimiter=self.delimiter)
        # One that escapes nothing, as in C:\dir; pairs are passed over.
        lone_backslash = re.compile(rf'(?<!\\)((?:\\\\)*)\\(?=[^"\\{re.escape(self.delimiter)}]|$)')
        escaped = (lone_backslash.sub(r"\\\\", line) for line in lines)
        return csv.reader(escaped, delimiter=self.delimiter, doublequote=False, escapechar="\\")

    def options(self, others: FileOptions) -> FileOptions:
        """Options that say so, with what `others` say of everything else."""
        return replace(others, delimiter=self.delimiter, quote=_NAMES_OF_QUOTING[self.quoting])

    @cached_property
    def _row(self) -> re.Pattern[str]:
        """A row that is quoted as it should be; `"` inside a field that is not quoted is a letter."""
        mark = re.escape(self.delimiter)
        inside = r'[^"\\]|\\.' if self.quoting == "backslash" else r'[^"]|""'
        plain = rf'[^"{mark}\n][^{mark}\n]*+'
        if self.quoting == "backslash":
            plain = rf'(?:[^"{mark}\r\n\\]|\\.)(?:[^{mark}\r\n\\]|\\.)*+'
        field = rf'(?:"(?:{inside})*+"|(?:{plain})?)'
        return re.compile(rf"({field}(?:{mark}{field})*+)(?:\r?\n|\r?\Z)", re.DOTALL)

    def is_well_formed(self, text: str) -> bool:
        """Whether a row, without its line end, is quoted as it should be."""
        return '"' not in text or self.quoting == "none" or self._row.fullmatch(text) is not None

    def rows_of(self, text: str) -> tuple[list[str], int]:
        """The rows of a text unchanged, and how many lines are not quoted as they should be."""
        found, odd, place = [], 0, 0
        while place < len(text):
            match = self._row.match(text, place)
            if match is None or match.end() == place:
                odd += match is None
                place = text.find("\n", place) + 1 or len(text)
            else:
                found.append(match[1])
                place = match.end()
        return found, odd


def read_csv(source: Source) -> Iterator[Record]:
    """A record for each row below the header of a file whose columns are separated by commas, if by nothing else."""
    return _read_table(source, ",")


def read_tsv(source: Source) -> Iterator[Record]:
    """The same, by tabs."""
    return _read_table(source, "\t")


def _read_table(source: Source, usual: str) -> Iterator[Record]:
    sample, whole = _sample(source)
    dialect = dialect_of(source.path, sample, whole=whole, usual=usual, options=source.options)
    first_rows = _rows_of_sample(dialect, sample, whole=whole)
    if not first_rows:
        return
    first = first_rows[0]
    header = has_header(source.path, first_rows, source.columns, said=source.options.header)
    ranges = chosen_ranges(source.path, first, source.columns, header=header)
    lone = not header and len(first) == 1 and all(column.asked is None for column in source.columns)
    stops = [stop for places in ranges.values() for _, stop in places]
    reach = None if None in stops else len(first)  # `2-` takes all there are
    names: list[str] = []  # a name for each column, no two alike
    for place, cell in enumerate(first, 1):
        name = cell.strip() if header else ""
        names.append(name if name and name not in names else f"column_{place}")
    for number, (line, row) in enumerate(table_rows(source.path, source.lines(), dialect, source.stats)):
        if number == 0 and header:
            continue
        if header and row == first:
            source.stats.repeated_headers += 1
            continue
        if lone and len(row) > 1:  # a comma of the text
            row = [dialect.delimiter.join(row)]
        source.stats.long_rows += reach is not None and any(cell.strip() for cell in row[reach:])
        try:
            fields = {name: taken(row, places) for name, places in ranges.items()}
        except IndexError:
            source.stats.short_rows += bool(row)
            source.stats.blank += not row
            yield source.record(line, {}, row=partial(_whole, names, row))
            continue
        for cell in fields.values():
            if cell.startswith(("['", '["')) and cell.endswith(("']", '"]')):  # neither text nor a label
                raise DataError(
                    f"{source.path} line {line}: {cell[:40]!r} is a list as Python writes it; expected text (for lists "
                    "of words write JSON lines)"
                )
        yield source.record(line, dict(fields), row=partial(_whole, names, row))


def dialect_of_file(file: Path, *, usual: str, options: FileOptions) -> Dialect:
    """How a whole file is written, as `read_csv` and `read_tsv` find it.

    Raises:
        ConfigError: An option is not what it can be.
        DataError: The file cannot be read.
    """
    sample, whole = _sample(Source(file, (), options))
    return dialect_of(file, sample, whole=whole, usual=usual, options=options)


def _whole(names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    return dict(zip(names, [*row, *[""] * (len(names) - len(row))], strict=False))


def _sample(source: Source) -> tuple[list[str], bool]:
    """The first lines, enough to see how the table is written, and whether these are all."""
    lines: list[str] = []
    size = 0
    for line in islice(source.lines(stats=SourceStats()), _SAMPLE_LINES):
        lines.append(line)
        size += len(line)
        if size > _SAMPLE_CHARACTERS:
            return lines, False
    return lines, len(lines) < _SAMPLE_LINES


def _rows_of_sample(dialect: Dialect, sample: Sequence[str], *, whole: bool) -> list[list[str]]:
    """The rows up to the first that cannot be read: reading the file tells of it."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for row in dialect.reader(sample):
            if row:
                rows.append(row)
    return rows if whole else rows[:-1] or rows  # the last one may be cut


def dialect_of(path: Path, sample: Sequence[str], *, whole: bool, usual: str, options: FileOptions) -> Dialect:
    """How a table is written, by its first lines.

    Columns are separated by the `usual` character, unless that gives rows of different lengths and another one rows of
    one length. In a comma-separated file `"` quotes; in others it does where every `"` fits that: such files seldom
    quote, and a lone one is a letter.

    Raises:
        ConfigError: An option is not what it can be.
    """
    if options.quote is not None and options.quote not in _QUOTES:
        raise ConfigError(rf"--quote {options.quote}: expected \" or \\ (for \" with \\\" inside) or none")
    text = "".join(sample)
    delimiter = usual
    if options.delimiter is not None:
        delimiter = options.delimiter.replace("\\t", "\t").replace("tab", "\t")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise ConfigError(f"--delimiter {options.delimiter}: expected one character, or tab")
    elif _length(usual, sample, whole=whole)[0] <= 1:
        lengths = {mark: _length(mark, sample, whole=whole) for mark in _NAMES if mark != usual}
        found = [mark for mark, (columns, rows) in lengths.items() if columns > 1 and rows > 1]
        if len(found) == 1:
            (delimiter,) = found
            log.info("%s: the columns are separated by %s (--delimiter)", path, _NAMES[delimiter])
    quoting = _QUOTES[options.quote] if options.quote else _quoting(path, text, delimiter)
    return Dialect(delimiter, quoting)


def _length(delimiter: str, sample: Sequence[str], *, whole: bool) -> tuple[int, int]:
    """The number of columns that all rows have with this delimiter, 0 where they differ; and the number of rows."""
    for quoting in ("doubled", "none"):
        dialect = Dialect(delimiter, quoting)
        counts = Counter(len(row) for row in _rows_of_sample(dialect, sample, whole=whole))
        if len(counts) == 1:
            return next(iter(counts.items()))
    return 0, 0


def _quoting(path: Path, text: str, delimiter: str) -> Quoting:
    if '"' not in text:
        return "doubled" if delimiter == "," else "none"
    rows, odd = Dialect(delimiter).rows_of(text)
    escaped = '\\"' in text and Dialect(delimiter, "backslash").rows_of(text)[1] == 0
    if odd == 0 and delimiter == "," and not escaped:
        return "doubled"
    lone, quoted = False, 0  # whether a `"` is inside a field without quotes; rows with a field that needs its quotes
    for row in rows:
        fields = _fields(row, delimiter) if '"' in row else []
        lone = lone or any('"' in field and not field.startswith('"') for field in fields)
        inner = [field[1:-1] for field in fields if field.startswith('"')]
        quoted += any(letter in field for field in inner for letter in ('"', delimiter, "\n", "\r"))
    if odd == 0 and not lone:
        # Every row is as a program writes it: a field that needs quotes has them, or all that are text have.
        fields = [] if quoted else [field for row in rows for field in _fields(row.rstrip("\r"), delimiter)]
        plain = any(not field.startswith('"') and re.search(r"[^\d.+\-eE]", field) for field in fields)
        if delimiter == "," or not plain:
            return "doubled"
    if escaped:
        log.info('%s: quotation marks are written as \\" (--quote)', path)
        return "backslash"
    if delimiter == "," or quoted == 0:
        return "doubled" if delimiter == "," else "none"
    log.warning(
        '%s: %d rows look quoted, but %d lines have an unpaired ": all quotes are read as plain characters; '
        "--quote '\"' or --quote none says how to read them",
        path,
        quoted,
        odd,
    )
    return "none"


def _fields(row: str, delimiter: str) -> list[str]:
    mark = re.escape(delimiter)
    return re.findall(rf'(?:\A|{mark})("(?:[^"]|"")*"|[^{mark}]*)', row)


def table_rows(
    path: Path, lines: Iterable[str], dialect: Dialect, stats: SourceStats | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Rows of a table from the first that is not blank, each behind the line it begins in.

    A quote left open is a `DataError`.
    """
    stats = SourceStats() if stats is None else stats
    held: list[str] = []  # the lines of a row

    def watched() -> Iterator[str]:
        for line in lines:
            held.append(line)
            yield line

    rows = dialect.reader(watched())
    start = 0  # lines before the row
    seen = False
    try:
        for row in rows:
            text = "".join(held).rstrip("\r\n")
            if not dialect.is_well_formed(text):
                if len(held) > 1:
                    raise DataError(
                        f"{path} line {start + 1}: unclosed quote (--quote none reads quotes as plain characters)"
                    )
                stats.odd_quotes += 1
            held.clear()
            line, start = start + 1, rows.line_num
            seen = seen or bool(row)
            if seen:
                yield line, row
    except csv.Error as error:
        raise DataError(f"{path} line {start + 1}: {error}; is a quote left open?") from error
