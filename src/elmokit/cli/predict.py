"""`elmo predict`: labels with probabilities for texts from the command line, a file, a pipe or a prompt."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elmokit.errors import DataError
from elmokit.pretrained import DEFAULT_CLASSIFIER, located

if TYPE_CHECKING:
    from elmokit.tasks.classification.predict import Label


def predict(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL] [TEXT]...",
            help="Folder that elmo train classify wrote, or the name of a model that comes with the package "
            f"[default: {DEFAULT_CLASSIFIER}]; texts: without any, stdin or a prompt is read.",
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A text a line (txt) or row (csv, tsv, jsonl), also .gz.")] = None,
    column: Annotated[str | None, typer.Option(help="Text column of FILE: name, or number without a header.")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Print only the K best labels.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Label texts with a trained classifier."""
    model, texts = _model_and_texts(words or [], file=file is not None)
    if file is not None and texts:
        raise DataError("texts and --file were given: give one of them")
    if file is not None and not file.is_file():
        raise DataError(f"{file} does not exist (--file)")
    from elmokit.tasks.classification.predict import Classifier

    classifier = Classifier.from_pretrained(model)
    asked = file is None and not texts and sys.stdin.isatty()
    source: Iterable[str]
    if texts:
        source = _nonblank(texts)
    elif file is not None:
        from elmokit.text.sources import read_texts

        source = read_texts(file, column=column)
    else:
        source = _prompted() if asked else _nonblank(sys.stdin)
    count = 0
    for text, labels in classifier.predict_stream(source, top=top, chunk=1 if asked else 1024):
        count += 1
        typer.echo(_as_json(text, labels) if as_json else _as_line(text, labels, alone=asked))
    if not count and not asked:
        raise DataError("no text came: give texts, --file or lines on stdin")


def _model_and_texts(words: list[str], *, file: bool) -> tuple[str, list[str]]:
    """The first word is the model where it names one, or can be nothing else."""
    if not words:
        return DEFAULT_CLASSIFIER, []
    first = words[0]
    alone = len(words) == 1 and not file
    if located(first).is_dir() or "/" in first or not (alone or re.search(r"\s", first)):
        return first, words[1:]
    return DEFAULT_CLASSIFIER, words


def _nonblank(lines: Iterable[str]) -> Iterator[str]:
    return (line.strip() for line in lines if line.strip())


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


def _as_line(text: str, labels: list[Label], *, alone: bool) -> str:
    scores = "  ".join(f"{name} {probability:.3f}" for name, probability in labels)
    return scores if alone else f"{scores}  | {text[:80]}"


def _as_json(text: str, labels: list[Label]) -> str:
    best = labels[0]
    content = {
        "text": text,
        "label": best.label,
        "probability": round(best.probability, 6),
        "probabilities": {name: round(probability, 6) for name, probability in labels},
    }
    return json.dumps(content, ensure_ascii=False)
