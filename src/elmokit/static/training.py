"""`elmo train vectors`: text files to a file of static vectors."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, PositiveInt

from elmokit.errors import ConfigError, DataError
from elmokit.progress import rate_bar
from elmokit.static.numbered import NumberedText, number_text
from elmokit.static.vectors import WordVectors
from elmokit.text.file_settings import TextSettings
from elmokit.text.normalize import check_steps, normalize, normalize_words
from elmokit.text.readers import read_texts, refuse_unread_options
from elmokit.text.tokenized_text import warned_of_tokens
from elmokit.text.words import split_words
from elmokit.whole_files import JsonObject, check_new_file, json_text

log = logging.getLogger(__name__)

Method = Literal["svd", "cbow", "skipgram", "random"]


class VectorsConfig(TextSettings):
    """Settings of `elmo train vectors`.

    Attributes:
        train: Text files (globs too), as of `elmo pretrain`.
        output: File to write: `.txt`, `.vec` or `.bin` (word2vec), also `.gz`.
        column: Where the text stands in tables.
        normalize: Clean-up steps before splitting.
        pre_split: Words are separated by blanks already.
        method: svd, cbow, skipgram, or random: the baseline that any training should be above.
        dim: Size of a vector.
        window: Places to each side.
        min_count, max_vocab: Which words have a vector.
        epochs, negative, subsample, learning_rate: Of cbow and skipgram.
        smoothing, power: Of svd: of the context counts, of the singular values.
        seed: Of everything drawn.
        overwrite: Replace `output`.
        progress: Show a bar.
    """

    train: list[str]
    output: Path
    column: str | None = None
    normalize: Annotated[list[str], AfterValidator(check_steps)] = Field(default=[])
    pre_split: bool = False
    method: Method = "skipgram"
    dim: PositiveInt = 256
    window: PositiveInt = 4
    min_count: PositiveInt = 3
    max_vocab: PositiveInt | None = 50_000
    epochs: PositiveInt = 5
    negative: PositiveInt = 5
    subsample: float = 1e-3
    learning_rate: float = 0.025
    smoothing: float = 0.75
    power: float = 0.5
    seed: int = 1
    overwrite: bool = False
    progress: bool = True


def train_vectors(config: VectorsConfig) -> WordVectors:
    """Train, and write the vectors and, next to them, `OUTPUT.json`: settings, counts, loss by epoch, seconds.

    Raises:
        ConfigError: `output` exists or has an unknown ending, or there are more dimensions than words.
        DataError: The text cannot be read, or no word is frequent enough.
    """
    if not config.output.name.removesuffix(".gz").endswith((".txt", ".vec", ".bin")):
        raise ConfigError(f"output is {config.output}; expected a name that ends in .txt, .vec or .bin, also .gz")
    check_new_file(config.output, overwrite=config.overwrite, name="output")
    refuse_unread_options(config.file_options, pretokenized=config.pre_split)
    began = time.perf_counter()
    text = number_text(_sentences(config), min_count=config.min_count, max_vocab=config.max_vocab)
    known = int(text.counts.sum())
    log.info(
        "%s words, %s different, %.1f %% of the text",
        f"{len(text.ids):,}",
        f"{len(text.words):,}",
        100 * known / max(len(text.ids), 1),
    )
    losses: list[float] = []
    if config.method == "random":
        drawn = np.random.default_rng(config.seed).normal(size=(len(text.words), config.dim))
        vectors = WordVectors(text.words, drawn.astype(np.float32))
    elif config.method == "svd":
        from elmokit.static.svd import svd_vectors

        with rate_bar("counting and SVD", None, unit="sentences", show=config.progress):
            form = {"smoothing": config.smoothing, "power": config.power}
            vectors = svd_vectors(text, dim=config.dim, window=config.window, **form, seed=config.seed)
    else:
        vectors = _word2vec(text, config, losses)
    vectors.save(config.output)
    about: JsonObject = {
        "settings": config.model_dump(mode="json", exclude={"progress", "overwrite"}),
        "words": len(vectors),
        "tokens": len(text.ids),
        "known_tokens": known,
        "loss": losses,
        "seconds": time.perf_counter() - began,
    }
    config.output.with_name(f"{config.output.name}.json").write_text(json_text(about, indent=2), encoding="utf-8")
    return vectors


def _sentences(config: VectorsConfig) -> Iterator[list[str]]:
    records = read_texts(config.train, column=config.column, options=config.file_options)
    for record in records if config.pre_split else warned_of_tokens(records):
        if record.words is not None:
            yield normalize_words(record.words, config.normalize)
            continue
        cleaned = normalize(record.text, config.normalize)
        yield cleaned.split() if config.pre_split else split_words(cleaned)


def _word2vec(text: NumberedText, config: VectorsConfig, losses: list[float]) -> WordVectors:
    try:
        from elmokit.static.word2vec import word2vec_vectors
    except ImportError as error:
        raise ConfigError(
            "cbow and skipgram need gensim: pip install -c constraints.txt '.[static]', or --method svd"
        ) from error
    if config.method not in ("cbow", "skipgram"):
        raise ConfigError(f"{config.method} is no method of word2vec")

    def on_epoch(epoch: int, loss: float) -> None:
        losses.append(loss)
        log.info("epoch %d/%d  loss a word %.4f", epoch, config.epochs, loss)

    with rate_bar(config.method, len(text) * (config.epochs + 1), unit="sentences", show=config.progress) as advance:
        vectors = word2vec_vectors(
            text,
            method=config.method,
            dim=config.dim,
            window=config.window,
            negative=config.negative,
            epochs=config.epochs,
            subsample=config.subsample,
            learning_rate=config.learning_rate,
            seed=config.seed,
            on_sentence=lambda: advance(1),
            on_epoch=on_epoch,
        )
    if not (abs(vectors.matrix) < float("inf")).all():
        raise DataError("the training diverged: lower --set learning_rate")
    return vectors
