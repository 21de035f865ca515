"""Question answering as a `Task`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elmokit.errors import DataError
from elmokit.models.modeling_question_answering import ElmoForQuestionAnswering
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.nn.heads.question_answering import IGNORED
from elmokit.run_folder import write_json
from elmokit.tasks.inputs.batches import Batch, LongestFirstSampler
from elmokit.tasks.model_card import Card, rows_of, table, what_it_is
from elmokit.tasks.question_answering.answers import BestSpan, as_rows, best_answers, decode_all
from elmokit.tasks.question_answering.config import QuestionAnsweringConfig
from elmokit.tasks.question_answering.data import (
    Preparation,
    QuestionData,
    all_examples,
    answered_examples,
    load_splits,
    prepare,
)
from elmokit.tasks.question_answering.datasets import training_pairs
from elmokit.tasks.question_answering.no_answer import answer_texts, chosen_threshold
from elmokit.tasks.question_answering.scores import answer_scores, question_scores
from elmokit.tasks.question_answering.squad import gold_answers, read_questions
from elmokit.tasks.report import RunMetrics, Scored, Scores, score_table
from elmokit.tasks.row_scores import RowScores
from elmokit.tasks.run import run_task
from elmokit.tasks.splits import scored_rows
from elmokit.tasks.task import Datasets, HeadShape, Run
from elmokit.whole_files import JsonObject, read_json_object

_CODE = """from elmokit.tasks.question_answering import QuestionAnswerer

answerer = QuestionAnswerer.from_pretrained("THIS_FOLDER")
answerer.answer("Ada Lovelace lived in London.", "Where did Ada live?")  # text, start, end, score"""
PREDICTIONS = "test_predictions.json"

_Run = Run[QuestionAnsweringConfig, QuestionData]


