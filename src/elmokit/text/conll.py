"""Files of the CoNLL shared tasks: a word a line with its columns, an empty line between sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from elmokit.errors import DataError
from elmokit.text.columns import Column
from elmokit.text.conllu import conllu_sentences, is_conllu, read_conllu
from elmokit.text.files import SourceStats, counted, expand_paths
from elmokit.text.formats import format_of
from elmokit.text.records import FileOptions, Record, Source
from elmokit.text.tagged_rows import tagged_rows
from elmokit.text.word_columns import PlacedSentence, Rows

_SPACE = " \t"  # a no-break space is a letter of a word
_BETWEEN = re.compile(r"[ \t]+")


def read_conll(paths: str | Path | Iterable[str | Path], *, stats: SourceStats | None = None) -> Iterator[Rows]:
    """Sentences of `paths` (globs too, also packed), each a list of words with their columns.

    Columns are separated by tabs where a line has tabs, else by spaces; spaces around them do not count. Lines of
    `-DOCSTART-` are no sentences, and comments (`# id = 5`) before the first word of one are passed over. A file whose
    words have an id and ten columns is CoNLL-U, whatever its name; JSON, Parquet and Arrow files have rows of lists.

    Raises:
        DataError: A file is missing, no text, or its lines differ in the number of columns or end with a lone CR.
    """
    return (sentence.rows for sentence in read_placed(paths, stats=stats))


def read_placed(
    paths: str | Path | Iterable[str | Path], *, stats: SourceStats | None = None, encoding: str | None = None
) -> Iterator[PlacedSentence]:
    """`read_conll`, with the place of every sentence."""
    begun = 0
    with counted(stats) as stats:
        for path in expand_paths(paths):
            stats.files += 1
            source = Source(path, [Column()], FileOptions(encoding=encoding), stats)
            lists = format_of(path).has_lists
            sentences = tagged_rows if lists else conllu_sentences if is_conllu(source) else _sentences
            for sentence in sentences(source, document=begun):
                yield sentence
                begun = sentence.document + 1


def read_conll_words(source: Source) -> Iterator[Record]:
    """A record for each sentence: its words, from the first column or that of `--column`.

    Where the first column numbers the words, as in files of CoNLL-X and later, they are in the second one. What is
    CoNLL-U is read as such.
    """
    asked = source.columns[0].asked
    if asked is None and is_conllu(source):
        yield from read_conllu(source)
        return
    for sentence in _sentences(source, document=0):
        first = [row[0] for row in sentence.rows]
        numbered = len(sentence.rows[0]) > 1 and first == [str(number) for number in range(1, len(first) + 1)]
        place = int(asked) if asked and asked.isdecimal() else 2 if numbered else 1
        if not 1 <= place <= len(sentence.rows[0]) or (asked and not asked.isdecimal()):
            raise DataError(
                f"{source.path} line {sentence.line} has {len(sentence.rows[0])} columns, no column {asked}: choose "
                f"by number with {source.columns[0].flag}"
            )
        yield source.text(sentence.line, [row[place - 1] for row in sentence.rows])


def _sentences(source: Source, *, document: int) -> Iterator[PlacedSentence]:
    """The sentences of a file; `document` is the number of what stands before its first `-DOCSTART-`."""
    path = source.path
    rows: Rows = []
    lines: list[int] = []
    expected: int | None = None
    held: list[tuple[int, str]] = []  # lines before a sentence that may be comments
    for number, line in enumerate(source.lines(), 1):
        line = line.strip("\r\n")
        if "\r" in line:
            raise DataError(rf"{path} line {number}: expected lines that end with \n or \r\n, got {line[:60]!r}")
        border = line.startswith("-DOCSTART-")
        if border or not line.strip():
            rows, lines = _with_held(held, rows, lines, expected)
            if rows:
                yield PlacedSentence(rows, path, lines, document)
            rows, lines = [], []
            document += border
            continue
        if line.startswith("#") and not rows:
            held.append((number, line))
            continue
        expected = expected or len(_columns(line))
        rows, lines = _with_held(held, rows, lines, expected)
        fields = _columns(line)
        if len(fields) != expected:
            raise DataError(f"{path} line {number}: expected {expected} columns as before, got {line[:60]!r}")
        rows.append(fields)
        lines.append(number)
    rows, lines = _with_held(held, rows, lines, expected)
    if rows:
        yield PlacedSentence(rows, path, lines, document)


def _columns(line: str) -> list[str]:
    if "\t" in line:
        return [field.strip(_SPACE) for field in line.split("\t")]
    return _BETWEEN.split(line.strip(_SPACE))


def _with_held(
    held: list[tuple[int, str]], rows: Rows, lines: list[int], expected: int | None
) -> tuple[Rows, list[int]]:
    """The words among lines that begin with `#` before the others of a sentence, and the lines of all.

    They have as many columns as all words. `# id = 5` is a comment, also where a word has four columns.
    """
    words = [
        (number, fields)
        for number, line in held
        if len(fields := _columns(line)) == (expected or 0)
        and fields[0] == "#" * len(fields[0])
        and fields[1:2] != ["="]
        and "=" not in fields[2:3]
    ]
    held.clear()
    return [fields for _, fields in words] + rows, [number for number, _ in words] + lines
