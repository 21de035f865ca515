"""How well a biLM predicts held-out text: perplexities by the full softmax and next-word figures."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from elmokit.errors import ModelError
from elmokit.nn.bilm import State
from elmokit.nn.language_network import LanguageNetwork
from elmokit.nn.lstm import ProjectedLSTM, lay_out_for_inference
from elmokit.nn.next_word import Guesses
from elmokit.nn.precision import Precision, multiplies
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.shards import SentenceList
from elmokit.pretrain.stream import Batches, PackedBatch, SentenceBatches, StreamBatches
from elmokit.pretrain.word_table import WordTable
from elmokit.saved_model import SavedModel, language_model_folder
from elmokit.text.files import expand_paths
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.whole_files import JsonObject

if TYPE_CHECKING:
    from elmokit.models.modeling_pretraining import ElmoForPreTraining

Start = Literal["zero", "warm", "carry"]

_WINDOW = 256  # words a row and step of a stream that is evaluated
_AMONG = 5  # most likely words


@dataclass(frozen=True)
class Perplexity:
    """exp of the mean negative log-likelihood; ``mean`` is exp of the mean of both directions' (as published for ELMo).

    ``predictions`` counts one direction: the words and one end a sentence. ``backward`` is None in a one-way model.
    """

    forward: float
    backward: float | None
    mean: float
    predictions: int

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood a prediction, in nats."""
        return math.log(self.mean)

    def as_dict(self) -> JsonObject:
        return asdict(self)


@dataclass(frozen=True)
class NextWord:
    """How often the target is the most likely word (top1) or among the five most likely; precision of the most likely.

    Precision, recall and F1 are averages over the words, weighted by how often each is the target.
    """

    top1: float
    top5: float
    precision: float
    recall: float
    f1: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class TextEvaluation:
    """A text seen through a model: ``unknown`` of its ``words`` are outside the vocabulary and predicted as <UNK>.

    ``files`` has the same of each file, where the text has several.
    """

    perplexity: Perplexity
    next_word: NextWord | None
    sentences: int
    words: int
    unknown: int
    files: dict[str, TextEvaluation] = field(default_factory=dict)

    def as_dict(self) -> JsonObject:
        """Flat: forward, backward, mean, predictions, sentences, words, unknown, and next_word_… where asked for.

        Of several files ``files`` has the same by the name of each.
        """
        counts = {"sentences": self.sentences, "words": self.words, "unknown": self.unknown}
        guesses = {} if self.next_word is None else self.next_word.as_dict()
        files = {"files": {name: found.as_dict() for name, found in self.files.items()}} if self.files else {}
        named = {f"next_word_{name}": x for name, x in guesses.items()}
        return {**self.perplexity.as_dict(), **counts, **named, **files}


