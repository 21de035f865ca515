"""`elmo predict`: what a trained model says of texts from the command line, a file, a pipe or a prompt."""

from __future__ import annotations

import inspect
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elmokit.cli.options import INPUT, NOT_SAID, Overwrite, Pretokenized, Reading, reads_text
from elmokit.errors import DataError
from elmokit.pretrained import DEFAULT_CLASSIFIER, located
from elmokit.tasks import TASKS, task_of
from elmokit.text.formats import endings_of, format_of, written_endings
from elmokit.whole_files import json_text

if TYPE_CHECKING:
    from elmokit.tasks.task import Predictor
    from elmokit.text.files import SourceStats
    from elmokit.text.given import Text
    from elmokit.text.records import Record

PARTS = {name: text for entry in TASKS.values() for name, text in entry.inputs.items()}
"""Options for the parts of an input that is not one text."""


@partial(reads_text, more=PARTS)
def predict(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL] [TEXT]...",
            help="Folder that elmo train wrote, or the name of a model that comes with the package "
            f"[default: {DEFAULT_CLASSIFIER}]; then texts; without any, reads stdin or a prompt.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help=f"{INPUT.partition(';')[0]}; questions: SQuAD, or JSON lines.")
    ] = None,
    reading: Reading = NOT_SAID,
    pretokenized: Pretokenized = None,
    top: Annotated[int | None, typer.Option(min=1, help="Print only the K best labels.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write a table with the columns of FILE and the predictions: "
            f"{', '.join(written_endings())}; of a tagger also {', '.join(endings_of('has_word_lines'))}."
        ),
    ] = None,
    overwrite: Overwrite = False,
    **parts: str | None,
) -> None:
    """Label texts, find spans in them, translate them, answer questions about them: what MODEL was trained for."""
    from elmokit.saved_model import SavedModel
    from elmokit.text.containers import zip_of
    from elmokit.text.files import SourceStats
    from elmokit.text.readers import refuse_unread_options
    from elmokit.text.row_files import check_row_file

    model, texts = DEFAULT_CLASSIFIER, words or []
    if texts:  # the first one is the model where it names one, or can be nothing else
        first, alone = texts[0], len(texts) == 1 and file is None
        if located(first).is_dir() or "/" in first or not (alone or re.search(r"\s", first)):
            model, texts = first, texts[1:]
    entry = TASKS[task_of(SavedModel.open(model).values.get("architectures")) or "classify"]
    given = {name: text for name, text in parts.items() if text is not None}
    if entry.inputs and texts:
        raise DataError(f"{model} is a model of {entry.noun}: give {_flags(entry.inputs)}, or --file")
    if entry.inputs and len(given) != (len(entry.inputs) if file is None else 0):
        raise DataError(f"give {_flags(entry.inputs)} together, or --file with {entry.unit}")
    if foreign := given.keys() - entry.inputs.keys():
        other = next(each for each in TASKS.values() if foreign & each.inputs.keys())
        raise DataError(f"{_flags(other.inputs)} need a model for {other.noun}; {model} is for {entry.noun}")
    if file is not None and texts:
        raise DataError("texts and --file were given: give one of them")
    if not entry.inputs and file is not None and not file.exists() and zip_of(file) is None:
        raise DataError(f"{file} does not exist (--file)")
    if output is not None:  # checked before the model is loaded
        check_row_file(output, overwrite=overwrite, more=endings_of("has_word_lines"))
    predictor = entry.predictor_class().from_pretrained(model)
    options = {} if top is None else {"top": top}
    if top is not None and "top" not in inspect.signature(predictor.stream).parameters:
        raise DataError(f"--top is for classifiers, and {model} is a model of {entry.noun}")
    if entry.inputs:
        source: list[tuple[Any, Record | None]]
        if file is not None:
            source = list(predictor.read_rows(file))
        else:
            source = [(tuple(given[name] for name in predictor.parts), None)]
        results = predictor.stream((asked for asked, _ in source), **options)
        with _shown_or_written(predictor, output, as_json=as_json) as show:
            for (_, record), (asked, result) in zip(source, results, strict=True):
                show(asked, result, record, file is None)
        return
    if output is None or not format_of(output).has_word_lines:
        refuse_unread_options(reading.files(), pretokenized=pretokenized or False)
        with _shown_or_written(predictor, output, as_json=as_json) as show:
            _predict_texts(predictor, texts, file, reading, pretokenized=pretokenized, show=show, **options)
        return
    from elmokit.tasks.tagging.predict import Tagger

    pairs = _read_texts(predictor, texts, file, reading, SourceStats(), pretokenized=pretokenized)
    if not isinstance(predictor, Tagger):
        raise DataError(f"{output}: {', '.join(endings_of('has_word_lines'))} are what taggers write (--output)")
    if file is not None and format_of(file).has_word_lines:
        predictor.write_conll(file, output, word_column=reading.column, encoding=reading.encoding)
    else:
        predictor.write_conll((text for text, _ in pairs), output)


