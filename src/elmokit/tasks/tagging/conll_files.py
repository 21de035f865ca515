"""What a tagger found as files of columns: next to what was right, or next to the columns of the file that it read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from elmokit.errors import DataError
from elmokit.tasks.inputs.streams import in_chunks
from elmokit.tasks.tagging.schemes import converted
from elmokit.text.columns import Column
from elmokit.text.conll import read_placed
from elmokit.text.conllu import NAMES, is_conllu
from elmokit.text.records import FileOptions, Source
from elmokit.text.word_columns import PlacedSentence
from elmokit.whole_files import write_text

Tags = list[list[str]]
_CHUNK = 1024  # sentences


def write_scored(
    path: Path,
    words: Sequence[Sequence[str]],
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    *,
    plain: bool,
) -> None:
    """`word gold predicted` a line, an empty line between sentences: what `conlleval` reads.

    It parts columns at single spaces and knows BIO and IOB1 alone: spans are written as BIO, and spaces become `_`.
    """
    blocks = []
    for columns in zip(words, gold, predicted, strict=True):
        sentence, *tags = (["_".join(cell.split()) for cell in column] for column in columns)
        rows = zip(sentence, *(tags if plain else [converted(each, "BIO") for each in tags]), strict=True)
        blocks.append("".join(f"{' '.join(row)}\n" for row in rows))
    write_text(path, "\n".join(blocks))


def tagged_lines(
    path: Path, tag: Callable[[list[PlacedSentence]], Tags], *, column: int | str | None, encoding: str | None = None
) -> Iterator[str]:
    """The lines of a CoNLL or CoNLL-U file with the tag of each word, all else unchanged.

    Args:
        path: The file.
        tag: Gives the tags of sentences.
        column: The column that was learned: where the file has one of this name the tags stand in it, else in a new one
            behind the others, which is `_` in lines that are no words.
        encoding: Of the file; UTF-8 is written.
    """
    source = Source(path, [Column()], FileOptions(encoding=encoding))
    named = column if isinstance(column, str) and is_conllu(source) else None
    lines = enumerate((line.rstrip("\r\n") for line in source.lines()), 1)
    for sentence, tags in in_chunks(read_placed(path, encoding=encoding), tag, chunk=_CHUNK):
        place = None if named is None else sentence.place_of(named, "--tag-column")
        found = dict(zip(sentence.lines, tags, strict=True))
        for number, line in lines:
            own = found.get(number)
            if place is None:
                yield _behind(line, own)
            elif own is None:
                yield line
            else:
                fields = line.split("\t")
                yield "\t".join([*fields[:place], own, *fields[place + 1 :]])
            if number == sentence.lines[-1]:
                break
    yield from (line if named else _behind(line, None) for _, line in lines)


def _behind(line: str, tag: str | None) -> str:
    if tag is None and (not line.strip() or line.startswith("#")):
        return line
    between = "\t" if "\t" in line else " "
    return f"{line.rstrip()}{between}{tag or '_'}"


def text_lines(sentences: Iterable[tuple[Sequence[str], Sequence[str]]], *, column: str | None) -> Iterator[str]:
    """Words and tags of sentences as lines: two columns between tabs, or with `column` the ten of CoNLL-U.

    Raises:
        DataError: CoNLL-U has no such column.
    """
    if column is not None and column.upper() not in NAMES[2:]:
        raise DataError("CoNLL-U has no column for the tags that were learned: choose an output that ends with .conll")
    for words, tags in sentences:
        for number, (word, tag) in enumerate(zip(words, tags, strict=True), 1):
            fields = {} if column is None else {"ID": str(number), "FORM": word, column.upper(): tag}
            yield "\t".join(fields.get(name, "_") for name in NAMES) if fields else f"{word}\t{tag}"
        yield ""
