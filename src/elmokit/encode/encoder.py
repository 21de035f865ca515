"""`Encoder`: sentences to arrays. The one embedding engine behind the command line and every integration."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from elmokit.cosines import cosines, paired_cosines
from elmokit.encode.backend import Backend, BackendName, Mix, Take
from elmokit.encode.batching import windows, word_windows
from elmokit.encode.common_component import CommonComponent, fit_common_component
from elmokit.encode.layer_choice import GivenLayers, LayerChoice, all_views, layer_choice
from elmokit.encode.loading import Loaded, network_backend, opened
from elmokit.encode.memory import Memory, memory_in_bytes, share
from elmokit.encode.one_sentence import one_sentence
from elmokit.encode.outcome import Outcome, OutputValue, Precision
from elmokit.encode.pooling import PARTS, Part, Pooling, check_pooling
from elmokit.encode.results import Item, Positions, Result, SentenceVector, WordVectors, items
from elmokit.encode.word_weights import COUNTS_FILE, WordWeights
from elmokit.errors import ConfigError, ModelError
from elmokit.extras import install_command, needs
from elmokit.nn.config import NetworkConfig
from elmokit.progress import rate_bar
from elmokit.saved_model import SavedModel
from elmokit.text.given import given_text, given_texts
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_rows import WordRows
from elmokit.text.words import Word

if TYPE_CHECKING:
    from elmokit.encode.language_model import LanguageModel, Score, Substitute
    from elmokit.nn.layer_mix import LayerMix
    from elmokit.nn.network import ElmoNetwork, HasNetwork

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
        name: What it was loaded as; None for a network that was given.
        backend: What computes: "torch" or "onnx".
    """

    def __init__(
        self,
        model: ElmoNetwork | HasNetwork | Backend,
        *,
        rows: WordRows | None = None,
        mix: LayerMix | None = None,
        state: Start | None = None,
        notes: Sequence[str] = (),
        saved: SavedModel | None = None,
        preprocessing: Preprocessing | None = None,
        memory: Memory | None = None,
        device: str | None = None,
        folder: str | Path | None = None,
    ) -> None:
        """See `from_pretrained`. `rows` is how the model reads words; by default bytes. Without `device` the network
        stays where it is. `folder` is what `saved` was before: deprecated.

        Raises:
            ConfigError: `model` is a name or a path, or as `from_pretrained`.
        """
        if folder is not None:
            warnings.warn(
                "Encoder(folder=…) is deprecated: pass saved=SavedModel.open(folder), or use Encoder.from_pretrained.",
                DeprecationWarning,
                stacklevel=2,
            )
            saved = SavedModel.open(folder) if saved is None else saved
        if isinstance(model, str | Path):
            raise ConfigError(
                f"Encoder takes a network; got {str(model)!r}: Encoder.from_pretrained({str(model)!r}) loads a model."
            )
        self.memory = memory_in_bytes(memory)
        if isinstance(model, Backend):
            self._backend = model
        else:
            self._backend, found = network_backend(
                model, rows=rows, mix=mix, saved=saved, memory=self.memory, device=device
            )
            preprocessing = preprocessing or found
        if preprocessing is None and saved is not None:
            preprocessing = saved.preprocessing
        config = self._backend.config
        self.state: Start = _checked_state(state, config)
        self.notes = list(notes)
        self.preprocessing = preprocessing or Preprocessing()
        self.n_layers = config.n_layers + 1
        self.dim = config.hidden_size
        self.name: str | None = None
        self._saved = saved
        self._told_of_mix = False

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        *,
        backend: BackendName | None = None,
        device: str | None = None,
        dtype: str = "float32",
        state: Start | None = None,
        options: str | Path | None = None,
        vocabulary: str | Path | None = None,
        sha256: str | None = None,
        memory: Memory | None = None,
    ) -> Encoder:
        """Load any ELMo: of elmokit (a biLM, or a classifier with its trained layer mix), bilm-tf, AllenNLP, NLPL,
        SeqVec or ELMoForManyLangs.

        Args:
            path: A folder, `.zip` or `.hdf5` file, the http(s) address of one, or a hub repository's id.
            backend: What computes: "torch"; or "onnx", which needs no PyTorch and takes folders with a graph
                (`words.onnx`, `layers.onnx`), as the models that come with the package have. Default: "torch" where it
                is installed.
            device: "cpu", "cuda", "cuda:N" or "mps", of PyTorch. Default: the first of CUDA, MPS and CPU there is.
            dtype: Type the network computes in: "float32", "bfloat16" or "float16". Results are float32 in any case.
            state: "zero", "warm" or "carry". Default: "warm" for published weights, which were trained on an endless
                stream and never saw a zero state, "zero" for models trained here on single sentences.
            options: The options file of a `.hdf5` file if it is not in the same folder.
            vocabulary: The vocabulary of a word-level model if it is not in the folder of the weights.
            sha256: Checksum of a file that is downloaded.
            memory: What larger batches may take beyond the weights, in bytes or as "1GB": large models are faster with
                it, if `batch_size` lets enough sentences into a batch. Results do not depend on it. Default: as little
                as keeps the peak below 1.3 times the weights + 500 MB.

        Raises:
            ModelError: Nothing is there, or it is damaged, unsafe or of an unknown kind, or its parts do not fit.
            ConfigError: An unknown `backend`, `device`, `dtype`, `state` or `memory`; "warm" for a model without such a
                state; or something that the backend cannot do, with the extra that can.
        """
        found: Loaded = opened(
            path,
            backend=backend,
            device=device,
            dtype=dtype,
            warm=state in (None, "warm"),
            options=options,
            vocabulary=vocabulary,
            sha256=sha256,
            memory=memory_in_bytes(memory),
        )
        encoder = cls(
            found.backend,
            state=state,
            notes=found.notes,
            saved=found.saved,
            preprocessing=found.preprocessing,
            memory=memory,
        )
        encoder.name = str(path)
        return encoder

    @property
    def model(self) -> ElmoNetwork:
        """The network in PyTorch.

        Raises:
            ConfigError: The backend is ONNX.
        """
        network: ElmoNetwork = self._torch("the network itself (fine-tuning, its parameters)").model
        return network

    @property
    def mix(self) -> Mix | None:
        """The trained layer mix of a task's model; None without one."""
        return self._backend.mix

    @property
    def backend(self) -> BackendName:
        """What computes."""
        return self._backend.name

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda:0" …"""
        return self._backend.device

    def __repr__(self) -> str:
        named = "" if self.name is None else f"{self.name!r}, "
        return (
            f"Encoder({named}layers={self.n_layers}, dim={self.dim}, state={self.state!r}, backend={self.backend!r}, "
            f"device={self.device!r})"
        )

    @overload
    def encode(  # type: ignore[overload-overlap]
        self,
        sentences: str,
        *,
        layers: GivenLayers = ...,
        level: Level = ...,
        pooling: Pooling | None = ...,
        remove_common_component: bool | None = ...,
        positions: Positions | Sequence[int] | None = ...,
        batch_size: int = ...,
        show_progress_bar: bool = ...,
        normalize_embeddings: bool = ...,
    ) -> Array: ...

    @overload
    def encode(
        self,
        sentences: Iterable[Sentence],
        *,
        layers: GivenLayers = ...,
        level: Literal["token"] = ...,
        positions: Positions | None = ...,
        batch_size: int = ...,
        is_split_into_words: bool = ...,
        show_progress_bar: bool = ...,
        normalize_embeddings: bool = ...,
    ) -> list[Array]: ...

    @overload
    def encode(
        self,
        sentences: Iterable[Sentence],
        *,
        layers: GivenLayers = ...,
        level: Literal["sentence"],
        pooling: Pooling | None = ...,
        remove_common_component: bool | None = ...,
        batch_size: int = ...,
        is_split_into_words: bool = ...,
        show_progress_bar: bool = ...,
        normalize_embeddings: bool = ...,
    ) -> Array: ...

    @overload
    def encode(
        self,
        sentences: Iterable[Sentence],
        *,
        layers: GivenLayers = ...,
        level: Level = ...,
        pooling: Pooling | None = ...,
        remove_common_component: bool | None = ...,
        positions: Positions | None = ...,
        batch_size: int = ...,
        is_split_into_words: bool = ...,
        show_progress_bar: bool = ...,
        convert_to_tensor: bool = ...,
        normalize_embeddings: bool = ...,
        precision: Precision = ...,
        output_value: OutputValue | None = ...,
    ) -> Any: ...

    def encode(
        self,
        sentences: Iterable[Sentence],
        *,
        layers: GivenLayers = "all",
        level: Level = "token",
        pooling: Pooling | None = None,
        remove_common_component: bool | None = None,
        positions: Positions | Sequence[int] | None = None,
        batch_size: int = 256,
        is_split_into_words: bool = False,
        show_progress_bar: bool = False,
        convert_to_tensor: bool = False,
        normalize_embeddings: bool = False,
        precision: Precision = "float32",
        output_value: OutputValue | None = "level",
    ) -> Any:
        """Vectors of sentences, in the order given.

        Args:
            sentences: Texts, or lists of words with `is_split_into_words=True`. Any iterable, a generator too. One
                text, or one list of words with `is_split_into_words=True`, gives one result instead of a list.
            layers: "all" of them, the "top" one, their "average", the "mix" (that of a trained classifier, else the
                average), "concat" (side by side), the number of one (0 is the token layer, -1 the top), or a list or
                array of such numbers.
            level: A vector per word ("token") or per sentence ("sentence").
            pooling: Of a sentence's words: "mean"; "max" of each dimension; "mean+max", both side by side; "weighted",
                the mean weighted by log(1 + N / n)^1.5, from the model's word counts (`WordWeights`). Default:
                "weighted" if the model has word counts, as those of `elmo pretrain` do, else "mean".
            remove_common_component: Take the common component that the model holds off sentence vectors, see
                `fit_common_component`. Default: no.
            positions: For each sentence the numbers of the words whose vectors are wanted, from 0, negative from the
                end; only they are kept in memory. Of one sentence, its numbers.
            batch_size: Most sentences the network sees at once; the result does not depend on it. With
                `state="carry"` the most of a call: the sentences of a call are one batch.
            is_split_into_words: The sentences are lists of words, which stay whole.
            show_progress_bar: On stderr.
            convert_to_tensor: Return PyTorch tensors, on the encoder's device, instead of NumPy arrays.
            normalize_embeddings: Scale every vector to length 1: of words, or of sentences.
            precision: Of sentence vectors: "float32", "int8", "uint8", "binary" or "ubinary", see `Outcome`.
            output_value: sentence-transformers' name for `level`: "sentence_embedding" or "token_embeddings"; None
                gives both, as a dictionary per sentence. Default: what `level` says.

        Returns:
            For tokens a list of float32 arrays, (layers, words, dim) with "all" or a list of layers, (words,
            n_layers · dim) with "concat", else (words, dim); `words` may be 0, and with `positions` is their number.
            For sentences one array, (n, layers, dim), (n, n_layers · dim) or (n, dim), twice as wide with "mean+max";
            zero for a sentence without words. For one sentence its own array, without the list or the first axis.

        Raises:
            ConfigError: An unknown value of `layers`, `level`, `pooling`, `precision` or `output_value`, an option of
                the other level, a batch size below 1, or with `state="carry"` more sentences than that.
            ModelError: "weighted" for a model without word counts, or no common component to remove.
            DataError: A position that a sentence lacks, or not one list of positions per sentence.
            ValueError: A sentence is missing, or there is a text among lists of words or the other way round; with its
                number, from 1.
        """
        if (alone := one_sentence(sentences, is_split_into_words=is_split_into_words)) is not None:
            places: Any = None if positions is None else list(positions)
            flat = places is not None and all(isinstance(each, int | np.integer) for each in places)
            (result,) = self.encode(
                [alone],
                layers=layers,
                level=level,
                pooling=pooling,
                remove_common_component=remove_common_component,
                positions=[places] if flat else places,
                batch_size=batch_size,
                is_split_into_words=is_split_into_words,
                show_progress_bar=show_progress_bar,
                convert_to_tensor=convert_to_tensor,
                normalize_embeddings=normalize_embeddings,
                precision=precision,
                output_value=output_value,
            )
            return result
        if convert_to_tensor:
            needs("convert_to_tensor", "torch")
        outcome = Outcome(normalize_embeddings, precision, self.device if convert_to_tensor else None)
        asked: dict[str, Any] = {
            "layers": layers,
            "batch_size": batch_size,
            "is_split_into_words": is_split_into_words,
            "show_progress_bar": show_progress_bar,
        }
        of_sentences: dict[str, Any] = {"pooling": pooling, "remove_common_component": remove_common_component}
        if output_value is None:
            sentences = list(given_texts(sentences, is_split_into_words=is_split_into_words))
            words = self._encoded(sentences, outcome, level="token", positions=positions, **asked)
            whole = self._encoded(sentences, outcome, level="sentence", **asked, **of_sentences)
            return [
                {"token_embeddings": each, "sentence_embedding": vector}
                for each, vector in zip(words, whole, strict=True)
            ]
        return self._encoded(
            sentences, outcome, level=_level(level, output_value), positions=positions, **asked, **of_sentences
        )

    def _encoded(
        self, sentences: Iterable[Sentence], outcome: Outcome, *, level: Level, show_progress_bar: bool, **asked: Any
    ) -> Any:
        stacked = self.layer_choice(asked["layers"]).stacked is not None
        outcome.check(sentences=level == "sentence", stacked=stacked)
        total = len(sentences) if isinstance(sentences, Sequence) else None
        results = []
        with rate_bar("encoding", total, unit="sentences", show=show_progress_bar) as advance:
            for array in self.stream(sentences, level=level, **asked):
                results.append(array)
                advance(1)
        if level == "token":
            return outcome.of_words(results)
        shape = self.sentence_shape(layers=asked["layers"], pooling=asked["pooling"])
        return outcome.of_sentences(np.stack(results) if results else np.zeros((0, *shape), dtype=np.float32))

    def similarity(self, one: Any, other: Any) -> Array:
        """The cosine of each vector of `one` with each of `other`.

        Args:
            one: (n, D), or one vector (D,); arrays, lists of vectors or tensors.
            other: (m, D) or (D,).

        Returns:
            (n, m), from −1 to 1; 0 where a vector is zero.
        """
        return cosines(_matrix(one, "one"), _matrix(other, "other"))

    def similarity_pairwise(self, one: Any, other: Any) -> Array:
        """(n,) the cosine of each vector of `one` (n, D) with the one in the same place of `other` (n, D)."""
        left, right = _matrix(one, "one"), _matrix(other, "other")
        if left.shape != right.shape:
            raise ValueError(f"Expected as many vectors on both sides; got {left.shape} and {right.shape}.")
        return paired_cosines(left, right)

    def stream(
        self,
        sentences: Iterable[Sentence],
        *,
        layers: GivenLayers = "all",
        level: Level = "token",
        pooling: Pooling | None = None,
        remove_common_component: bool | None = None,
        positions: Positions | None = None,
        batch_size: int = 256,
        is_split_into_words: bool = False,
    ) -> Iterator[Array]:
        """`encode`, one array at a time: sentences are read, and arrays held, a few thousand at once."""
        if level not in ("token", "sentence"):
            raise ConfigError(f"Unknown level {level!r}. Expected 'token' or 'sentence'.")
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}; expected at least 1.")
        choice = self.layer_choice(layers)
        result: Result = WordVectors(choice)
        if level == "sentence":
            if positions is not None:
                raise ConfigError("positions select words: expected level 'token'.")
            result = self._sentence_vector(choice, pooling, remove_common_component)
        elif pooling is not None or remove_common_component is not None:
            given = "pooling" if pooling is not None else "remove_common_component"
            raise ConfigError(f"{given} applies to sentence vectors: expected level 'sentence'.")
        words = self._words(sentences, is_split_into_words=is_split_into_words)
        return self._stream(items(words, positions), result, batch_size=batch_size)

    def layer_choice(self, layers: GivenLayers) -> LayerChoice:
        """What `layers` gives for this model.

        Raises:
            ConfigError: An unknown value.
        """
        if isinstance(layers, str) and layers == "mix" and self.mix is None and not self._told_of_mix:
            self._told_of_mix = True
            log.warning(
                "this language model has no trained layer mix, so layers 'mix' is the plain average of its layers "
                "(layers 'average'); models of elmo train have one, unless they contain a language model of their own"
            )
        return layer_choice(layers, n_layers=self.n_layers, dim=self.dim, mix=self._mixed)

    def sentence_shape(self, *, layers: GivenLayers = "all", pooling: Pooling | None = None) -> tuple[int, ...]:
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
        every = all_views(n_layers=self.n_layers, dim=self.dim, mix=self._mixed)
        texts = self._words(sentences, is_split_into_words=is_split_into_words)
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
        self._backend.reset_state()

    def clear_cache(self) -> None:
        """Forget the vectors of words seen so far: needed after the model's weights, type or device have changed."""
        self._backend.clear_cache()

    def cached_words(self) -> tuple[list[str], Array]:
        """The words whose context-free vectors are kept, the least recently used first, and those vectors (n, P)."""
        return self._backend.cached_words()

    def restore_cached_words(self, words: Sequence[str], vectors: Array) -> None:
        """Back to what `cached_words` gave."""
        self._backend.restore_cached_words(words, vectors)

    def score(self, sentences: Iterable[Sentence], *, is_split_into_words: bool = False) -> list[Score]:
        """How surprising each word is to the language model, forward and backward.

        Raises:
            ModelError: The model has no language-model head (published files have none).
        """
        return self._language_model.score(list(self._words(sentences, is_split_into_words=is_split_into_words)))

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
        (words,) = self._words([sentence], is_split_into_words=not isinstance(sentence, str))
        return self._language_model.substitutes(words, i, k)

    @overload
    def words(self, text: str, *, pre_split: bool | None = ..., offsets: Literal[False] = ...) -> list[str]: ...

    @overload
    def words(self, text: str, *, pre_split: bool | None = ..., offsets: Literal[True]) -> list[Word]: ...

    def words(self, text: str, *, pre_split: bool | None = None, offsets: bool = False) -> list[str] | list[Word]:
        """The words of a raw text, cleaned and split as the text that the model was pretrained on.

        Args:
            text: The text.
            pre_split: Words are separated by spaces, or are not. Default: as in pretraining.
            offsets: Return each word with where it stands: `text[word.start:word.end]` is `word.text`.

        Raises:
            ConfigError: `offsets` for a model that cleans its text: cleaned words have no place in the raw one.
            ValueError: It is no text.
        """
        text = given_text(text)
        if not offsets:
            return self.preprocessing.words(text, pre_split=pre_split)
        return self.preprocessing.words_with_offsets(text, pre_split=pre_split)

    def fingerprint(self) -> str:
        """A checksum of configuration, weights, layer mix and dictionaries: other vectors, another checksum."""
        from importlib.metadata import version  # imports much that nothing else here needs

        text = [self.preprocessing.text_steps, self.preprocessing.pre_split]
        digest = hashlib.sha256(json.dumps([asdict(NetworkConfig.of(self._backend.config)), text]).encode())
        digest.update(json.dumps([version("elmokit"), self._backend.rows.lexicon()]).encode())
        for name, numbers in self._backend.weights():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(numbers).data)
        return digest.hexdigest()[:24]

    def pooling_fingerprint(self, pooling: Pooling | None = None, remove_common_component: bool | None = None) -> str:
        """A checksum of what makes one vector of a sentence: the word counts and the common component, where used."""
        weighted = (self.default_pooling if pooling is None else pooling) == "weighted"
        used = (self.word_weights if weighted else None, self.common_component if remove_common_component else None)
        return "-".join("" if part is None else part.fingerprint() for part in used)

    def set_threads(self, count: int) -> None:
        """CPU threads to compute with; PyTorch has one number for the whole process."""
        self._backend.set_threads(count)

    @property
    def _language_model(self) -> LanguageModel:
        backend = self._torch("the language-model head (score, substitutes)")
        found: LanguageModel = backend.language_model(zero_state=self.state == "zero")
        return found

    def _torch(self, what: str) -> Any:
        if self.backend != "torch":
            raise ConfigError(
                f"{what} needs the backend 'torch': {install_command('torch')}, then load with backend='torch'"
            )
        return self._backend

    @property
    def _mixed(self) -> Callable[[Sequence[Array]], Array] | None:
        return None if self._backend.mix is None else self._backend.mixed

    def _words(self, sentences: Iterable[Sentence], *, is_split_into_words: bool) -> Iterator[list[str]]:
        """The words of each sentence.

        Raises:
            ValueError: As `given_texts`, or a word is empty.
        """
        texts = given_texts(sentences, is_split_into_words=is_split_into_words)
        return (self.words(text) if isinstance(text, str) else _whole_words(text) for text in texts)

    def _stream(self, sentences: Iterable[Item], result: Result, *, batch_size: int) -> Iterator[Array]:
        found: dict[int, Array] = {}
        if self.state == "carry":
            together = list(sentences)
            if len(together) > batch_size:
                raise ConfigError(
                    f"state='carry' takes the sentences of a call as one batch; got {len(together)} with batch_size "
                    f"{batch_size}: call encode once a batch."
                )
            self._backend.carry([item.words for item in together], _taking(together, result, found))
            yield from (found[number] for number in range(len(together)))
            return
        most_words = max(_LEAST_WORDS, max(_WINDOW_BYTES, share(self.memory)) // (4 * self.dim * self.n_layers))
        most_sentences = batch_size * _WINDOW_BATCHES
        for window in word_windows(
            sentences, words=lambda item: len(item.words), most_sentences=most_sentences, most_words=most_words
        ):
            self._backend.each(
                [item.words for item in window],
                _taking(window, result, found),
                batch_size=batch_size,
                zero_state=self.state == "zero",
            )
            for number in range(len(window)):
                yield found.pop(number)

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
        if not remove:
            return SentenceVector(choice, pooling, weights, None)
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
        return SentenceVector(choice, pooling, weights, component)


def _whole_words(words: Sequence[str]) -> list[str]:
    found = list(words)
    if "" in found:
        raise ValueError(f"A sentence has an empty word: {str(found)[:60]}; leave out what only pads.")
    return found


def _checked_state(state: Start | None, config: NetworkConfig) -> Start:
    """
    Raises:
        ConfigError: An unknown state, or one that the model cannot start from.
    """
    if state not in (None, "zero", "warm", "carry"):
        raise ConfigError(f"Unknown state {state!r}. Expected 'zero', 'warm' or 'carry'.")
    if state == "warm" and not config.warm_state:
        raise ConfigError(
            "This model contains no warm state; models trained here start from zero. "
            "`elmo convert --warm-text FILE` makes one."
        )
    if state == "carry" and config.context_layers:
        raise ConfigError("The encoder of a translator (CoVe) carries no state: expected state 'zero'.")
    return state or ("warm" if config.warm_state else "zero")


def _level(level: Level, output_value: OutputValue) -> Level:
    levels: dict[str, Level] = {"level": level, "sentence_embedding": "sentence", "token_embeddings": "token"}
    if output_value not in levels:
        raise ConfigError(
            f"Unknown output_value {output_value!r}. Expected 'sentence_embedding', 'token_embeddings' or None."
        )
    return levels[output_value]


def _taking(window: Sequence[Item], result: Result, found: dict[int, Array]) -> Take:
    """Keeps the result of each sentence by its number."""

    def take(number: int, layers: Sequence[Array]) -> None:
        found[number] = result(window[number], layers)

    return take


def _matrix(vectors: Any, name: str) -> Array:
    """(n, D) in float32, of vectors in any form."""
    if not isinstance(vectors, np.ndarray):
        parts = vectors if isinstance(vectors, list | tuple) else [vectors]
        rows = [np.asarray(part.detach().cpu() if hasattr(part, "detach") else part) for part in parts]
        vectors = np.stack(rows) if isinstance(vectors, list | tuple) else rows[0]
    matrix: Array = np.atleast_2d(vectors).astype(np.float32, copy=False)
    if matrix.ndim != 2:
        raise ValueError(f"{name} has the shape {matrix.shape}; expected vectors (n, dim), or one vector (dim,).")
    return matrix
