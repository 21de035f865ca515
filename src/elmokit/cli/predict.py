"""`elmo predict`: labels, spans, answers, translations of texts from the command line, a file, a pipe or a prompt."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from elmokit.errors import DataError
from elmokit.pretrained import DEFAULT_CLASSIFIER, located

if TYPE_CHECKING:
    from elmokit.tasks.classification.predict import Label
    from elmokit.tasks.question_answering.answers import FoundAnswer
    from elmokit.tasks.tagging.predict import Entity
    from elmokit.text.files import SourceStats

log = logging.getLogger(__name__)


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
        typer.Option(help="A text a line or row (csv, tsv, jsonl); questions: SQuAD, jsonl; .gz."),
    ] = None,
    column: Annotated[str | None, typer.Option(help="Text column of FILE: name, or number without a header.")] = None,
    question: Annotated[str | None, typer.Option(help="A question about PASSAGE.")] = None,
    passage: Annotated[str | None, typer.Option(help="The text in which the answer stands.")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Print only the K best labels.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Label texts, find spans in them, translate them or answer questions about them: what MODEL was trained for."""
    from elmokit.models.loading import load_config

    model, texts = _model_and_texts(words or [], file=file is not None)
    heads = load_config(model).architectures or []
    if "ElmoForQuestionAnswering" in heads:
        if texts:
            raise DataError("texts came, but MODEL answers questions: give --question and --passage, or --file")
        _print_answers(model, file, question, passage, as_json=as_json)
        return
    if question is not None or passage is not None:
        raise DataError(f"--question and --passage are for question answering, and {model} is no such model")
    if file is not None and texts:
        raise DataError("texts and --file were given: give one of them")
    if file is not None and not file.is_file():
        raise DataError(f"{file} does not exist (--file)")
    from elmokit.text.files import SourceStats

    asked = file is None and not texts and sys.stdin.isatty()
    stats = SourceStats()
    source: Iterable[str] = texts
    if file is not None:
        from elmokit.text.sources import file_texts

        source = file_texts(file, column, stats, keep_gaps=True)
    elif not texts:
        source = _prompted() if asked else _piped(stats)
    for line in _lines(model, heads, _counted(source, stats), top=top, alone=asked, as_json=as_json):
        typer.echo(line)
    for trouble, count in stats.damage().items():
        log.warning("%d %s", count, trouble)
    if not stats.texts and file is not None:
        raise DataError(f"{file} holds no text: it is empty or has only blank lines (--file)")
    if not stats.texts and not asked:
        raise DataError("no text came: give texts, --file or lines on stdin")


def _counted(texts: Iterable[str], stats: SourceStats) -> Iterator[str]:
    """Texts without line ends. Blank ones stay, for the n-th line of output belongs to the n-th text.

    Where all are blank nothing comes.
    """
    held: list[str] = []
    for text in texts:
        held.append(text.rstrip("\r\n"))
        stats.texts += bool(text.strip())
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


def _lines(
    model: str, heads: Sequence[str], source: Iterable[str], *, top: int | None, alone: bool, as_json: bool
) -> Iterator[str]:  # fmt: skip
    """A line of output a text."""
    chunk = 1 if alone else 1024
    if "ElmoForTranslation" in heads:
        from elmokit.tasks.translation.predict import Translator

        for text, translation in Translator.from_pretrained(model).translate_stream(
            (text.strip() for text in source), chunk=chunk
        ):
            content = {"text": text, "translation": translation}
            yield json.dumps(content, ensure_ascii=False) if as_json else translation
        return
    if "ElmoForTokenClassification" in heads:
        from elmokit.tasks.tagging.predict import Tagger

        for text, entities in Tagger.from_pretrained(model).predict_stream(source, chunk=chunk):
            yield _spans_as_json(text, entities) if as_json else _spans_as_line(text, entities, alone=alone)
        return
    from elmokit.tasks.classification.predict import Classifier

    classifier = Classifier.from_pretrained(model)
    blank: deque[bool] = deque()  # of the texts that were read and not yet printed
    for text, labels in classifier.predict_stream(_noted(source, blank), top=top, chunk=chunk):
        while blank.popleft():
            yield _unlabelled(as_json=as_json)
        yield _as_json(text, labels) if as_json else _as_line(text, labels, alone=alone)
    yield from (_unlabelled(as_json=as_json) for _ in blank)


def _noted(texts: Iterable[str], blank: deque[bool]) -> Iterator[str]:
    """The texts that are not blank, without blanks around them; `blank` gets an entry for every text."""
    for text in texts:
        blank.append(not text.strip())
        if text.strip():
            yield text.strip()


def _unlabelled(*, as_json: bool) -> str:
    content: dict[str, object] = {"text": "", "label": None, "probability": None, "probabilities": {}}
    return json.dumps(content) if as_json else "(no text)"


def _print_answers(
    model: str, file: Path | None, question: str | None, passage: str | None, *, as_json: bool
) -> None:  # fmt: skip
    """A line an answer; a file is read and checked as a whole before the first question is answered."""
    given = [text for text in (question, passage) if text is not None]
    if len(given) != (2 if file is None else 0):
        raise DataError("give --question and --passage together, or --file with questions")
    from elmokit.tasks.question_answering.predict import QuestionAnswerer

    answerer = QuestionAnswerer.from_pretrained(model)
    if file is None:
        found = answerer.answer(passage or "", question or "")
        asked = {"question": question}
        typer.echo(json.dumps(asked | found._asdict(), ensure_ascii=False) if as_json else _answer_as_line(found))
        return
    from elmokit.tasks.question_answering.squad import read_questions

    for own, found in answerer.answer_stream(read_questions([file], flag="file", answered=False)):
        content = {"id": own.id, "question": own.text, **found._asdict()}
        line = f"{_answer_as_line(found)}  | {own.text[:80]}"
        typer.echo(json.dumps(content, ensure_ascii=False) if as_json else line)


def _answer_as_line(found: FoundAnswer) -> str:
    return f"{found.text!r} {found.start}-{found.end} {found.score:.3f}"


def _spans_as_line(text: str, entities: list[Entity], *, alone: bool) -> str:
    found = "  ".join(f"{label} {span!r} {start}-{end}" for label, span, start, end in entities) or "(nothing)"
    return found if alone else f"{found}  | {text[:80]}"


def _spans_as_json(text: str, entities: list[Entity]) -> str:
    return json.dumps({"text": text, "entities": [entity._asdict() for entity in entities]}, ensure_ascii=False)


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
