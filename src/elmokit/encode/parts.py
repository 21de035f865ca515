"""A corpus to a folder of vectors: what one part does, and the run over all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from elmokit.encode.backend import BackendName
from elmokit.encode.batching import word_windows
from elmokit.encode.encoder import Encoder, Level
from elmokit.encode.layer_choice import Layers
from elmokit.encode.output_shape import output_shape
from elmokit.encode.part_files import PartFormat, describe, part_files, part_writer
from elmokit.encode.pooling import Pooling
from elmokit.encode.results import Item
from elmokit.encode.skipping import SkippedLine, one_by_one, readable_records
from elmokit.encode.writers import OutputShape
from elmokit.errors import ConfigError, DataError
from elmokit.machine import processor_name
from elmokit.parts.engines import Engine
from elmokit.parts.folder import PartFolder
from elmokit.parts.lock import locked
from elmokit.parts.manifest import WHOLE, Share
from elmokit.parts.run import run_parts
from elmokit.parts.work import Counts, Part
from elmokit.places import Place
from elmokit.text.formats import has_ids
from elmokit.text.ranges import Range, as_file, cut, offset_of_line, options_of, places_of, warn_of_tokens
from elmokit.text.readers import Column, read_records, refuse_unread_options
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.whole_files import JsonObject

log = logging.getLogger(__name__)

_MOST_SENTENCES = 4096  # of a window
_WINDOW_BYTES = 64 << 20


@dataclass(frozen=True)
class PartSettings:
    """What the vectors of a corpus depend on.

    Attributes:
        model: As for `Encoder.from_pretrained`; every worker must reach it.
        options, vocabulary, backend, device, compute, state, memory: Likewise; `compute` is its `dtype`.
        layers, level, pooling, remove_common_component, batch_size: As in `Encoder.encode`.
        dtype: Of the vectors written.
        column, files: Where the text is in tables and JSON, and how the files are written.
        pre_split: Whether words are separated by spaces.
        threads: Of each worker.
        format: Of the parts.
        on_error: "stop", or "skip" lines that cannot be read or encoded.
    """

    model: str
    options: str | None = None
    vocabulary: str | None = None
    backend: BackendName | None = None
    device: str | None = None
    compute: str = "float32"
    state: Literal["zero", "warm"] | None = None
    memory: int | None = None
    layers: Layers = "all"
    level: Level = "token"
    pooling: Pooling | None = None
    remove_common_component: bool | None = None
    batch_size: int = 256
    dtype: Literal["float32", "float16"] = "float32"
    column: str | None = None
    files: FileOptions = AS_FOUND
    pre_split: bool | None = None
    threads: int = 1
    format: PartFormat = "parquet"
    on_error: Literal["stop", "skip"] = "stop"


@dataclass(frozen=True)
class Written:
    """What a run wrote; `complete` unless other jobs still have parts to do."""

    place: Place
    sentences: int
    words: int
    skipped: int
    seconds: float
    complete: bool


@dataclass(frozen=True)
class EmbedParts:
    """The work of `elmo embed` on a part. It is what travels to the workers.

    Attributes:
        weights: `_fingerprint` of the model as the driver sees it.
        kernels: Whether the driver runs compiled kernels: results differ in the last bits without.
    """

    settings: PartSettings
    output: str
    weights: str
    kernels: bool

    def open(self) -> Callable[[Part], Counts]:
        """Load the model.

        Raises:
            ModelError, ConfigError: It is not there, or not the same as that of the driver; or this node runs compiled
                kernels and the one that started the run does not, or the other way round.
        """
        settings = self.settings
        encoder = open_encoder(settings)
        encoder.set_threads(settings.threads)
        if _fingerprint(encoder, settings) != self.weights:
            raise ConfigError(f"{settings.model} differs from the model on the node that started the run")
        if _runs_kernels(encoder) != self.kernels:
            from elmokit.nn.native import library

            raise ConfigError(
                f"this node runs {library.status()}, the node that started the run does not: results would differ in "
                f"the last bits; install elmokit alike on all nodes, or set {library.SWITCH}=off on all"
            )
        return _EmbedPart(encoder, settings, Place(self.output))


def _fingerprint(encoder: Encoder, settings: PartSettings) -> str:
    """Of the model, and at the level of sentences of what pools their words."""
    if settings.level != "sentence":
        return encoder.fingerprint()
    pooled_by = encoder.pooling_fingerprint(settings.pooling, settings.remove_common_component)
    return f"{encoder.fingerprint()}-{pooled_by}"


def _runs_kernels(encoder: Encoder) -> bool:
    if encoder.backend != "torch":
        return False
    from elmokit.nn.native import library

    return library.kernels() is not None


def open_encoder(settings: PartSettings) -> Encoder:
    """The model of a run."""
    return Encoder.from_pretrained(
        settings.model,
        backend=settings.backend,
        device=settings.device,
        dtype=settings.compute,
        state=settings.state,
        options=settings.options,
        vocabulary=settings.vocabulary,
        memory=settings.memory,
    )


@dataclass
class _EmbedPart:
    """A worker's encoder, applied to part after part."""

    encoder: Encoder
    settings: PartSettings
    output: Place
    shape: OutputShape = field(init=False)
    most_words: int = field(init=False)

    def __post_init__(self) -> None:
        self.shape = output_shape(self.encoder, self.settings)
        self.most_words = max(1024, _WINDOW_BYTES // (4 * self.shape.dim * len(self.shape.layers or [0])))

    def __call__(self, part: Part) -> Counts:
        self.encoder.clear_cache()  # else the last bits depend on the parts that this worker had before
        place = self.output / part_files(self.settings.format).name(part.number)
        errors: list[SkippedLine] = []
        sentences = words = 0
        shape = replace(self.shape, ids=has_ids([part.range.file]))
        with place.written() as file, part_writer(file, self.settings.format, shape) as writer:
            for number, (text, item, vectors) in enumerate(self._vectors(part.range, errors)):
                writer.add(number, text, item, vectors)
                sentences, words = number + 1, words + len(item.words)
            counts = Counts(sentences, words, len(errors))
            describe(writer, counts, errors)
        return counts

    def _vectors(self, stretch: Range, errors: list[SkippedLine]) -> Iterator[tuple[str, Item, Any]]:
        skip = self.settings.on_error == "skip"
        done = 0
        windows = word_windows(
            self._sentences(stretch, errors),
            words=lambda sentence: len(sentence[1].words),
            most_sentences=_MOST_SENTENCES,
            most_words=self.most_words,
        )
        for window in windows:
            words = [item.words for _, item in window]
            if not skip:
                for (text, item), vectors in zip(window, self._encode(words), strict=True):
                    yield text, item, vectors
            else:
                for number, (vectors, reason) in enumerate(one_by_one(words, self._encode)):
                    text, item = window[number]
                    if vectors is None:
                        offset = done + number if stretch.unit != "bytes" else offset_of_line(stretch, done + number)
                        errors.append({"file": stretch.file, "offset": offset, "reason": reason, "text": text[:200]})
                        item, vectors = item._replace(words=[]), self._encode([[]])[0]
                    yield text, item, vectors
            done += len(window)

    def _encode(self, words: Any) -> list[Any]:
        settings = self.settings
        arrays = self.encoder.stream(
            words,
            layers=settings.layers,
            level=settings.level,
            pooling=settings.pooling,
            remove_common_component=settings.remove_common_component,
            batch_size=settings.batch_size,
            is_split_into_words=True,
        )
        return [array.astype(settings.dtype, copy=False) for array in arrays]

    def _sentences(self, stretch: Range, errors: list[SkippedLine]) -> Iterator[tuple[str, Item]]:
        with as_file(stretch, column=self.settings.column) as local:
            if local.stat().st_size == 0:
                return
            try:
                options = options_of(stretch, self.settings.files, column=self.settings.column)
                found: Any = read_records(local, columns=[Column(asked=self.settings.column)], options=options)
                if self.settings.on_error == "skip":
                    found = list(found)
            except DataError:
                if self.settings.on_error == "stop":
                    raise
                found, bad = readable_records(local, stretch, self.settings.column, options)
                errors += bad
            for record in found:
                text = record.text.strip()
                words = record.words
                if words is None:
                    words = self.encoder.words(text, pre_split=self.settings.pre_split)
                yield text, Item(words, id=record.id)


def embed_corpus(
    source: str | list[str],
    output: str,
    settings: PartSettings,
    engine: Engine,
    *,
    part_words: int = 100_000,
    share: Share = WHOLE,
    overwrite: bool = False,
    progress: bool = True,
) -> Written:
    """Write the vectors of a corpus as a folder of parts. A run that was stopped resumes by being called again.

    Args:
        source: Files, globs or addresses: text, CSV, TSV, JSON lines, Parquet, CoNLL-U, FASTA, plain or packed.
        output: The folder, a path or an address.
        settings: What the vectors depend on.
        engine: Who computes.
        part_words: About so many words go into a part.
        share: The parts of this job, where several jobs share the folder.
        overwrite: Drop what is in the folder.
        progress: Show a bar.

    Raises:
        ConfigError: The folder contains something else or a run with other settings, or another process writes to it.
        DataError: The input cannot be read, or the disk is full; parts that are done are kept.
        ModelError: The model cannot be loaded.
    """
    began = time.perf_counter()
    places = places_of(source)
    encoder = open_encoder(settings)
    pre_split = encoder.preprocessing.pre_split if settings.pre_split is None else settings.pre_split
    refuse_unread_options(settings.files, pretokenized=pre_split)
    output_shape(encoder, settings)  # checks them
    if not pre_split:
        warn_of_tokens(places[0], column=settings.column, options=settings.files)
    settings = replace(settings, backend=encoder.backend)  # that of every worker
    work = EmbedParts(settings, output, _fingerprint(encoder, settings), _runs_kernels(encoder))
    if encoder.notes:
        log.info("%s", "\n".join(encoder.notes))
    del encoder
    place = Place(output.rstrip("/"))
    folder = PartFolder(place, part_files(settings.format))
    lock = "_lock" if share.of == 1 else f"_lock-{share.number}-of-{share.of}"
    try:
        with locked(place / lock):
            folder.open(
                _identity(places, settings, work, part_words),
                lambda: (
                    stretch
                    for input_file in places
                    for stretch in cut(input_file, words=part_words, options=settings.files)
                ),
                notes={"processor": processor_name()},
                overwrite=overwrite,
            )
            run_parts(folder, engine, work, what="embedding", share=share, progress=progress)
            if folder.done.all() and not folder.counts[:, 1].any():
                raise DataError(f"{source} contains no text: no word was found in {folder.counts[:, 0].sum():,} lines")
            complete = folder.finish()
    except OSError as error:
        raise DataError(f"cannot write to {output}: {error.strerror or error}; what is done is kept") from error
    sentences, words, skipped = (int(count) for count in folder.counts.sum(axis=0))
    return Written(place, sentences, words, skipped, time.perf_counter() - began, complete)


def _identity(places: list[Place], settings: PartSettings, work: EmbedParts, part_words: int) -> JsonObject:
    """What runs with equal bytes have in common, on one kind of processor."""
    own = {key: value for key, value in asdict(settings).items() if key not in ("model", "options", "vocabulary")}
    return {
        "inputs": [place.address for place in places],
        "versions": [place.version() for place in places],
        "part_words": part_words,
        "weights": work.weights,
        "kernels": work.kernels,
        **own,
    }
