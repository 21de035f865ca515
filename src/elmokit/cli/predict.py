"""`elmo predict`: what a trained model says of texts from the command line, a file, a pipe or a prompt."""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elmokit.cli.options import FORMATS, NOT_SAID, Pretokenized, Reading, reads_text
from elmokit.errors import DataError
from elmokit.pretrained import DEFAULT_CLASSIFIER, located
from elmokit.tasks import TASKS, task_of
from elmokit.text.formats import endings_of, format_of, written_endings
from elmokit.whole_files import JsonObject, json_text

if TYPE_CHECKING:
    from elmokit.tasks.task import Predictor
    from elmokit.text.files import SourceStats
    from elmokit.text.given import Text
    from elmokit.text.records import FileOptions, Record

log = logging.getLogger(__name__)

PARTS = {name: text for entry in TASKS.values() for name, text in entry.inputs.items()}
"""Options for the parts of an input that is not one text."""


@reads_text
def predict(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL] [TEXT]...",
            help="Folder that elmo train wrote, or the name of a model that comes with the package "
            f"[default: {DEFAULT_CLASSIFIER}]; texts: without any, stdin or a prompt is read.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help=f"{FORMATS[0].upper()}{FORMATS[1:].partition(';')[0]}; questions: SQuAD, or JSON lines."),
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it exists.")] = False,
    **parts: str | None,
) -> None:
    """Label texts, find spans in them, translate them, answer questions about them: what MODEL was trained for."""
    from elmokit.saved_model import SavedModel
    from elmokit.text.containers import zip_of
    from elmokit.text.readers import refuse_unread_options
    from elmokit.text.row_files import check_row_file

    model, texts = _model_and_texts(words or [], file=file is not None)
    entry = TASKS[task_of(SavedModel.open(model).values.get("architectures")) or "classify"]
    given = {name: text for name, text in parts.items() if text is not None}
    if entry.inputs and texts:
        raise DataError(f"{model} is a model of {entry.noun}: give {_flags(entry.inputs)}, or --file")
    if entry.inputs and len(given) != (len(entry.inputs) if file is None else 0):
        raise DataError(f"give {_flags(entry.inputs)} together, or --file with {entry.unit}")
    if foreign := given.keys() - entry.inputs.keys():
        other = next(each for each in TASKS.values() if foreign & each.inputs.keys())
        raise DataError(f"{_flags(other.inputs)} are for {other.noun}, and {model} is no such model")
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
        source = predictor.read(file) if file is not None else [tuple(given[name] for name in predictor.parts)]
        with _shown_or_written(predictor, output, as_json=as_json) as show:
            for asked, result in predictor.stream(source, **options):
                show(asked, result, None, file is None)
        return
    as_files = reading.files()
    if output is not None and format_of(output).has_word_lines:
        _write_conll(predictor, texts, file, reading.column, as_files, output)
        return
    refuse_unread_options(as_files, pretokenized=pretokenized or False)
    with _shown_or_written(predictor, output, as_json=as_json) as show:
        _predict_texts(predictor, texts, file, reading, options, pretokenized=pretokenized, show=show)


def _with_parts(function: Any) -> None:
    """Give `function` an option for every part of an input, in place of its `**parts`."""
    whole = inspect.signature(function, eval_str=True)
    own = [each for each in whole.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    for name, text in PARTS.items():
        kind: Any = Annotated[str | None, typer.Option(f"--{name}", help=text)]
        own.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    function.__signature__ = inspect.Signature(own)
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in own}


_with_parts(predict)


def _flags(names: Iterable[str]) -> str:
    return " and ".join(f"--{name}" for name in names)


Show = Callable[[Any, Any, "Record | None", bool], None]
"""Takes an input, its result, its record in the file, and whether the input stands just above."""


@contextmanager
def _shown_or_written(predictor: Predictor, output: Path | None, *, as_json: bool) -> Iterator[Show]:
    """What becomes of results: lines on standard output, or rows of a file."""
    from elmokit.tasks.prediction_files import writing_predictions

    if output is None:
        yield lambda given, result, record, alone: typer.echo(
            _shown(predictor, given, result, record, alone=alone, as_json=as_json)
        )
        return
    with writing_predictions(output) as write:

        def show(given: Any, result: Any, record: Record | None, alone: bool) -> None:
            found = predictor.record(given, result)
            if record is not None and record.row:  # its columns have the text
                found.pop("text", None)
            write(_columns(record), found)

        yield show


def _columns(record: Record | None) -> JsonObject | None:
    """What the file says of a text: its columns, its id, and which sentence of its text this is; None: nothing."""
    if record is None:
        return {}
    if not record.fields and not record.row:
        return None
    own = {} if record.id is None else {"id": record.id}
    return {**own, **record.row, **({"sentence": record.text} if record.is_part else {})}