def evaluate_text(
    model_folder: str | Path,
    text: str | Path | Sequence[str | Path],
    *,
    column: str | None = None,
    pre_split: bool | None = None,
    normalize: Sequence[str] | None = None,
    max_words: int = 200,
    batch_tokens: int = 16_384,
    next_word: bool = False,
    state: Start = "zero",
    precision: Precision = "float32",
    file_options: FileOptions = AS_FOUND,
) -> TextEvaluation:
    """Perplexities of a saved model on text files, of each and of all together, exact (full softmax).

    Args:
        model_folder: A folder made by `elmo pretrain` (with the language-model head and vocab.txt).
        text: Files or globs of any format of `text.readers`.
        column: Where the text is in tables and JSON.
        pre_split, normalize: How the text is prepared; default: as the text that the model was trained on.
        max_words: Longer lines are cut into pieces of this many words.
        batch_tokens: Predictions at a time; the figures do not depend on it.
        next_word: Also count how often the most likely words are right (slow for large vocabularies).
        state: Where each sentence starts: from "zero", from the "warm" state that the model holds, or where the one
            before ended ("carry"): the text is then one stream, as is the custom on Penn Treebank.
        precision: "bfloat16" multiplies in it where the processor has units for that, in 60 % of the time;
            perplexities then differ in the fourth digit.
        file_options: How the files are written, where that does not show.

    Raises:
        ModelError: The folder contains no pretrained model with its head, or no warm state.
        DataError: A file is missing, empty or no text.
    """
    saved = SavedModel.open(language_model_folder(model_folder))
    config, vocabulary, network = saved.config, saved.vocabulary(), saved.language_model()
    if state == "warm" and not config.warm_state:
        raise ModelError(f"{model_folder} contains no warm state: elmo convert --warm-text FILE makes one")
    if precision == "bfloat16" and multiplies(torch.bfloat16, "cpu"):
        network.bilm.layers.to(torch.bfloat16)
        network.head.to(torch.bfloat16)
    for layer in network.bilm.layers:
        lay_out_for_inference(cast(ProjectedLSTM, layer))
    paths = expand_paths(text)
    found: dict[str, _FileFigures] = {}
    start: State | None = None
    for path in paths:
        with tempfile.TemporaryDirectory(prefix="elmokit-") as scratch:
            corpus = build_corpus(
                path,
                None,
                Path(scratch) / "corpus",
                column=column,
                files=file_options,
                pre_split=saved.preprocessing.pre_split if pre_split is None else pre_split,
                normalize=saved.preprocessing.text_steps or [] if normalize is None else normalize,
                max_words=max_words,
                max_characters=config.max_characters_per_token,
                from_vocab=vocabulary,
            )
            corpus = corpus.read_by(saved.word_rows)
            batches: Batches = SentenceBatches(
                corpus, corpus.train, tokens=batch_tokens, shuffle=False, directions=config.directions
            )
            if state == "carry":
                batches = stream_for_evaluation(corpus, corpus.train, directions=config.directions)
            tally = _Tally.of(network)
            start = tally.add(network, batches.read(0), state=state, next_word=next_word, start=start)
            info = corpus.info["train"]
            found[str(path)] = _FileFigures(tally, info["n_sentences"], info["n_tokens"], info["n_unknown"])
    files = {name: each.evaluation() for name, each in found.items()}
    if len(files) == 1:
        return next(iter(files.values()))
    return replace(_FileFigures.together(found.values()).evaluation(), files=files)


@dataclass(frozen=True)
class _FileFigures:
    tally: _Tally
    sentences: int
    words: int
    unknown: int

    @classmethod
    def together(cls, figures: Collection[_FileFigures]) -> _FileFigures:
        return cls(
            _Tally.together([each.tally for each in figures]),
            sum(each.sentences for each in figures),
            sum(each.words for each in figures),
            sum(each.unknown for each in figures),
        )

    def evaluation(self) -> TextEvaluation:
        return TextEvaluation(self.tally.perplexity(), self.tally.next_word(), self.sentences, self.words, self.unknown)


def stream_for_evaluation(corpus: Corpus, sentences: SentenceList, *, directions: int, rows: int = 1) -> StreamBatches:
    """The text as it stands, in `rows` stretches; fewer than `rows` predictions at its end are left out."""
    return StreamBatches(corpus, sentences, rows=rows, window=_WINDOW, shuffle=False, directions=directions)


def evaluate_batches(
    model: LanguageNetwork | ElmoForPreTraining,
    batches: Iterable[PackedBatch],
    *,
    state: Start = "zero",
    next_word: bool = False,
) -> tuple[Perplexity, NextWord | None]:
    """Perplexity over packed batches, in evaluation mode; the model's training mode comes back afterwards."""
    tally = _Tally.of(model)
    tally.add(model, batches, state=state, next_word=next_word)
    return tally.perplexity(), tally.next_word()


