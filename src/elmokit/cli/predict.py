"""`elmo predict`: what a trained model says of texts from the command line, a file, a pipe or a prompt."""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from elmokit.cli.options import FORMATS, Column, Delimiter, Encoding, Header, Quote, SplitSentences
from elmokit.errors import DataError
from elmokit.pretrained import DEFAULT_CLASSIFIER, located
from elmokit.tasks import TASKS, task_of
from elmokit.whole_files import json_text

if TYPE_CHECKING:
    from elmokit.tasks.task import Predictor
    from elmokit.text.files import SourceStats
    from elmokit.text.given import Text
    from elmokit.text.records import FileOptions

log = logging.getLogger(__name__)

PARTS = {name: text for entry in TASKS.values() for name, text in entry.inputs.items()}
"""Options for the parts of an input that is not one text."""


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
    column: Column = None,
    header: Header = None,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    split_sentences: SplitSentences = None,
    top: Annotated[int | None, typer.Option(min=1, help="Print only the K best labels.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write a tagger's tags to a .conll or .conllu file, beside the columns of FILE if it has any."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it exists.")] = False,
    **parts: str | None,
) -> None:
    """Label texts, find spans in them, translate them, answer questions about them: what MODEL was trained for."""
    from elmokit.saved_model import SavedModel

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
    if not entry.inputs and file is not None and not file.is_file():
        raise DataError(f"{file} does not exist (--file)")
    predictor = entry.predictor_class().from_pretrained(model)
    options = {} if top is None else {"top": top}
    if top is not None and "top" not in inspect.signature(predictor.stream).parameters:
        raise DataError(f"--top is for classifiers, and {model} is a model of {entry.noun}")
    if entry.inputs:
        source = predictor.read(file) if file is not None else [tuple(given[name] for name in predictor.parts)]
        for asked, result in predictor.stream(source, **options):
            typer.echo(_shown(predictor, asked, result, alone=file is None, as_json=as_json))
        return
    from elmokit.text.records import FileOptions

    as_files = FileOptions(header, delimiter, quote, encoding, split_sentences or False)
    if output is not None:
        _write_conll(predictor, texts, file, column, as_files, output, overwrite=overwrite)
        return
    _predict_texts(predictor, texts, file, column, as_files, options, as_json=as_json)


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


def _predict_texts(
    predictor: Predictor, texts: Sequence[str], file: Path | None, column: str | None, as_files: FileOptions,
    options: dict[str, Any], *, as_json: bool,
) -> None:  # fmt: skip
    from elmokit.text.columns import Column as TextColumn
    from elmokit.text.files import SourceStats
    from elmokit.text.readers import read_records

    asked = file is None and not texts and sys.stdin.isatty()
    stats = SourceStats()
    source: Iterable[Text] = texts
    if file is not None:
        records = read_records(file, columns=[TextColumn(asked=column)], options=as_files, stats=stats)
        source = (record.text if record.words is None else record.words for record in records)
    elif not texts:
        source = _prompted() if asked else _piped(stats)
    for text, result in _results(predictor, _counted(source, stats), chunk=1 if asked else 1024, **options):
        typer.echo(_shown(predictor, text, result, alone=asked, as_json=as_json))
    for trouble, count in stats.damage().items():
        log.warning("%d %s", count, trouble)
    if not stats.texts and file is not None:
        raise DataError(f"{file} contains no text: it is empty or has only blank lines (--file)")
    if not stats.texts and not asked:
        raise DataError("no text came: give texts, --file or lines on stdin")


def _write_conll(
    predictor: Predictor, texts: Sequence[str], file: Path | None, column: str | None, as_files: FileOptions,
    output: Path, *, overwrite: bool,
) -> None:  # fmt: skip
    """What a tagger found, in columns."""
    from elmokit.tasks.tagging.predict import Tagger
    from elmokit.text.columns import Column as TextColumn
    from elmokit.text.readers import CONLL, ending, read_records

    if not isinstance(predictor, Tagger) or ending(output) not in CONLL:
        raise DataError(f"{output}: expected a name that ends in {', '.join(CONLL)}, which taggers write (--output)")
    if output.exists() and not overwrite:
        raise DataError(f"{output} exists: --overwrite replaces it")
    if file is not None and ending(file) in CONLL:
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


def _shown(predictor: Predictor, given: Any, result: Any, *, alone: bool, as_json: bool) -> str:
    if as_json:
        return json_text(predictor.record(given, result))
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
