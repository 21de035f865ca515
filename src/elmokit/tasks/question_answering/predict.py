"""Answers with character offsets for new questions, from a folder that `elmo train qa` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from elmokit.nn.heads.question_answering import QuestionAnsweringNetwork
from elmokit.tasks.inputs.streams import in_chunks
from elmokit.tasks.question_answering.answers import FoundAnswer, best_answers, decode_all
from elmokit.tasks.question_answering.data import Preparation, all_examples, prepare
from elmokit.tasks.question_answering.datasets import text_pairs
from elmokit.tasks.question_answering.scores import AnswerScores, answer_scores
from elmokit.tasks.question_answering.squad import Question, Questions, gold_answers, read_questions
from elmokit.tasks.trained import UNKNOWN_TRAINING, Tokenizer, TrainedOn, load_head
from elmokit.text.given import given_pairs, in_a_line
from elmokit.text.records import Record
from elmokit.whole_files import JsonObject

_QUESTIONS_AT_ONCE = 1024
Asked = tuple[str, str] | tuple[str, str, str]
"""A passage and a question about it, and the question's id where it has one."""


class QuestionAnswerer:
    """A trained model: `QuestionAnswerer.from_pretrained(folder).answer("Ada lived in Rome.", "Where did Ada live?")`.

    Args:
        model, tokenizer: As trained.
        max_words, stride: Windows of passages that are longer.
        max_question_words: Longer questions are cut.
        max_answer_words: Longer answers are not given.
        no_answer_threshold: No-answer score above which a question gets no answer; None: every one gets an answer.
    """

    parts: ClassVar[Sequence[str]] = ("passage", "question")
    trained_on: ClassVar[TrainedOn] = UNKNOWN_TRAINING

    def __init__(
        self,
        model: QuestionAnsweringNetwork,
        tokenizer: Tokenizer,
        *,
        max_words: int = 400,
        stride: int = 200,
        max_question_words: int = 64,
        max_answer_words: int = 30,
        no_answer_threshold: float | None = None,
    ) -> None:
        self.no_answer_threshold = no_answer_threshold
        self.model, self.tokenizer, self.max_answer_words = model.train(False), tokenizer, max_answer_words
        self.preparation = Preparation.of(
            model, tokenizer, max_words=max_words, stride=stride, max_question_words=max_question_words
        )

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> QuestionAnswerer:
        """Load a folder of `elmo train qa`, with the lengths it was trained under.

        Raises ModelError when the folder is missing, damaged or contains no question answerer.
        """
        head = load_head(QuestionAnsweringNetwork, folder, holds="question answerer", task="qa")
        lengths = head.kept("max_words", "stride", "max_question_words", "max_answer_words")
        threshold = head.facts.get("no_answer_threshold")
        return cls(head.network, head.tokenizer, **lengths, no_answer_threshold=threshold)

    def answer(self, passage: str, question: str) -> FoundAnswer:
        """The span of a passage that answers a question best; an empty one where the model knows that there is none.

        Raises:
            DataError: One of them is empty.
        """
        (found,) = self.predict([(passage, question)])
        return found

    def predict(self, pairs: Iterable[Asked] | Asked) -> list[FoundAnswer]:
        """An answer for each passage and question, in order. A passage that comes again is not prepared again.

        Args:
            pairs: (passage, question); any iterable, or a table of these two columns. One pair is a list of one.

        Raises:
            ValueError: What comes is no pair of texts, or a text is missing; with its number, from 1.
            DataError: A passage or a question is empty.
        """
        passages: dict[str, int] = {}
        questions = []
        for number, (passage, question, *_) in enumerate(given_pairs(pairs, parts=self.parts), 1):
            place = passages.setdefault(passage, len(passages))
            questions.append(Question(str(number), question, place))
        return [found for _, found in self.answer_stream(Questions(list(passages), questions))]

    def stream(
        self, pairs: Iterable[Asked] | Asked, *, chunk: int = _QUESTIONS_AT_ONCE
    ) -> Iterator[tuple[Asked, FoundAnswer]]:
        """`predict` over any number of passages with questions in order, with the memory of `chunk` of them."""
        return in_chunks(given_pairs(pairs, parts=self.parts), self.predict, chunk=chunk)

    def answer_stream(self, questions: Questions) -> Iterator[tuple[Question, FoundAnswer]]:
        """Each question with its answer, in order, with the memory of a thousand of them."""
        for start in range(0, len(questions), _QUESTIONS_AT_ONCE):
            part = questions.part(range(start, min(start + _QUESTIONS_AT_ONCE, len(questions))))
            prepared = prepare(part, self.preparation)
            examples = all_examples(part, prepared)
            rows = decode_all(self.model, text_pairs(prepared, examples), max_answer_words=self.max_answer_words)
            found = best_answers(part, prepared, examples, rows, knows_none=self.model.config.no_answer)
            yield from ((each, found[each.id].given(self.no_answer_threshold)) for each in part.questions)

    def read(self, file: Path) -> list[Asked]:
        """The questions of a file: SQuAD's JSON, or JSON lines with `passage`, `question` and, if wanted, `id`.

        Raises:
            DataError: As `read_questions`.
        """
        return [asked for asked, _ in self.read_rows(file)]

    def read_rows(self, file: Path) -> list[tuple[Asked, Record | None]]:
        """`read`, each question with its row, where the file has rows."""
        found = read_questions([file], flag="file", answered=False, whole_rows=True)
        return [((found.passages[each.passage], each.text, each.id), each.record) for each in found.questions]

    def line(self, given: Asked, result: FoundAnswer, *, alone: bool = False) -> str:
        """See `Predictor`."""
        place = f"{result.text!r} {result.start}-{result.end}" if result.text else "(no answer)"
        answer = f"{place} {result.score:.3f}"
        return answer if alone else f"{answer}  | {in_a_line(given[1])}"

    def record(self, given: Asked, result: FoundAnswer) -> JsonObject:
        """See `Predictor`."""
        asked = {"id": given[2]} if len(given) == 3 else {}
        return {**asked, "question": given[1], **result._asdict()}

    def score_lines(self, scores: Mapping[str, Any]) -> str:
        """See `Predictor`."""
        lines = [f"{scores['questions']:,} questions"]
        for name, shown in (("exact_match", "exact match"), ("f1", "F1")):
            low, high = scores[f"{name}_interval"]
            lines.append(f"{shown} {scores[name]:.2f} (95 % of draws of questions: {low:.2f} to {high:.2f})")
        if "no_answer_f1" in scores:
            exact, words = scores["has_answer_exact_match"], scores["has_answer_f1"]
            lines.append(
                f"with an answer ({scores['has_answer_questions']:,}): exact match {exact:.2f}, F1 {words:.2f}"
            )
            lines.append(f"without one ({scores['no_answer_questions']:,}): {scores['no_answer_f1']:.2f} right")
        return "\n".join(lines)

    def score(self, files: Sequence[str]) -> AnswerScores:
        """`answer_scores` on files of SQuAD, as of `elmo train qa`.

        Raises:
            DataError: As `read_questions`.
        """
        questions = read_questions(files, flag="test")
        found = {question.id: answer.text for question, answer in self.answer_stream(questions)}
        return answer_scores(gold_answers(questions), found)