class QuestionAnswering:
    """See `Task`."""

    name = "qa"
    unit = "questions"
    Model = ElmoForQuestionAnswering
    curves: ClassVar[Mapping[str, str]] = {"f1": "F1 (%)", "exact_match": "exact match (%)"}
    highest = 100.0
    evaluation_factor = 1  # attention grows with (B, P, P)

    def load(self, config: QuestionAnsweringConfig, work: Path) -> QuestionData:
        return QuestionData(load_splits(config))

    def shape(self, data: QuestionData) -> HeadShape:
        """The two scores that a word gets."""
        return HeadShape(["start", "end"], sizes={"no_answer": data.knows_none})

    def words(self, data: QuestionData, tokenizer: ElmoTokenizer) -> Iterable[Sequence[str]]:
        for split in data.splits.values():
            yield from map(tokenizer.words, split.passages)
            yield from (tokenizer.words(question.text) for question in split.questions)

    def datasets(self, run: _Run) -> Datasets:
        """Training reads the windows that contain the answer, the other splits read all."""
        config, splits = run.config, run.data.splits
        preparation = Preparation.of(
            run.model,
            run.tokenizer,
            max_words=config.max_words,
            stride=config.stride,
            max_question_words=config.max_question_words,
        )
        found = {}
        for name, split in splits.items():
            prepared = prepare(split, preparation)
            examples = answered_examples(split, prepared, name=name, knows_none=run.data.knows_none)
            if name == "train":
                examples = examples.only(examples.starts != IGNORED)
                if not len(examples):
                    raise DataError(
                        f"no window of {config.max_words} words contains an answer as a whole: raise --max-words"
                    )
            found[name] = training_pairs(run.model, prepared, examples, config)
        return Datasets(found["train"], found["validation"], found)

    def step(self, model: Any, inputs: Batch, config: QuestionAnsweringConfig) -> tuple[Tensor, Tensor, Tensor]:
        """See `Task`: the best span of each passage (B, 5), see `as_rows`."""
        output = model(**inputs)
        spans = model.spans(output, max_answer_words=config.max_answer_words)
        return output.loss, as_rows(spans), torch.stack([inputs["start_positions"], inputs["end_positions"]], dim=1)

    def epoch_scores(self, run: _Run, found: NDArray[Any], gold: NDArray[Any]) -> dict[str, float]:
        """Exact match and F1 on validation questions."""
        split, data = run.data.splits["validation"], run.datasets.scored["validation"]
        spans = np.empty_like(found)
        spans[LongestFirstSampler(data.lengths).order] = found
        answers = best_answers(split, data.prepared, data.examples, spans, knows_none=run.data.knows_none)
        wanted, threshold = gold_answers(split), None
        if run.data.knows_none:
            threshold = _threshold(run.config, wanted, answers)
        exact, f1 = question_scores(wanted, answer_texts(answers, threshold)).mean(axis=0)
        return {"f1": float(f1), "exact_match": float(exact)}

    def scores(self, run: _Run) -> Scored:
        """See `Task`; chooses the threshold of the no-answer score."""
        found_answers, none = {}, run.data.knows_none
        gold = {name: gold_answers(split) for name, split in run.data.splits.items()}
        for name, split in run.data.splits.items():
            data = run.datasets.scored[name]
            kept = scored_rows(len(split), run.config.train_report_rows if name == "train" else None)
            examples = all_examples(split, data.prepared)
            examples = examples.only(np.isin(examples.questions, kept))
            found = decode_all(run.model, data.of(examples), max_answer_words=run.config.max_answer_words)
            found_answers[name] = best_answers(split, data.prepared, examples, found, knows_none=none)
        facts: JsonObject = {"passages": {name: len(split.passages) for name, split in run.data.splits.items()}}
        if none:
            facts["no_answer_threshold"] = _threshold(run.config, gold["validation"], found_answers["validation"])
            likely = {name: answer.no_answer for name, answer in found_answers["test"].items()}
            write_json(run.work / "test_no_answer.json", likely)
        texts = {
            name: answer_texts(answers, facts.get("no_answer_threshold")) for name, answers in found_answers.items()
        }
        write_json(run.work / PREDICTIONS, texts["test"])
        scores = {
            name: Scores.from_json(answer_scores({question: gold[name][question] for question in own}, own))
            for name, own in texts.items()
        }
        return Scored(scores, facts)

    def chance(self, metrics: RunMetrics) -> float:
        """A random span shares some words with the answer."""
        return 10.0

    def row_scores(self, config: QuestionAnsweringConfig, folder: Path) -> RowScores:
        """See `RowScored`: F1 of each question."""
        answers = read_json_object(folder / PREDICTIONS)
        gold = gold_answers(read_questions(config.test, flag="test"))
        return RowScores.of_values(question_scores(gold, answers)[:, 1])

    def summary(self, metrics: RunMetrics) -> str:
        return score_table(metrics.scores, _figures(metrics), unit="questions", places=2)

    def report_sections(self, metrics: RunMetrics, settings: Mapping[str, Any]) -> Card:
        rows, figures = [], _figures(metrics)
        more = {figure: figures[figure] for figure in figures if figure not in ("exact_match", "f1")}
        for name, found in metrics.scores.items():
            cells = []
            for figure in ("exact_match", "f1"):
                low, high = found.details[f"{figure}_interval"]
                cells.append(f"{found.figures[figure]:.2f} ({low:.2f} to {high:.2f})")
            cells += [f"{found.figures[figure]:.2f}" for figure in more]
            rows.append([name, found.counts["questions"], *cells])
        scores = table(["split", "questions", "exact match (95 %)", "F1 (95 %)", *more.values()], rows)
        data = rows_of(metrics, settings, unit="questions")
        data += [f"- {name}: {count:,} passages" for name, count in metrics.facts["passages"].items()]
        if not settings["valid"] or settings["train_fraction"] < 1:
            data.append("- passages are drawn, each with all its questions")
        scored = metrics.scores["train"].counts["questions"]
        if scored < metrics.rows["train"]:
            data.append(f"- the scores of train are those of {scored:,} questions, drawn at random")
        limits = "It answers every question with a span of the passage, also where the passage has no answer."
        if "no_answer_threshold" in metrics.facts:
            limits = (
                f"A question gets no answer where its no-answer score is above "
                f"{metrics.facts['no_answer_threshold']:.3f}, which was chosen on the validation questions or given."
            )
        return Card(
            "question-answering",
            "Question answering on ELMo",
            what_it_is(
                metrics, head="Bidirectional attention between passage and question, with BiLSTMs before and after it,"
            ),
            {
                "Scores": "In percent, as SQuAD defines them. The intervals tell what other questions would change "
                f"(bootstrap), not what another seed would.\n\n{scores}",
                "Data": "\n".join(data),
            },
            scored_by=["exact_match", "f1"],
            code=_CODE,
            command='elmo predict THIS_FOLDER --passage "Ada Lovelace lived in London." --question "Where did Ada '
            'live?"',
            limits=f"{limits} The scores hold for passages and questions like the test's.",
        )


def _threshold(
    config: QuestionAnsweringConfig, gold: Mapping[str, Sequence[str]], found: Mapping[str, BestSpan]
) -> float:
    """The threshold of the no-answer score: as given, or chosen on these questions."""
    return config.no_answer_threshold or chosen_threshold(gold, found, recall=config.no_answer_recall)


def _figures(metrics: RunMetrics) -> dict[str, str]:
    """What is shown; of questions with and without an answer where all splits have both."""
    shown = {"exact_match": "exact match", "f1": "F1"}
    if all("no_answer_f1" in found.figures for found in metrics.scores.values()):
        shown |= {"has_answer_f1": "HasAns F1", "no_answer_f1": "NoAns"}
    return shown


TASK = QuestionAnswering()


def train_question_answerer(config: QuestionAnsweringConfig) -> JsonObject:
    """Train, measure and save a question answerer; returns what `metrics.json` in `config.output` holds.

    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    return run_task(TASK, config).to_json()
