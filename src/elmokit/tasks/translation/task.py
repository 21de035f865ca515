"""Translation as a `Task`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray
from torch import Tensor

from elmokit.models.modeling_translation import ElmoForTranslation
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.pretrained import located
from elmokit.run_folder import settings_of
from elmokit.tasks.building import task_tokenizer
from elmokit.tasks.inputs.batches import IGNORED, Batch
from elmokit.tasks.inputs.datasets import dataset_maker
from elmokit.tasks.inputs.tokens import tokenize
from elmokit.tasks.model_card import Card, file_names, what_it_is
from elmokit.tasks.report import RunMetrics, Scored, Scores
from elmokit.tasks.row_scores import RowScores
from elmokit.tasks.run import run_task
from elmokit.tasks.splits import scored_rows
from elmokit.tasks.task import Datasets, HeadShape, Run
from elmokit.tasks.trained import word_splitter
from elmokit.tasks.translation.config import TranslationConfig
from elmokit.tasks.translation.data import PairDataset, TranslationData, load_pairs, read_pairs
from elmokit.tasks.translation.predict import Translator
from elmokit.tasks.translation.scores import bleu, bleu_lines, bleu_of_counts, bleu_scores, ngram_counts
from elmokit.text.sentence_pieces import END, PIECES_FILE, SentencePieces
from elmokit.whole_files import JsonObject, write_text

log = logging.getLogger(__name__)

_CODE = """from elmokit.tasks.translation import Translator

translator = Translator.from_pretrained("THIS_FOLDER")
translator.predict(["Ein Hund rennt."])  # a text each"""
TRANSLATIONS = "test_translations.txt"

_Run = Run[TranslationConfig, TranslationData]