@dataclass
class _Tally:
    """Sums over predictions: negative log-likelihoods of each direction, and guesses where they are asked for."""

    sums: NDArray[np.float64]
    count: int = 0
    guesses: _Guesses | None = None

    @classmethod
    def of(cls, model: LanguageNetwork | ElmoForPreTraining) -> _Tally:
        return cls(np.zeros(model.bilm.directions))

    @classmethod
    def together(cls, tallies: Sequence[_Tally]) -> _Tally:
        guesses = [tally.guesses for tally in tallies if tally.guesses is not None]
        return cls(
            np.sum([tally.sums for tally in tallies], axis=0),
            sum(tally.count for tally in tallies),
            _Guesses.together(guesses) if guesses else None,
        )

    @torch.no_grad()
    def add(
        self,
        model: LanguageNetwork | ElmoForPreTraining,
        batches: Iterable[PackedBatch],
        *,
        state: Start,
        next_word: bool,
        start: State | None = None,
    ) -> State | None:
        """Add batches; with "carry" the state goes in as `start` and comes back."""
        training, bilm = model.training, model.bilm
        model.train(False)
        device = next(model.parameters()).device
        words = WordTable(model.elmo.token_vectors, dim=model.elmo.config.projection_dim, device=device)
        for batch in batches:
            batch = batch.to(device)
            if state == "warm":
                start = model.elmo.initial_state(batch.batch_sizes[0])
            tokens = functional.embedding(batch.index, words.vectors(batch))  # (D, N, P)
            layers, final = bilm.forward_packed(tokens, batch.batch_sizes, state=start, words=batch.index)
            start = final if state == "carry" else None
            hidden, targets = layers[-1].flatten(0, 1), batch.targets.flatten()
            if next_word:
                found = model.head.guesses(hidden, targets, among=_AMONG)
                self.guesses = self.guesses or _Guesses()
                self.guesses.add(targets, found)
            nll = found.nll if next_word else model.head.nll(hidden, targets)
            self.sums += nll.double().view(batch.targets.shape).sum(dim=1).cpu().numpy()
            self.count += batch.targets.shape[1]
        model.train(training)
        return start

    def perplexity(self) -> Perplexity:
        if self.count == 0:
            return Perplexity(math.nan, None, math.nan, 0)
        means = self.sums / self.count
        backward = _exp(means[1]) if len(means) > 1 else None
        return Perplexity(_exp(means[0]), backward, _exp(means.mean()), self.count)

    def next_word(self) -> NextWord | None:
        return None if self.guesses is None else self.guesses.figures()


def _exp(nats: float) -> float:
    """exp, infinite where it is too large for a float."""
    return math.exp(nats) if nats < 700 else math.inf


class _Guesses:
    """Collects the most likely word of every position, and how many words are likelier than the right one."""

    def __init__(self) -> None:
        self.gold: list[NDArray[np.int64]] = []
        self.best: list[NDArray[np.int64]] = []
        self.among = 0

    def add(self, targets: torch.Tensor, found: Guesses) -> None:
        self.gold.append(targets.cpu().numpy())
        self.best.append(found.best.cpu().numpy())
        self.among += int((found.above < _AMONG).sum())

    @classmethod
    def together(cls, several: Iterable[_Guesses]) -> _Guesses:
        whole = cls()
        for guesses in several:
            whole.gold += guesses.gold
            whole.best += guesses.best
            whole.among += guesses.among
        return whole

    def figures(self) -> NextWord:
        gold, best = np.concatenate(self.gold), np.concatenate(self.best)
        precision, recall, f1 = weighted_scores(gold, best)
        return NextWord(float((gold == best).mean()), self.among / len(gold), precision, recall, f1)


def weighted_scores(gold: NDArray[np.int64], found: NDArray[np.int64]) -> tuple[float, float, float]:
    """Precision, recall and F1 of every class that occurs, averaged with its share of `gold`; 0 where 0 / 0.

    `sklearn.metrics.precision_recall_fscore_support` says the same, after an import of a second.
    """
    size = int(max(gold.max(), found.max())) + 1
    right, wanted, given = (np.bincount(each, minlength=size) for each in (gold[gold == found], gold, found))
    weights = wanted / len(gold)
    precision = right / np.maximum(given, 1)
    recall = right / np.maximum(wanted, 1)
    f1 = 2 * right / np.maximum(given + wanted, 1)
    return float(weights @ precision), float(weights @ recall), float(weights @ f1)
