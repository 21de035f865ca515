"""`load`: any ELMo there is, as one model of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import nn

from elmokit.errors import ConfigError, ModelError
from elmokit.interop.imported import Imported
from elmokit.interop.recognise import recognised
from elmokit.nn.warm_state import DEFAULT_TEXT, warm_up
from elmokit.saved_model import BILM_FOLDER
from elmokit.saved_model.heads import BILM
from elmokit.saved_model.weights import DTYPES
from elmokit.saved_model.writing import write_model
from elmokit.text.sentence_pieces import PIECES_FILE
from elmokit.text.word_tokenizer import TOKENIZER_CONFIG_FILE, WordTokenizer

_BESIDE_THE_HEAD = ("vocab.txt", "training.yaml", "metrics.json", PIECES_FILE)


def load(
    source: str | Path,
    *,
    options: str | Path | None = None,
    vocabulary: str | Path | None = None,
    dtype: str = "float32",
    sha256: str | None = None,
    warm: bool = True,
    warm_text: Sequence[Sequence[str]] | None = None,
    whole: bool = False,
) -> Imported:
    """A model of any known format.

    Args:
        source: A folder or zip (bilm-tf, AllenNLP, NLPL, SeqVec, ELMoForManyLangs, elmokit), a `.hdf5` file, the
            http(s) address of a zip or `.hdf5` file, or the id of a hub repository that holds such files. A file of
            static vectors (`.vec`, `.txt`, `.bin`) becomes a model of one layer.
        options: The options file of a `.hdf5` file if it is not in the same folder; a path or an address.
        vocabulary: The vocabulary of a word-level model if it is not in the folder of the weights.
        dtype: "float32", "bfloat16" or "float16".
        sha256: Checksum of a file that is downloaded.
        warm: Compute the warm state of a published model (a few dozen steps of its LSTMs).
        warm_text: Sentences to compute it on, of a model of ours too; default: an English one.
        whole: Keep the head of a model of ours, for `save`.

    Raises:
        ModelError: Nothing is there, or it is damaged, unsafe, of an unknown kind, or its parts do not fit.
        ConfigError: An unknown `dtype`.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"Unknown dtype {dtype!r}. Expected one of: {', '.join(DTYPES)}.")
    with recognised(source, options=options, vocabulary=vocabulary, sha256=sha256) as found:
        model = found.read(dtype=dtype, whole=whole)
        if found.has_states and (warm_text is not None or (warm and found.starts_warm)):
            warm_up(model.model, model.rows, warm_text or DEFAULT_TEXT)
    return model


def save(found: Imported, folder: Path, *, more: Callable[[Path], None] | None = None) -> None:
    """Write a folder of ours: configuration, weights, tokenizer and what it looks up. It appears when it is whole.

    `more` writes further files into the folder before it appears.

    Raises:
        ModelError: The folder exists.
    """
    if folder.exists():
        raise ModelError(f"{folder} exists: choose another name")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        network: nn.Module = found.whole or found.model
        keeps = found.saved if found.whole is not None else None
        tokenizer = WordTokenizer(found.rows, "whitespace" if found.preprocessing.pre_split else "penn")
        if keeps is not None and (keeps.folder / TOKENIZER_CONFIG_FILE).is_file():  # of a head: as it was trained with
            tokenizer = keeps.tokenizer(word_rows=found.rows)
        write_model(
            partial,
            network,
            found.model.config,
            preprocessing=found.preprocessing,
            tokenizer=tokenizer,
            architecture=BILM if keeps is None else str(keeps.architecture),
            beside=None if keeps is None else keeps.values,
        )
        for name in _BESIDE_THE_HEAD:
            if keeps is not None and (keeps.folder / name).is_file():
                shutil.copy(keeps.folder / name, partial / name)
        if keeps is not None and (keeps.folder / BILM_FOLDER).is_dir():
            shutil.copytree(keeps.folder / BILM_FOLDER, partial / BILM_FOLDER)
        if more is not None:
            more(partial)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