def _flags(names: Iterable[str]) -> str:
    return " and ".join(f"--{name}" for name in names)


Show = Callable[[Any, Any, "Record | None", bool], None]
"""Takes an input, its result, its record in the file, and whether the input stands just above."""


@contextmanager
def _shown_or_written(predictor: Predictor, output: Path | None, *, as_json: bool) -> Iterator[Show]:
    """What becomes of results: lines on standard output, or rows of a file."""
    from elmokit.tasks.prediction_files import writing_predictions

    def show(given: Any, result: Any, record: Record | None, alone: bool) -> None:
        if as_json:
            own = {} if record is None or record.id is None else {"id": record.id}
            typer.echo(json_text(own | predictor.record(given, result)))
        else:
            typer.echo(predictor.line(given, result, alone=alone))

    if output is None:
        yield show
        return
    with writing_predictions(output) as write:

        def write_row(given: Any, result: Any, record: Record | None, alone: bool) -> None:
            found = predictor.record(given, result)
            if record is None:
                write({}, found)
            elif not record.fields and not record.row:  # a blank line
                write(None, found)
            else:
                if record.row:  # its columns have what was asked
                    for name in ("id", *predictor.parts) if predictor.parts else ("text",):
                        found.pop(name, None)
                own = {} if record.id is None else {"id": record.id}
                write({**own, **record.row, **({"sentence": record.text} if record.is_part else {})}, found)

        yield write_row


def _predict_texts(
    predictor: Predictor,
    texts: Sequence[str],
    file: Path | None,
    reading: Reading,
    *,
    pretokenized: bool | None,
    show: Show,
    **options: Any,
) -> None:
    """Show what the model says of each text, in order.

    Blank texts, which it is not asked about, have the result None: the n-th line of output belongs to the n-th text.
    """
    from elmokit.text.files import SourceStats

    typed = file is None and not texts and sys.stdin.isatty()
    stats = SourceStats()
    waiting: deque[tuple[Text, Record | None]] = deque()  # read, and not yet shown

    def asked() -> Iterator[Text]:
        for text, record in _read_texts(predictor, texts, file, reading, stats, pretokenized=pretokenized):
            waiting.append((text, record))
            if _has_words(text):
                stats.texts += 1
                yield text

    for _, result in predictor.stream(asked(), chunk=1 if typed else 1024, **options):
        while not _has_words(waiting[0][0]):
            text, record = waiting.popleft()
            show(text, None, record, typed)
        text, record = waiting.popleft()
        show(text, result, record, typed)
    if stats.texts:
        for text, record in waiting:
            show(text, None, record, typed)
    stats.warn()
    if not stats.texts and file is not None:
        raise DataError(f"{file} contains no text: it is empty or has only blank lines (--file)")
    if not stats.texts and not typed:
        raise DataError("no input: give texts, --file FILE or lines on stdin")


def _read_texts(
    predictor: Predictor,
    texts: Sequence[str],
    file: Path | None,
    reading: Reading,
    stats: SourceStats,
    *,
    pretokenized: bool | None,
) -> Iterator[tuple[Text, Record | None]]:
    """The texts of the command line, of a file with their records, of stdin, or typed until an empty line."""
    from elmokit.text.columns import Column as TextColumn
    from elmokit.text.files import read_lines
    from elmokit.text.readers import read_records
    from elmokit.text.tokenized_text import warned_of_tokens

    source: Iterable[tuple[Text, Record | None]] = ((text, None) for text in texts)
    if file is not None:
        known = predictor.trained_on
        wanted = TextColumn(asked=reading.column, remembered=known.text_column)
        options = reading.files().filled(known.files)
        records = read_records(file, columns=[wanted], options=options, stats=stats, whole_rows=True)
        if not pretokenized and predictor.tokenizer.split == "penn":
            records = warned_of_tokens(records)
        source = ((record.text if record.words is None else record.words, record) for record in records)
    elif not texts and sys.stdin.isatty():
        source = ((text, None) for text in _typed())
    elif not texts:
        source = ((line, None) for line in read_lines(sys.stdin.buffer, stats))
    for text, record in source:
        if isinstance(text, str):
            text = text.split() if pretokenized else text.rstrip("\r\n")
        yield text, record


def _has_words(text: Text) -> bool:
    return bool(text.strip() if isinstance(text, str) else text)


def _typed() -> Iterator[str]:
    """Texts typed at a prompt until an empty line or the end of input."""
    typer.echo("Type a text; an empty line ends.", err=True)
    with suppress(EOFError):
        while text := input("> ").strip():
            yield text