def _predict_texts(
    predictor: Predictor,
    texts: Sequence[str],
    file: Path | None,
    reading: Reading,
    options: Mapping[str, Any],
    *,
    pretokenized: bool | None,
    show: Show,
) -> None:
    from elmokit.text.columns import Column as TextColumn
    from elmokit.text.files import SourceStats
    from elmokit.text.readers import read_records
    from elmokit.text.tokenized_text import warned_of_tokens

    asked = file is None and not texts and sys.stdin.isatty()
    stats = SourceStats()
    records: deque[Record] = deque()  # of the texts that were read, and have no result yet
    source: Iterable[Text] = texts
    if file is not None:
        trained_on = predictor.trained_on
        wanted = TextColumn(asked=reading.column, remembered=trained_on.text_column)
        found = read_records(
            file, columns=[wanted], options=reading.files().filled(trained_on.files), stats=stats, whole_rows=True
        )
        if not pretokenized and predictor.tokenizer.split == "penn":
            found = warned_of_tokens(found)
        source = _texts_of(found, records)
    elif not texts:
        source = _prompted() if asked else _piped(stats)
    if pretokenized:
        source = (text.split() if isinstance(text, str) else text for text in source)
    for text, result in _results(predictor, _counted(source, stats), chunk=1 if asked else 1024, **options):
        show(text, result, records.popleft() if records else None, asked)
    for trouble, count in stats.damage().items():
        log.warning("%d %s", count, trouble)
    if not stats.texts and file is not None:
        raise DataError(f"{file} contains no text: it is empty or has only blank lines (--file)")
    if not stats.texts and not asked:
        raise DataError("no text came: give texts, --file or lines on stdin")


def _texts_of(found: Iterable[Record], records: deque[Record]) -> Iterator[Text]:
    """The texts of records, which are put aside for when their results come."""
    for record in found:
        records.append(record)
        yield record.text if record.words is None else record.words


def _write_conll(
    predictor: Predictor,
    texts: Sequence[str],
    file: Path | None,
    column: str | None,
    as_files: FileOptions,
    output: Path,
) -> None:
    """What a tagger found, in columns."""
    from elmokit.tasks.tagging.predict import Tagger
    from elmokit.text.columns import Column as TextColumn
    from elmokit.text.readers import read_records

    if not isinstance(predictor, Tagger):
        raise DataError(f"{output}: {', '.join(endings_of('has_word_lines'))} are what taggers write (--output)")
    if file is not None and format_of(file).has_word_lines:
        predictor.write_conll(file, output, word_column=column, encoding=as_files.encoding)
        return
    source: Iterable[Text] = texts
    if file is not None:
        records = read_records(file, columns=[TextColumn(asked=column)], options=as_files)
        source = (record.text if record.words is None else record.words for record in records)
    predictor.write_conll(source, output)


def _results(predictor: Predictor, texts: Iterable[Text], **options: Any) -> Iterator[tuple[Text, Any]]:
    """Each text with its result, in order; blank texts, which are not asked for, with None."""
    waiting: deque[Text] = deque()  # read, and not yet given

    def asked() -> Iterator[Text]:
        for text in texts:
            waiting.append(text)
            if _has_words(text):
                yield text

    for _, result in predictor.stream(asked(), **options):
        while not _has_words(waiting[0]):
            yield waiting.popleft(), None
        yield waiting.popleft(), result
    yield from ((text, None) for text in waiting)


def _has_words(text: Text) -> bool:
    return bool(text.strip() if isinstance(text, str) else text)


def _shown(predictor: Predictor, given: Any, result: Any, record: Record | None, *, alone: bool, as_json: bool) -> str:
    if as_json:
        own = {} if record is None or record.id is None else {"id": record.id}
        return json_text(own | predictor.record(given, result))
    return predictor.line(given, result, alone=alone)


def _counted(texts: Iterable[Text], stats: SourceStats) -> Iterator[Text]:
    """Texts without line ends. Blank ones stay, for the n-th line of output belongs to the n-th text.

    Where all are blank nothing comes.
    """
    held: list[Text] = []
    for text in texts:
        held.append(text.rstrip("\r\n") if isinstance(text, str) else text)
        stats.texts += _has_words(text)
        if stats.texts:
            yield from held
            held.clear()


def _model_and_texts(words: list[str], *, file: bool) -> tuple[str, list[str]]:
    """The first word is the model where it names one, or can be nothing else."""
    if not words:
        return DEFAULT_CLASSIFIER, []
    first = words[0]
    alone = len(words) == 1 and not file
    if located(first).is_dir() or "/" in first or not (alone or re.search(r"\s", first)):
        return first, words[1:]
    return DEFAULT_CLASSIFIER, words


def _piped(stats: SourceStats) -> Iterator[str]:
    """Lines of stdin, read as those of a file."""
    from elmokit.text.files import read_lines

    return read_lines(sys.stdin.buffer, stats)


def _prompted() -> Iterator[str]:
    """Texts typed at a prompt until an empty line or the end of input."""
    typer.echo("Type a text; an empty line ends.", err=True)
    while True:
        try:
            text = input("> ").strip()
        except EOFError:
            return
        if not text:
            return
        yield text