class Translation:
    """See `Task`."""

    name = "translate"
    unit = "pairs"
    Model = ElmoForTranslation
    curves: ClassVar[Mapping[str, str]] = {"bleu": "BLEU, greedy"}
    evaluation_factor = 4
    highest = 100.0

    def load(self, config: TranslationConfig, work: Path) -> TranslationData:
        """See `Task`. Target pieces are those of an unfinished run in `work`, or of the translator to start from."""
        start = located(config.model)
        earlier_run = next((folder for folder in (work, start) if (folder / PIECES_FILE).is_file()), None)
        pieces = None if earlier_run is None else SentencePieces.load(earlier_run)
        data = load_pairs(config, word_splitter(task_tokenizer(config)), pieces)
        earlier = settings_of(start).get("n_pieces", config.n_pieces) if (start / PIECES_FILE).is_file() else None
        if earlier is not None and "n_pieces" in config.model_fields_set and config.n_pieces != earlier:
            log.warning("n_pieces = %d is passed over: the pieces are those of %s", config.n_pieces, start)
        log.info("%d target pieces", len(data.pieces))
        return data

    def shape(self, data: TranslationData) -> HeadShape:
        return HeadShape(sizes={"n_target_pieces": len(data.pieces)})

    def words(self, data: TranslationData, tokenizer: ElmoTokenizer) -> Iterable[Sequence[str]]:
        """See `Task`: of the source sentences."""
        return (words for source in data.words.values() for words in source)

    def datasets(self, run: _Run) -> Datasets:
        """See `Task`. The pieces go into the folder, for they belong to the model."""
        data = run.data
        data.pieces.save(run.work)
        makers = {}
        for name, words in data.words.items():
            tokens = tokenize(words, max_words=run.config.max_words, word_rows=run.tokenizer.word_rows)
            makers[name] = dataset_maker(run.model, tokens, run.config)
        found = {
            name: PairDataset(makers[part.source](rows=part.rows), data.targets[part.source])
            for name, part in data.splits.items()
            if name != "test"
        }
        return Datasets(found["train"], found["validation"])

    def step(self, model: Any, inputs: Batch, config: TranslationConfig) -> tuple[Tensor, Tensor, Tensor]:
        """See `Task`: the pieces (B, T) that greedy search writes, padded with -100."""
        labels = inputs.pop("labels")
        loss = model.loss(**inputs, labels=labels)
        best = [hypotheses[0].pieces for hypotheses in model.translate(**inputs, beam=1)]
        found = labels.new_full((len(best), max(1, *map(len, best))), IGNORED)
        for row, pieces in zip(found, best, strict=True):
            row[: len(pieces)] = labels.new_tensor(pieces)
        return loss, found, labels

    def epoch_scores(self, run: _Run, found: NDArray[Any], gold: NDArray[Any]) -> dict[str, float]:
        """BLEU of greedy search."""
        texts = [
            [run.data.pieces.decode([piece for piece in row if piece not in (IGNORED, END)]) for row in rows.tolist()]
            for rows in (gold, found)
        ]
        return {"bleu": bleu(*texts)}

    def scores(self, run: _Run) -> Scored:
        """See `Task`: BLEU of the search that the settings ask for."""
        config, data = run.config, run.data
        translator = Translator(
            run.model,
            run.tokenizer,
            data.pieces,
            max_words=config.max_words,
            beam_size=config.beam_size,
            length_norm=config.length_norm,
            length_penalty=config.length_penalty,
            max_ratio=config.max_ratio,
        )
        scores = {}
        for name, count in data.counts.items():
            pairs = data.of(name, scored_rows(count, config.train_report_rows)) if name == "train" else data.of(name)
            translations = translator.predict(pairs.source)
            scores[name] = Scores.from_json(bleu_scores(pairs.target, translations))
            if name == "test":
                write_text(run.work / TRANSLATIONS, "".join(f"{line}\n" for line in translations))
        return Scored(scores, {"target_pieces": len(data.pieces), "left_out": data.left_out})

    def chance(self, metrics: RunMetrics) -> float:
        """A translation of something else shares a few words."""
        return 2.0

    def row_scores(self, config: TranslationConfig, folder: Path) -> RowScores:
        """See `RowScored`: corpus BLEU, from the n-grams of each sentence."""
        translations = (folder / TRANSLATIONS).read_text(encoding="utf-8").split("\n")[:-1]
        flags = ("test_source", "test_target")
        pairs = read_pairs(config.test_source, config.test_target, flags=flags, skip_empty=config.skip_empty)
        return RowScores(ngram_counts(pairs.target, translations), bleu_of_counts)

    def summary(self, metrics: RunMetrics) -> str:
        """BLEU of the test sentences with its interval, and the signature of how it was computed."""
        return bleu_lines(metrics.scores["test"].to_json())

    def report_sections(self, metrics: RunMetrics, settings: Mapping[str, Any]) -> Card:
        scores = metrics.scores["test"]
        low, high = scores.details["interval"]
        search = f"beam of {settings['beam_size']}, `{settings['length_norm']}` length normalisation"
        data = [f"- {split}: {rows:,} pairs" for split, rows in metrics.rows.items()]
        for split in ("train", "test"):
            sides = (file_names(settings[f"{split}_{side}"]) for side in ("source", "target"))
            data.append(f"- {split} files: {' → '.join(sides)}")
        if metrics.facts["left_out"]:
            data.append(f"- {metrics.facts['left_out']:,} training pairs were too long and left out")
        others = ", ".join(
            f"{metrics.scores[name].figures['bleu']:.2f} on {metrics.scores[name].counts['sentences']:,} of {name}"
            for name in ("train", "validation")
        )
        return Card(
            "translation",
            "Translator on ELMo",
            f"{what_it_is(metrics)} An attentive LSTM decoder writes the target in {metrics.facts['target_pieces']:,} "
            "pieces.",
            {
                "Scores": f"BLEU {scores.figures['bleu']:.2f} on {scores.counts['sentences']:,} test sentences (95 % "
                f"of bootstrap draws: {low:.2f} to {high:.2f}); {others}; {search}.\n\n`{scores.details['signature']}`",
                "Data": "\n".join(data),
            },
            scored_by=["bleu"],
            code=_CODE,
            command='elmo predict THIS_FOLDER "Ein Hund rennt."',
            limits="The scores hold for sentences like those of the test.",
        )


TASK = Translation()


def train_translator(config: TranslationConfig) -> JsonObject:
    """Train, measure and save a translator; returns what `metrics.json` in `config.output` holds.

    Raises DataError, ModelError or ConfigError for what the user can mend.
    """
    return run_task(TASK, config).to_json()
