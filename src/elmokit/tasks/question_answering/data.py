"""Questions in splits, and a split in numbers: words, windows of passages, where the answers stand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from elmokit.errors import DataError
from elmokit.nn.heads.question_answering import IGNORED, NO_ANSWER, QuestionAnsweringNetwork
from elmokit.tasks.inputs.tokens import TokenizedTexts, tokenize
from elmokit.tasks.question_answering.config import QuestionAnsweringConfig
from elmokit.tasks.question_answering.spans import Offsets, WordSpan, covering_words, windows
from elmokit.tasks.question_answering.squad import Questions, read_questions
from elmokit.tasks.splits import split_up
from elmokit.tasks.trained import Tokenizer, steps_of
from elmokit.text.normalize import normalize_words
from elmokit.text.words import Span

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QuestionData:
    """Questions of train, validation and test. A passage is in one of them with all its questions."""

    splits: dict[str, Questions]

    @property
    def knows_none(self) -> bool:
        """Whether questions without an answer are learned."""
        return any(not question.answers for question in self.splits["train"].questions)

    @property
    def counts(self) -> dict[str, int]:
        """Questions of each split."""
        return {name: len(split) for name, split in self.splits.items()}


def load_splits(config: QuestionAnsweringConfig) -> dict[str, Questions]:
    """Read, check and split what the config names. A passage goes to one split with all its questions.

    Raises:
        DataError: As `read_questions`, or there is too little to split.
    """
    names = [name for name in ("train", "valid", "test") if getattr(config, name)]
    sources = {name: read_questions(getattr(config, name), flag=name) for name in names}
    parts = split_up(
        {name: len(source) for name, source in sources.items()},
        config,
        units=np.array([question.passage for question in sources["train"].questions]),
        few=lambda _, __: "--train has one passage; give --valid or more of them",
    )
    splits = {name: sources[part.source].part(part.rows.tolist()) for name, part in parts.items()}
    counts = {name: sum(not each.answers for each in split.questions) for name, split in splits.items()}
    for name, count in counts.items():
        if count:
            log.info("%s: %d of %d questions have no answer", name, count, len(splits[name]))
    if not counts["train"] and any(counts.values()):
        log.warning("no training question is without an answer: the model will answer every question")
    judged = counts["validation"]
    if counts["train"] and config.no_answer_threshold is None and judged in (0, len(splits["validation"])):
        raise DataError(
            f"{'every' if judged else 'no'} validation question is without an answer, and the no-answer score is "
            "compared with a threshold that is chosen on them: give others (--valid), or --no-answer-threshold 0.5"
        )
    return splits


@dataclass(frozen=True)
class Preparation:
    """How a model reads passages and questions: how text is split, spelt and cut."""

    tokenizer: Tokenizer
    steps: Sequence[str] = ()
    max_words: int = 400
    stride: int = 200
    max_question_words: int = 64

    @classmethod
    def of(cls, model: QuestionAnsweringNetwork, tokenizer: Tokenizer, **lengths: int) -> Preparation:
        """For a model. Its clean-up steps are applied word by word: offsets stay those of the text."""
        return cls(tokenizer, steps_of(model, tokenizer), **lengths)

    def spans(self, text: str) -> list[Span]:
        """Where the words of a text are."""
        return self.tokenizer.spans(text)

    def words(self, text: str, spans: Sequence[Span]) -> list[str]:
        """What the model reads there."""
        return normalize_words([text[start:end] for start, end in spans], self.steps)


@dataclass(frozen=True)
class PreparedQuestions:
    """A split in numbers.

    Attributes:
        offsets: Word offsets of each passage.
        windows: (windows, 3) passage, first word and word behind the last, passage by passage.
        first_window: (passages + 1,) where the windows of each passage lie.
        texts: The words of the windows.
        questions: The words of the questions.
    """

    offsets: list[Offsets]
    windows: NDArray[np.int64]
    first_window: NDArray[np.int64]
    texts: TokenizedTexts
    questions: TokenizedTexts


def prepare(split: Questions, preparation: Preparation) -> PreparedQuestions:
    """Split every passage and every question into words once, and number them."""
    offsets: list[Offsets] = []
    places: list[tuple[int, int, int]] = []
    counts: list[int] = []
    texts: list[str | list[str]] = []
    for number, passage in enumerate(split.passages):
        spans = preparation.spans(passage)
        words = preparation.words(passage, spans)
        own = windows(len(words), max_words=preparation.max_words, stride=preparation.stride)
        offsets.append(np.asarray(spans, dtype=np.int32).reshape(-1, 2))
        counts.append(len(own))
        places += [(number, start, stop) for start, stop in own]
        texts += [words[start:stop] for start, stop in own]
    longer = sum(count > 1 for count in counts)
    if longer:
        log.info("%d passages are longer than %d words and are read in windows", longer, preparation.max_words)
    asked = [preparation.words(each.text, preparation.spans(each.text)) for each in split.questions]
    limit = preparation.max_question_words
    cut = sum(len(own) > limit for own in asked)
    if cut:
        log.warning("%d questions are longer than %d words and were cut (max_question_words)", cut, limit)
    rows = preparation.tokenizer.word_rows
    return PreparedQuestions(
        offsets=offsets,
        windows=np.asarray(places, dtype=np.int64).reshape(-1, 3),
        first_window=np.asarray([0, *accumulate(counts)], dtype=np.int64),
        texts=tokenize(texts, max_words=preparation.max_words, word_rows=rows),
        questions=tokenize([own[:limit] for own in asked], max_words=limit, word_rows=rows),
    )


@dataclass(frozen=True)
class Examples:
    """Questions, each with one window of its passage.

    Attributes:
        questions, windows: (N,) their numbers in a split.
        starts, ends: (N,) first and last word of the first answer, in the window; -100 where it does not hold it, and
            -1 where there is none, if that is learned.
    """

    questions: NDArray[np.int64]
    windows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.questions)

    def only(self, chosen: NDArray[np.bool_]) -> Examples:
        """Those that are chosen (N,)."""
        return Examples(self.questions[chosen], self.windows[chosen], self.starts[chosen], self.ends[chosen])


def all_examples(split: Questions, prepared: PreparedQuestions) -> Examples:
    """Every question with every window of its passage."""
    return _examples(split, prepared, lambda number: None)


def answered_examples(
    split: Questions, prepared: PreparedQuestions, *, name: str, knows_none: bool = False
) -> Examples:
    """The same with the place of the first answer; answers that cut a word or fit into no window are counted."""
    found: list[WordSpan | None] = [None] * len(split)
    for number, question in enumerate(split.questions):
        if question.answers:
            text, start = question.answers[0]
            begin = start + len(text) - len(text.lstrip())
            found[number] = covering_words(prepared.offsets[question.passage], begin, start + len(text.rstrip()))
    inexact = sum(span is not None and not span.exact for span in found)
    if inexact:
        log.info(
            "%s: %d of %d answers begin or end inside a word; the whole words are taken", name, inexact, len(found)
        )
    examples = _examples(split, prepared, found.__getitem__, knows_none=knows_none)
    answered = sum(bool(question.answers) for question in split.questions)
    unseen = answered - len(np.unique(examples.questions[examples.starts >= 0]))
    if unseen:
        log.info("%s: %d of %d answers are in no window as a whole (max_words, stride)", name, unseen, len(found))
    return examples


def _examples(
    split: Questions, prepared: PreparedQuestions, answer: Callable[[int], WordSpan | None], *, knows_none: bool = False
) -> Examples:
    """With `knows_none` a window without any word of the answer says that there is none."""
    rows: list[tuple[int, int, int, int]] = []
    for number, question in enumerate(split.questions):
        span = answer(number)
        for window in range(*prepared.first_window[question.passage : question.passage + 2].tolist()):
            _, begin, stop = prepared.windows[window].tolist()
            inside = span is not None and begin <= span.first and span.last < stop
            place = (span.first - begin, span.last - begin) if span is not None and inside else (IGNORED, IGNORED)
            apart = not question.answers or (span is not None and (span.last < begin or stop <= span.first))
            if knows_none and apart:
                place = (NO_ANSWER, NO_ANSWER)
            rows.append((number, window, *place))
    return Examples(*np.asarray(rows, dtype=np.int64).reshape(-1, 4).T)
