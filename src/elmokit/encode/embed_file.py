"""A file of sentences to a file of vectors: forecast, in parts that a killed run finds again, then put together."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elmokit.encode.batching import word_windows
from elmokit.encode.encoder import Encoder, Level
from elmokit.encode.layer_choice import Layers
from elmokit.encode.memory import share
from elmokit.encode.output_shape import output_shape
from elmokit.encode.pooling import Pooling
from elmokit.encode.position_file import read_positions
from elmokit.encode.results import Item, checked_positions
from elmokit.encode.writers import check_ending, forecast, writer_for
from elmokit.errors import ConfigError, DataError
from elmokit.progress import rate_bar
from elmokit.text.files import SourceStats, expand_paths
from elmokit.text.formats import has_ids
from elmokit.text.readers import Column, read_records, refuse_unread_options
from elmokit.text.records import AS_FOUND, FileOptions
from elmokit.text.tokenized_text import warned_of_tokens
from elmokit.whole_files import JsonObject, check_new_file, replacing, write_text

log = logging.getLogger(__name__)

_PART_BYTES = 64 << 20
_LEAST_WORDS, _MOST_SENTENCES = 1024, 4096  # of a part

Array = NDArray[Any]


@dataclass(frozen=True)
class EmbedSettings:
    """What is written.

    Attributes:
        source: Files or globs of any format of `text.readers`.
        output: The file; its ending chooses the format. Under `torchrun` each process writes one of its own.
        layers, level, pooling, remove_common_component: As in `Encoder.encode`.
        positions: A file with a line per sentence: the numbers of the words whose vectors are written.
        dtype: Of the vectors written, "float32" or "float16".
        column: Where the text is in tables and JSON.
        files: How the files are written, where that does not show.
        pre_split: Words are separated by blanks; None: as in pretraining.
        batch_size: Most sentences the network sees at once.
        threads: CPU threads; None: as they are.
    """

    source: str
    output: Path
    layers: Layers = "all"
    level: Level = "token"
    pooling: Pooling | None = None
    remove_common_component: bool | None = None
    positions: Path | None = None
    dtype: Literal["float32", "float16"] = "float32"
    column: str | None = None
    files: FileOptions = AS_FOUND
    pre_split: bool | None = None
    batch_size: int = 256
    threads: int | None = None


@dataclass(frozen=True)
class Embedded:
    """What was written."""

    path: Path
    sentences: int
    words: int
    seconds: float


def embed_file(
    encoder: Encoder, settings: EmbedSettings, *, resume: bool = False, overwrite: bool = False, progress: bool = True
) -> Embedded:
    """Write the vectors of every sentence of a file; n-th sentence, n-th entry, blank lines included.

    The run grows in a folder of parts next to `output`, which a killed run leaves for `resume`; the file it then makes
    is, byte for byte, the one of a run that was never killed.

    Raises:
        ConfigError: `output` exists, an unfinished run is in the way or had other settings, or the ending is unknown.
        DataError: The input cannot be read or contains no words, a position is past the end of its sentence, or the
            disk is too small.
        ModelError: As `Encoder.encode`.
    """
    began = time.perf_counter()
    rank, processes = _rank()
    output = check_output(settings, overwrite=overwrite)
    if settings.threads is not None:
        encoder.set_threads(settings.threads)
    refuse_unread_options(settings.files, pretokenized=_pretokenized(encoder, settings))
    shape = output_shape(encoder, settings, positions=settings.positions is not None)
    shape = replace(shape, ids=has_ids(expand_paths(settings.source)))
    numbers = shape.dim * len(shape.layers or [0])
    most_words = max(_LEAST_WORDS, max(_PART_BYTES, share(encoder.memory)) // (4 * numbers))
    stats = SourceStats()
    sizes = [_size(part) for part in _parts(encoder, settings, most_words, stats, first=True)]
    stats.warn()
    if not sum(size.words for size in sizes):
        raise DataError(f"{settings.source} contains no text: no word was found in {stats.lines:,} lines")
    mine = {number for number in range(len(sizes)) if number % processes == rank}

    folder = output.with_name(f".{output.name}.partial")
    identity = _identity(encoder, settings) | {"part_words": most_words, "processes": processes, "parts": len(sizes)}
    _open_folder(folder, identity, resume=resume, overwrite=overwrite)
    try:
        _compute_parts(
            folder,
            output,
            encoder,
            settings,
            most_words,
            [sizes[number] for number in sorted(mine)],
            mine,
            numbers=numbers,
            progress=progress,
        )
    except BaseException:
        if not any(folder.glob("*.npy")):  # nothing to continue from
            shutil.rmtree(folder)
        raise
    start = 0
    with writer_for(output, shape) as writer:
        for number, size in enumerate(sizes):
            if number in mine:
                for place, (text, item, vectors) in enumerate(_read_part(folder, number, settings.level)):
                    writer.add(start + place, text, item, vectors)
            start += size.sentences
    shutil.rmtree(folder)
    total = _sum(sizes[number] for number in mine)
    return Embedded(output, total.sentences, total.words, time.perf_counter() - began)


def _compute_parts(
    folder: Path,
    output: Path,
    encoder: Encoder,
    settings: EmbedSettings,
    most_words: int,
    sizes: list[_Size],
    mine: set[int],
    *,
    numbers: int,
    progress: bool,
) -> None:
    """The parts `mine`, of these sizes, that are not there yet."""
    sentences, words, rows = _sum(sizes)
    size = forecast(
        output,
        sentences=sentences,
        words=rows,
        level=settings.level,
        numbers=numbers,
        itemsize=np.dtype(settings.dtype).itemsize,
    )
    log.info("%s sentences, %s words: about %.2f GB in %s", f"{sentences:,}", f"{words:,}", size / 1e9, output)
    needed = 2 * size - sum(path.stat().st_size for path in folder.glob("*.npy"))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{output} and the parts it is made of need {needed / 1e9:.2f} GB, the disk has {free / 1e9:.2f} GB left: "
            "choose another disk, one layer (--layers top), or --dtype float16"
        )
    encoder.clear_cache()
    if (folder / "words.npz").is_file():
        with np.load(folder / "words.npz") as kept:
            encoder.restore_cached_words(json.loads(kept["words"].tobytes()), kept["vectors"])
    with rate_bar("embedding", words, unit="words", show=progress) as advance:
        for number, part in enumerate(_parts(encoder, settings, most_words, SourceStats())):
            if number in mine:
                if not (folder / f"{number}.npy").is_file():
                    _write_part(folder, number, encoder, settings, part)
                advance(_size(part).words)


def check_output(settings: EmbedSettings, *, overwrite: bool) -> Path:
    """The file this process will write.

    Raises:
        ConfigError: Its ending is unknown, it exists, or its folder does not.
    """
    output = settings.output
    rank, processes = _rank()
    if processes > 1:
        output = output.with_name(f"{output.stem}.rank{rank}-of-{processes}{output.suffix}")
    check_ending(output)
    check_new_file(output, overwrite=overwrite, name="OUTPUT")
    return output


def _rank() -> tuple[int, int]:
    """Number of this process and how many there are, as `torchrun` says."""
    rank, processes = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not processes.isdecimal() or int(processes) <= 1:
        return 0, 1
    if not rank.isdecimal() or int(rank) >= int(processes):
        raise ConfigError(f"RANK is {rank!r} with WORLD_SIZE {processes}; expected a number from 0 to one below that")
    return int(rank), int(processes)


Part = list[tuple[str, Item]]  # sentences: text, words, and the positions that are written


class _Size(NamedTuple):
    """Of a part: `rows` are the words whose vectors are written."""

    sentences: int
    words: int
    rows: int


def _size(part: Part) -> _Size:
    return _sum(_Size(1, len(item.words), len(item.chosen)) for _, item in part)


def _sum(sizes: Iterable[_Size]) -> _Size:
    sentences, words, rows = map(sum, zip(_Size(0, 0, 0), *sizes, strict=True))
    return _Size(sentences, words, rows)


def _parts(
    encoder: Encoder, settings: EmbedSettings, most_words: int, stats: SourceStats, *, first: bool = False
) -> Iterator[Part]:
    """The input in pieces whose vectors fit into memory; the same ones on every reading. The first one warns."""
    return word_windows(
        _sentences(encoder, settings, stats, first=first),
        words=lambda sentence: len(sentence[1].words),
        most_sentences=_MOST_SENTENCES,
        most_words=most_words,
    )


def _sentences(
    encoder: Encoder, settings: EmbedSettings, stats: SourceStats, *, first: bool
) -> Iterator[tuple[str, Item]]:
    """Text and words of each sentence, with the positions that its line of the file of positions names."""
    lines = None if settings.positions is None else read_positions(settings.positions)
    columns = [Column(asked=settings.column)]
    records = read_records(settings.source, columns=columns, options=settings.files, stats=stats)
    if first and not _pretokenized(encoder, settings):
        records = warned_of_tokens(records)
    number = 0
    for number, record in enumerate(records, start=1):
        text = record.text.strip()
        words = record.words if record.words is not None else encoder.words(text, pre_split=settings.pre_split)
        if lines is None:
            yield text, Item(words, id=record.id)
            continue
        wanted = next(lines, None)
        if wanted is None:
            raise DataError(f"{settings.positions} has {number - 1} lines; expected one for each sentence of INPUT")
        places = checked_positions(wanted, words, where=f"{settings.positions} line {number}")
        yield text, Item(words, places, record.id)
    if lines is not None and next(lines, None) is not None:
        raise DataError(f"{settings.positions} has more lines than the {number} sentences of INPUT")


def _pretokenized(encoder: Encoder, settings: EmbedSettings) -> bool:
    return bool(encoder.preprocessing.pre_split if settings.pre_split is None else settings.pre_split)


def _write_part(folder: Path, number: int, encoder: Encoder, settings: EmbedSettings, part: Part) -> None:
    """The vectors of a part, one behind the other along the words, and next to them what they belong to."""
    items = [item for _, item in part]
    arrays = list(
        encoder.stream(
            [item.words for item in items],
            layers=settings.layers,
            level=settings.level,
            pooling=settings.pooling,
            remove_common_component=settings.remove_common_component,
            batch_size=settings.batch_size,
            positions=None if settings.positions is None else [item.chosen for item in items],
            is_split_into_words=True,
        )
    )
    joined = np.concatenate(arrays, axis=-2) if settings.level == "token" else np.stack(arrays)
    (folder / f"{number}.json").write_text(json.dumps(part), encoding="utf-8")
    # The last bits of a word's vector depend on the words that went through the char CNN with it. A resumed run must
    # therefore find the vectors that the run before had, or its file would differ in those bits.
    words, vectors = encoder.cached_words()
    with replacing(folder / "words.npz") as partial, partial.open("wb") as file:
        np.savez(file, words=np.frombuffer(json.dumps(words).encode(), dtype=np.uint8), vectors=vectors)
    with replacing(folder / f"{number}.npy") as partial, partial.open("wb") as file:
        np.save(file, joined.astype(settings.dtype))


def _read_part(folder: Path, number: int, level: Level) -> Iterator[tuple[str, Item, Array]]:
    vectors = np.load(folder / f"{number}.npy")
    start = 0
    for place, (text, fields) in enumerate(json.loads((folder / f"{number}.json").read_text(encoding="utf-8"))):
        item = Item(*fields)
        if level == "token":
            yield text, item, vectors[..., start : start + len(item.chosen), :]
            start += len(item.chosen)
        else:
            yield text, item, vectors[place]


def _identity(encoder: Encoder, settings: EmbedSettings) -> JsonObject:
    """What a resumed run must have in common with the one before."""
    positions = [] if settings.positions is None else [settings.positions]
    pooled_by = ""
    if settings.level == "sentence":
        pooled_by = encoder.pooling_fingerprint(settings.pooling, settings.remove_common_component)
    inputs = [path.stat() for path in [*expand_paths(settings.source), *positions]]
    layers = settings.layers if isinstance(settings.layers, str | int) else list(settings.layers)
    return {
        "source": settings.source,
        "bytes": [found.st_size for found in inputs],
        "changed": [found.st_mtime_ns for found in inputs],
        "layers": layers,
        "level": settings.level,
        "pooling": settings.pooling,
        "remove_common_component": settings.remove_common_component,
        "pooled_by": pooled_by,
        "dtype": settings.dtype,
        "column": settings.column,
        "files": asdict(settings.files),
        "pre_split": settings.pre_split,
        "batch_size": settings.batch_size,
        "memory": encoder.memory,
        "state": encoder.state,
        "backend": encoder.backend,
        "device": encoder.device,
        "weights": encoder.fingerprint(),
    }


def _open_folder(folder: Path, identity: JsonObject, *, resume: bool, overwrite: bool) -> None:
    about = folder / "about.json"
    if folder.exists() and overwrite and not resume:
        shutil.rmtree(folder)
    if about.is_file():
        if not resume:
            raise ConfigError(
                f"an unfinished run for this file lies in {folder}: --resume continues, --overwrite drops it"
            )
        try:
            before = json.loads(about.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(f"{about} is damaged: --overwrite drops the unfinished run") from error
        for key, value in identity.items():
            if before.get(key) != value:
                raise ConfigError(
                    f"the unfinished run in {folder} has {key} = {before.get(key)!r}, this one {value!r}: "
                    "give the same settings, or --overwrite to start afresh"
                )
        return
    folder.mkdir(exist_ok=True)
    write_text(about, json.dumps(identity))
