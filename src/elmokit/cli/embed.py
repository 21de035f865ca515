"""`elmo embed`: contextual vectors of a text file, written to an .npz file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from elmokit.errors import ConfigError, DataError

if TYPE_CHECKING:
    from elmokit.encode.encoder import Encoder, Layers

CHUNK = 4096  # sentences encoded before they are written


def embed(
    model: Annotated[Path, typer.Argument(help="Folder of a biLM or of a classifier.")],
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Text: txt, csv, tsv, jsonl, also .gz.")],
    output: Annotated[Path, typer.Argument(help="The .npz file to write.")],
    layers: Annotated[str, typer.Option(help="all, top, average, mix, or the number of one layer.")] = "all",
    level: Annotated[
        Literal["token", "sentence"], typer.Option(help="A vector a word, or the mean of each sentence.")
    ] = "token",
    column: Annotated[str | None, typer.Option(help="Text column(s): name, or number without a header; '2-'.")] = None,
    pre_split: Annotated[
        bool | None, typer.Option("--pre-split/--split-words", help="How words are found. [default: as in pretraining]")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sentences the network sees at once.")] = 64,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it exists.")] = False,
) -> None:
    """Turn each line or row of INPUT into contextual word vectors.

    OUTPUT holds for the n-th sentence, from 0, `vectors_n` (layers, words, dim), or (words, dim) for one layer, and
    `words_n`; with --level sentence one array `vectors` (n, layers, dim) or (n, dim).
    """
    if output.suffix != ".npz":
        raise ConfigError(f"OUTPUT is {output}, expected a name that ends in .npz")
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} exists: --overwrite replaces it")
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"the folder of OUTPUT, {output.absolute().parent}, does not exist")
    chosen: Any = int(layers) if layers.lstrip("-").isdigit() else layers
    from elmokit.encode.encoder import Encoder
    from elmokit.text.sources import expand_paths, read_texts

    expand_paths(source)  # a missing file should not wait for the model
    encoder = Encoder.from_pretrained(model)
    texts = read_texts(source, column=column)
    sentences = (text.split() if pre_split else encoder.words(text) for text in texts)
    make = _token_arrays if level == "token" else _sentence_arrays
    count = write_npz(output, make(encoder, sentences, chosen, batch_size))
    if count == 0:
        raise DataError(f"{source} holds no text")
    typer.echo(f"written to {output}")


def _token_arrays(
    encoder: Encoder, sentences: Iterator[list[str]], layers: Layers, batch_size: int
) -> Iterator[tuple[str, Any]]:
    import numpy as np

    from elmokit.encode.batching import windows

    number = 0
    for chunk in windows(sentences, CHUNK):
        arrays = encoder.encode(chunk, layers=layers, batch_size=batch_size, is_split_into_words=True)
        for words, array in zip(chunk, arrays, strict=True):
            yield f"vectors_{number}", array
            yield f"words_{number}", np.array(words, dtype=np.str_)
            number += 1


def _sentence_arrays(
    encoder: Encoder, sentences: Iterator[list[str]], layers: Layers, batch_size: int
) -> Iterator[tuple[str, Any]]:
    yield (
        "vectors",
        encoder.encode(sentences, layers=layers, level="sentence", batch_size=batch_size, is_split_into_words=True),
    )


def write_npz(path: Path, arrays: Iterable[tuple[str, Any]]) -> int:
    """Write named arrays one after the other, as `numpy.load` reads them; returns how many.

    The file appears when it is whole: a run that fails or is killed leaves the old one, or none.
    """
    import zipfile

    from numpy.lib.format import write_array

    partial = path.with_name(f".{path.name}.partial")
    count = 0
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, array in arrays:
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    write_array(member, array, allow_pickle=False)
                count += 1
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count
