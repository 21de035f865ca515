"""`Encoder`: sentences to arrays. The one embedding engine behind the command line and every integration."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from elmokit.encode.batching import windows, word_windows
from elmokit.encode.common_component import CommonComponent, fit_common_component
from elmokit.encode.engine import Engine
from elmokit.encode.language_model import LanguageModel, Score, Substitute
from elmokit.encode.layer_choice import LayerChoice, Layers, all_views, layer_choice
from elmokit.encode.memory import Memory, memory_in_bytes, share
from elmokit.encode.pooling import PARTS, Part, Pooling, check_pooling
from elmokit.encode.results import Item, Positions, Result, SentenceVector, WordVectors, items
from elmokit.encode.word_weights import COUNTS_FILE, WordWeights
from elmokit.errors import ConfigError, ModelError
from elmokit.interop.loading import load
from elmokit.nn.bilm import CarriedState
from elmokit.nn.config import NetworkConfig
from elmokit.nn.layer_mix import LayerMix
from elmokit.nn.network import ElmoNetwork, HasNetwork, network_of
from elmokit.saved_model import SavedModel
from elmokit.text.given import given_texts
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_rows import ByteRows, WordRows

log = logging.getLogger(__name__)

Sentence = str | Sequence[str]
Level = Literal["token", "sentence"]
Start = Literal["zero", "warm", "carry"]
Array = NDArray[np.float32]

_WINDOW_BATCHES = 16  # batches that are sorted together and share their distinct words
_WINDOW_BYTES, _LEAST_WORDS = 128 << 20, 4096  # all layers of a window's words


class Encoder:
    """Contextual word vectors of a model.

    The same sentence gets the same vectors whatever else is in the call: every sentence starts from the same state
    (but for `state="carry"`), and no padded place is computed.

    Attributes:
        n_layers: Layers of a result with `layers="all"`: the token layer, then the LSTM layers.
        dim: Size of a vector.
        state: Where sentences start: "zero"; "warm", a state that the model holds; or "carry", where the sentence in
            the same place of the call before ended, as the references do.
        notes: What was repaired in a published file, a sentence each.
        memory: Bytes that batches may take; None: the default.
    """

    def __init__(
        self, model: ElmoNetwork | HasNetwork, *, rows: WordRows | None = None, mix: LayerMix | None = None,
        state: Start | None = None, notes: Sequence[str] = (), saved: SavedModel | None = None,
        preprocessing: Preprocessing | None = None, memory: Memory | None = None,
    ) -> None:  # fmt: skip
        """See `from_pretrained`. `rows` is how the model reads words; by default bytes."""
        model = network_of(model)
        self.memory = memory_in_bytes(memory)
        if rows is None:
            if model.config.token_encoder != "char_cnn":
                raise ConfigError(f"A model with the token encoder {model.config.token_encoder!r} needs its word rows.")
            rows = ByteRows(model.config.max_characters_per_token)
        default: Start = "warm" if model.config.warm_state else "zero"
        if state not in (None, "zero", "warm", "carry"):
            raise ConfigError(f"Unknown state {state!r}. Expected 'zero', 'warm' or 'carry'.")
        if state == "warm" and not model.config.warm_state:
            raise ConfigError(
                "This model contains no warm state; models trained here start from zero. "
                "`elmo convert --warm-text FILE` makes one."
            )
        if state == "carry" and model.config.context_layers:
            raise ConfigError("The encoder of a translator (CoVe) carries no state: expected state 'zero'.")
        self.model = model.train(False)
        self.mix = None if mix is None else mix.train(False)
        self.state: Start = state or default
        self.notes = list(notes)
        if preprocessing is None and isinstance(model.config, Preprocessing):  # an `ElmoConfig`
            preprocessing = model.config
        self.preprocessing = preprocessing or Preprocessing()
        self.n_layers = model.config.n_layers + 1
        self.dim = model.config.hidden_size
        self._saved = saved
        self._carried = CarriedState()
        self._told_of_mix = False
        with torch.inference_mode():
            self._engine = Engine(model, rows, memory=self.memory)

    @classmethod
    def from_pretrained(
        cls, path: str | Path, *, dtype: str = "float32", state: Start | None = None,
        options: str | Path | None = None, vocabulary: str | Path | None = None, sha256: str | None = None,
        memory: Memory | None = None,
    ) -> Encoder:  # fmt: skip
        """Load any ELMo: of elmokit (a biLM, or a classifier with its trained layer mix), bilm-tf, AllenNLP, NLPL,
        SeqVec or ELMoForManyLangs.

        Args:
            path: A folder, `.zip` or `.hdf5` file, the http(s) address of one, or a hub repository's id.
            dtype: Type the network computes in: "float32", "bfloat16" or "float16". Results are float32 in any case.
            state: "zero", "warm" or "carry". Default: "warm" for published weights, which were trained on an endless
                stream and never saw a zero state, "zero" for models trained here on single sentences.
            options: The options file of a `.hdf5` file when it does not lie beside it.
            vocabulary: The vocabulary of a word-level model when it does not lie beside the weights.
            sha256: Sum of a file that is downloaded.
            memory: What larger batches may take beyond the weights, in bytes or as "1GB": large models are faster with
                it, if `batch_size` lets enough sentences into a batch. Results do not depend on it. Default: as little
                as keeps the peak below 1.3 times the weights + 500 MB.

        Raises:
            ModelError: Nothing is there, or it is damaged, unsafe or of an unknown kind, or its parts do not fit.
            ConfigError: An unknown `dtype`, `state` or `memory`, or "warm" for a model without such a state.
        """
        memory = memory_in_bytes(memory)
        found = load(
            path, options=options, vocabulary=vocabulary, dtype=dtype, sha256=sha256, warm=state in (None, "warm")
        )
        return cls(
            found.model, rows=found.rows, mix=found.mix, state=state, notes=found.notes,
            saved=found.saved, preprocessing=found.preprocessing, memory=memory,
        )  # fmt: skip

    @overload
    def encode(
        self, sentences: Iterable[Sentence], *, layers: Layers = ..., level: Literal["token"] = ...,
        positions: Positions | None = ..., batch_size: int = ..., is_split_into_words: bool = ...,
        show_progress_bar: bool = ...,
    ) -> list[Array]: ...  # fmt: skip

    @overload
    def encode(
        self, sentences: Iterable[Sentence], *, layers: Layers = ..., level: Literal["sentence"],
        pooling: Pooling | None = ..., remove_common_component: bool | None = ..., batch_size: int = ...,
        is_split_into_words: bool = ..., show_progress_bar: bool = ...,
    ) -> Array: ...  # fmt: skip

    def encode(
        self, sentences: Iterable[Sentence], *, layers: Layers = "all", level: Level = "token",
        pooling: Pooling | None = None, remove_common_component: bool | None = None,
        positions: Positions | None = None, batch_size: int = 256, is_split_into_words: bool = False,
        show_progress_bar: bool = False,
    ) -> list[Array] | Array:  # fmt: skip
        """Vectors of sentences, in the order given.

        Args:
            sentences: Texts, or lists of words with `is_split_into_words=True`. Any iterable, a generator too.
            layers: "all" of them, the "top" one, their "average", the "mix" (that of a trained classifier, else the
                average), "concat" (side by side), the number of one (0 is the token layer, -1 the top), or a list of
                such numbers.
            level: A vector per word ("token") or per sentence ("sentence").
            pooling: Of a sentence's words: "mean"; "max" of each dimension; "mean+max", both side by side; "weighted",
                the mean weighted by log(1 + N / n), from the model's word counts (`WordWeights`). Default:
                "weighted" if the model has word counts, as those of `elmo pretrain` do, else "mean".
            remove_common_component: Take the common component that the model holds off sentence vectors, see
                `fit_common_component`. Default: no.
            positions: For each sentence the numbers of the words whose vectors are wanted, from 0, negative from the
                end; only they are kept in memory.
            batch_size: Most sentences the network sees at once; the result does not depend on it. With
                `state="carry"` the most of a call: the sentences of a call are one batch.
            is_split_into_words: The sentences are lists of words, which stay whole.
            show_progress_bar: On stderr.

        Returns:
            For tokens a list of float32 arrays, (layers, words, dim) with "all" or a list of layers, (words,
            n_layers · dim) with "concat", else (words, dim); `words` may be 0, and with `positions` is their number.
            For sentences one array, (n, layers, dim), (n, n_layers · dim) or (n, dim), twice as wide with "mean+max";
            zero for a sentence without words.

        Raises:
            ConfigError: An unknown value of `layers`, `level` or `pooling`, an option of the other level, a batch size
                below 1, or with `state="carry"` more sentences than that.
            ModelError: "weighted" for a model without word counts, or no common component to remove.
            DataError: A position that a sentence lacks, or not one list of positions per sentence.
            ValueError: A text among lists of words or the other way round.
        """
        total = len(sentences) if isinstance(sentences, Sequence) else None
        with Progress(console=Console(stderr=True), disable=not show_progress_bar) as progress:
            task = progress.add_task("encoding", total=total)
            results = []
            for array in self.stream(
                sentences, layers=layers, level=level, pooling=pooling,
                remove_common_component=remove_common_component, positions=positions, batch_size=batch_size,
                is_split_into_words=is_split_into_words,
            ):  # fmt: skip
                results.append(array)
                progress.advance(task)
        if level == "token":
            return results
        shape = self.sentence_shape(layers=layers, pooling=pooling)
        return np.stack(results) if results else np.zeros((0, *shape), dtype=np.float32)

    def stream(
        self, sentences: Iterable[Sentence], *, layers: Layers = "all", level: Level = "token",
        pooling: Pooling | None = None, remove_common_component: bool | None = None,
        positions: Positions | None = None, batch_size: int = 256, is_split_into_words: bool = False,
    ) -> Iterator[Array]:  # fmt: skip
        """`encode`, one array at a time: sentences are read, and arrays held, a few thousand at once."""
        if level not in ("token", "sentence"):
            raise ConfigError(f"Unknown level {level!r}. Expected 'token' or 'sentence'.")
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}; expected at least 1.")
        choice = self.layer_choice(layers)
        result: Result = WordVectors(choice)
        if level == "sentence":
            if positions is not None:
                raise ConfigError("positions are of words: expected level 'token'.")
            result = self._sentence_vector(choice, pooling, remove_common_component)
        elif pooling is not None or remove_common_component is not None:
            given = "pooling" if pooling is not None else "remove_common_component"
            raise ConfigError(f"{given} is of whole sentences: expected level 'sentence'.")
        words = (self._words(sentence, is_split_into_words=is_split_into_words) for sentence in given_texts(sentences))
        return self._stream(items(words, positions), result, batch_size=batch_size)

    def layer_choice(self, layers: Layers) -> LayerChoice:
        """What `layers` gives for this model.

        Raises:
            ConfigError: An unknown value.
        """
        if layers == "mix" and self.mix is None and not self._told_of_mix:
            self._told_of_mix = True
            log.warning(
                "this model has no trained layer mix, so layers 'mix' is the plain average of its layers (layers "
                "'average'); models of elmo train have one"
            )
        return layer_choice(layers, n_layers=self.n_layers, dim=self.dim, mix=self.mix)

    def sentence_shape(self, *, layers: Layers = "all", pooling: Pooling | None = None) -> tuple[int, ...]:
        """Shape of the vector of one sentence: (size,) or (layers, size)."""
        return self._sentence_vector(self.layer_choice(layers), pooling, remove=False).shape

    @cached_property
    def word_weights(self) -> WordWeights | None:
        """Weights of words for `pooling="weighted"`, from the counts in the model's folder; None without counts."""
        return None if self._saved is None else WordWeights.of_folder(self._saved.folder)

    @property
    def default_pooling(self) -> Pooling:
        """What `pooling=None` means: "weighted" where the model has word counts, else "mean".

        Chosen on STS 2012 to 2014, CR and the training part of MRPC (docs/results.md).
        """
        return "mean" if self.word_weights is None else "weighted"

    @cached_property
    def common_component(self) -> CommonComponent | None:
        """What `remove_common_component` takes off: that of the model's folder, or the one fitted last."""
        return None if self._saved is None else CommonComponent.of_folder(self._saved.folder)

    def fit_common_component(
        self, sentences: Iterable[Sentence], *, batch_size: int = 256, is_split_into_words: bool = False
    ) -> CommonComponent:
        """Find what the vectors of nearly all sentences share, for every pooling and choice of layers, and keep it.

        A few thousand sentences of ordinary text do. `.save(folder)` on the result writes it into a model folder.

        Raises:
            DataError: There are fewer than ten sentences with words.
        """
        every = all_views(n_layers=self.n_layers, dim=self.dim, mix=self.mix)
        texts = (self._words(sentence, is_split_into_words=is_split_into_words) for sentence in sentences)
        weigh = self.word_weights

        def views() -> Iterator[tuple[Array, Array | None]]:
            for window in windows((words for words in texts if words), batch_size):
                arrays = self._stream(items(window, None), WordVectors(every), batch_size=batch_size)
                for words, array in zip(window, arrays, strict=True):
                    yield array, None if weigh is None else weigh(words)

        parts: list[Part] = ["mean", "max"] if weigh is None else ["mean", "max", "weighted"]
        self.common_component = fit_common_component(views(), parts)
        return self.common_component

    def reset_state(self) -> None:
        """Forget what `state="carry"` carried: the next call starts from zero."""
        self._carried.reset()

    def clear_cache(self) -> None:
        """Forget the vectors of words seen so far: needed after the model's weights, type or device have changed."""
        with torch.inference_mode():
            self._engine.table.clear()

    def cached_words(self) -> tuple[list[str], Array]:
        """The words whose context-free vectors are kept, the least recently used first, and those vectors (n, P)."""
        with torch.inference_mode():
            words, vectors = self._engine.table.contents()
            return words, vectors.float().cpu().numpy()

    def restore_cached_words(self, words: Sequence[str], vectors: Array) -> None:
        """Back to what `cached_words` gave."""
        with torch.inference_mode():
            self._engine.table.restore(words, torch.from_numpy(vectors))

    def score(self, sentences: Iterable[Sentence], *, is_split_into_words: bool = False) -> list[Score]:
        """How surprising each word is to the language model, forward and backward.

        Raises:
            ModelError: The model has no language-model head (published files have none).
        """
        words = [self._words(sentence, is_split_into_words=is_split_into_words) for sentence in given_texts(sentences)]
        with torch.inference_mode():
            return self._language_model.score(words)

    def substitutes(self, sentence: Sentence, i: int, k: int = 10) -> list[Substitute]:
        """The `k` words that both directions of the language model find most likely in place of word `i`.

        Args:
            sentence: A text, or its words.
            i: Place of the word, from 0; negative counts from the end.
            k: How many.

        Raises:
            ModelError: The model has no language-model head.
            IndexError: The sentence has no such word.
        """
        words = self._words(sentence, is_split_into_words=not isinstance(sentence, str))
        with torch.inference_mode():
            return self._language_model.substitutes(words, i, k)

    def words(self, text: str, *, pre_split: bool | None = None) -> list[str]:
        """The words of a raw text, cleaned and split as the text that the model was pretrained on.

        `pre_split` says otherwise: words are separated by blanks, or are not.
        """
        return self.preprocessing.words(text, pre_split=pre_split)

    def fingerprint(self) -> str:
        """A checksum of configuration, weights, layer mix and dictionaries: other vectors, another checksum."""
        text = [self.preprocessing.text_steps, self.preprocessing.pre_split]
        digest = hashlib.sha256(json.dumps([asdict(NetworkConfig.of(self.model.config)), text]).encode())
        digest.update(json.dumps([version("elmokit"), self._engine.rows.lexicon()]).encode())
        mix = {} if self.mix is None else self.mix.state_dict()
        for name, tensor in [*sorted(self.model.state_dict().items()), *sorted(mix.items())]:
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()[:24]

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle or copy needs; the language-model head is loaded again when it is asked for."""
        return {name: value for name, value in self.__dict__.items() if name != "_language_model"}

    @cached_property
    def _language_model(self) -> LanguageModel:
        if self._saved is None:
            raise ModelError("this model has no language-model head: expected a folder of elmo pretrain")
        return LanguageModel.of(self._saved, self._engine, zero_state=self.state == "zero")

    def _words(self, sentence: Sentence, *, is_split_into_words: bool) -> list[str]:
        if is_split_into_words:
            if isinstance(sentence, str):
                raise ValueError(f"is_split_into_words=True expects lists of words; got the text {sentence[:40]!r}.")
            if not all(isinstance(word, str) for word in sentence):
                raise ValueError(f"Expected words as text; got {str(list(sentence))[:60]}.")
            if "" in sentence:
                raise ValueError(f"A sentence has an empty word: {str(list(sentence))[:60]}; leave out what only pads.")
            return list(sentence)
        if not isinstance(sentence, str):
            raise ValueError(
                f"Expected texts; got {str(sentence)[:40]!r}. For lists of words pass is_split_into_words=True."
            )
        return self.words(sentence)

    def _stream(self, sentences: Iterable[Item], result: Result, *, batch_size: int) -> Iterator[Array]:
        if self.state == "carry":
            with torch.inference_mode():
                together = list(sentences)
                rows = self._carry([item.words for item in together], batch_size=batch_size)
                arrays = [result(item, layers) for item, layers in zip(together, rows, strict=True)]
            yield from arrays
            return
        most_words = max(_LEAST_WORDS, max(_WINDOW_BYTES, share(self.memory)) // (4 * self.dim * self.n_layers))
        most_sentences = batch_size * _WINDOW_BATCHES
        for window in word_windows(
            sentences, words=lambda item: len(item.words), most_sentences=most_sentences, most_words=most_words
        ):
            found: dict[int, Array] = {}
            with torch.inference_mode():  # not around a yield: the mode would leak into the caller's code
                for number, layers in self._engine.layers(
                    [item.words for item in window], batch_size=batch_size, zero_state=self.state == "zero"
                ):
                    found[number] = result(window[number], layers)
            for number in range(len(window)):
                yield found.pop(number)

    def _carry(self, sentences: list[list[str]], *, batch_size: int) -> list[list[Tensor]]:
        """One batch that continues where the call before ended; its rows beyond this batch keep their state."""
        if len(sentences) > batch_size:
            raise ConfigError(
                f"state='carry' takes the sentences of a call as one batch; got {len(sentences)} with batch_size "
                f"{batch_size}: call encode once a batch."
            )
        start = self._carried.start(self.model.bilm.zero_state(len(sentences)))
        layers, final = self._engine.batch(sentences, start)
        self._carried.keep(final)
        return layers

    def _sentence_vector(self, choice: LayerChoice, pooling: Pooling | None, remove: bool | None) -> SentenceVector:
        """
        Raises:
            ConfigError, ModelError: As `encode`.
        """
        pooling = self.default_pooling if pooling is None else pooling
        check_pooling(pooling)
        weights = self.word_weights if pooling == "weighted" else None
        if pooling == "weighted" and weights is None:
            raise ModelError(
                f"pooling 'weighted' needs word counts, which this model does not have: put {COUNTS_FILE} "
                "(word<TAB>count per line) into its folder, or choose another pooling"
            )
        component = self._checked_component(pooling) if remove else None
        return SentenceVector(choice, pooling, weights, component)

    def _checked_component(self, pooling: Pooling) -> CommonComponent:
        component = self.common_component
        if component is None:
            raise ModelError(
                "this model has no common component to remove: fit one with Encoder.fit_common_component(texts), or "
                "`elmo convert --common-component-text FILE`"
            )
        views = self.n_layers + (1 if self.mix is None else 2)
        for part in PARTS[pooling]:
            found = component.directions.get(part)
            if found is None or found.shape != (views, self.dim):
                shape = "none" if found is None else str(found.shape)
                raise ModelError(
                    f"the common component does not fit this model and pooling {pooling!r}: expected "
                    f"{(views, self.dim)} for {part}, got {shape}; fit it again"
                )
        return component
