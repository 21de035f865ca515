"""Passages and questions from files: SQuAD 1.1 (Rajpurkar et al. 2016) and 2.0 (2018), or an object a question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from elmokit.errors import DataError
from elmokit.text.char_ids import replace_surrogates
from elmokit.text.files import SourceStats, expand_paths, opened, read_lines
from elmokit.text.formats import reader_of
from elmokit.text.json_records import json_record, read_json_lines
from elmokit.text.records import Record
from elmokit.whole_files import JsonObject

_LAYOUT = "expected SQuAD: data › paragraphs › context and qas › id, question, answers › text, answer_start"


class Answer(NamedTuple):
    """An answer as people gave it: `passage[start : start + len(text)] == text`."""

    text: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question about a passage (its number).

    `answers` are those of several people, none where the passage has none or they are not known. `record` is its row,
    where it was asked for and the file has rows.
    """

    id: str
    text: str
    passage: int
    answers: list[Answer] = field(default_factory=list)
    record: Record | None = None


@dataclass(frozen=True)
class Questions:
    """Questions of one source. A passage stands once, however many questions are about it."""

    passages: list[str]
    questions: list[Question]

    def __len__(self) -> int:
        return len(self.questions)

    def part(self, rows: Iterable[int]) -> Questions:
        """Some of the questions, with the passages they are about."""
        places: dict[int, int] = {}
        chosen = [self.questions[row] for row in rows]
        questions = [replace(each, passage=places.setdefault(each.passage, len(places))) for each in chosen]
        return Questions([self.passages[number] for number in places], questions)


def read_questions(
    files: Sequence[str | Path], *, flag: str, answered: bool = True, whole_rows: bool = False
) -> Questions:
    """The questions of SQuAD files (also packed), or of rows that have one each.

    Args:
        files: Names or globs. A `.jsonl` file has an object a line with `passage` or `context`, `question` and, if
            wanted, `id` and `answers`; a `.json` file may have a list of them. Answers are a list as in SQuAD, or
            `{"text": […], "answer_start": […]}` as in `datasets`.
        flag: The option that named them, for errors.
        answered: Every question must say what its answers are, none too; else they are not looked at.
        whole_rows: Keep each question's row, where the file has rows.

    Raises:
        DataError: A file cannot be read, is no JSON or has another layout, a passage or question is empty, an id stands
            twice, or an answer is missing, contradicts another statement or does not stand in its passage; with the
            question's id.
    """
    passages: dict[str, int] = {}
    questions: dict[str, Question] = {}
    stats = SourceStats()
    for path in expand_paths(files):
        place = f"{path} (--{flag})"
        lines = reader_of(path) is read_json_lines
        for name, passage, question, asked, row in _rows(path, place, stats, lines=lines):
            name = name or f"{len(questions) + 1}"
            told = f"{place}, question {name}"
            if name in questions:
                numbered = " (those without one are numbered: give all an id, or none)" if lines else ""
                raise DataError(f"{told}: duplicate id; expected one question per id{numbered}")
            if not question.strip():
                raise DataError(f"{told}: the question is empty")
            if not passage.strip():
                raise DataError(f"{told}: the passage is empty")
            number = passages.setdefault(passage, len(passages))
            own = _answers(asked, passage, told) if answered else []
            record = None
            if whole_rows and row is not None:
                record = Record(path, row, {"question": question}, "question", row=asked)
            questions[name] = Question(name, question, number, own, record)
    if not questions:
        raise DataError(f"{', '.join(map(str, files))} contains no questions (--{flag})")
    stats.warn(flag)
    return Questions(list(passages), list(questions.values()))


def gold_answers(questions: Questions) -> dict[str, list[str]]:
    """The answers to each question, by its id."""
    return {question.id: [answer.text for answer in question.answers] for question in questions.questions}


Row = tuple[str, str, str, JsonObject, int | None]  # id, passage, question, what is said of it, and its row's number


def _rows(path: Path, place: str, stats: SourceStats, *, lines: bool) -> Iterator[Row]:
    """The questions of a file: of lines that are objects, of a list of such objects, or of SQuAD."""
    if lines:
        with opened(path) as file:
            numbered = enumerate(read_lines(file, stats), 1)
            for number, line in ((number, line) for number, line in numbered if line.strip()):
                yield *_row(json_record(path, number, line), f"{place}, line {number}"), number
        return
    try:
        with opened(path) as file:
            content = json.loads("".join(read_lines(file, stats)))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is no JSON: {error}; {_LAYOUT}") from error
    rows = content.get("data") if isinstance(content, dict) else content
    if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "question" in rows[0]:
        for number, row in enumerate(rows, 1):
            yield *_row(row, f"{place}, item {number}"), number
        return
    for article in _list(content, "data", place):
        for paragraph in _list(article, "paragraphs", place):
            for asked in _list(paragraph, "qas", place):
                name = _text(asked, "id", place)
                told = f"{place}, question {name}"
                known = {"is_impossible": False, **asked}  # where SQuAD 1.1 does not say
                yield name, _text(paragraph, "context", told), _text(asked, "question", told), known, None


def _row(row: Any, told: str) -> tuple[str, str, str, JsonObject]:
    expected = 'expected {"passage": "…", "question": "…"} a line'
    passage = "context" if isinstance(row, dict) and "context" in row and "passage" not in row else "passage"
    text = _text(row, passage, told, expected=expected)
    name = _text(row, "id", told, expected=expected) if "id" in row else ""
    return name, text, _text(row, "question", told, expected=expected), row


def _answers(asked: JsonObject, passage: str, told: str) -> list[Answer]:
    given, impossible = asked.get("answers"), asked.get("is_impossible")
    if isinstance(given, dict):
        texts, starts = (_list(given, key, told) for key in ("text", "answer_start"))
        if len(texts) != len(starts):
            raise DataError(
                f"{told} has {len(texts)} texts of answers and {len(starts)} answer_start; expected as many"
            )
        given = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    if given is None and not impossible:
        raise DataError(f"{told} has no answers; expected a list of them, empty where the passage has none")
    found: list[Answer] = []
    for answer in _list({"answers": given or []}, "answers", told):
        text, start = _text(answer, "text", told), answer.get("answer_start")
        if not isinstance(start, int) or isinstance(start, bool):
            raise DataError(f"{told}: answer_start is {start!r}; expected the number of a character of the passage")
        if not text.strip():
            raise DataError(f"{told}: the answer is empty")
        if start < 0 or passage[start : start + len(text)] != text:
            there = passage[max(start, 0) : max(start, 0) + len(text)]
            raise DataError(
                f"{told}: the answer {text[:60]!r} is not at character {start} of its passage, "
                f"there is {there[:60]!r}: correct answer_start, or leave the question out"
            )
        found.append(Answer(text, start))
    if impossible is False and not found:
        raise DataError(f"{told} has no answer; expected one or more, or is_impossible: true (SQuAD 2.0)")
    if impossible and found:
        raise DataError(
            f"{told}: is_impossible is true, and it has the answer {found[0].text[:60]!r}; these contradict"
        )
    return found


def _list(holder: Any, key: str, told: str) -> list[Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, list):
        raise DataError(f"{told} has no list {key!r}; {_LAYOUT}")
    return value


def _text(holder: Any, key: str, told: str, *, expected: str = _LAYOUT) -> str:
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise DataError(f"{told} has no text {key!r}; {expected}")
    return replace_surrogates(str(value))
