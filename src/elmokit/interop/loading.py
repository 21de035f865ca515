"""`load`: any ELMo there is, as one model of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, cast

import torch

from elmokit.errors import ConfigError, ModelError
from elmokit.interop.bilm_hdf5 import read_bilm
from elmokit.interop.imported import Imported
from elmokit.interop.many_langs import read_many_langs
from elmokit.interop.recognise import BilmFiles, ManyLangsFolder, VectorsFile, recognised
from elmokit.interop.word_vectors import static_model
from elmokit.models.loading import head_of, load_with_mix, word_rows_of
from elmokit.models.loading import load as load_ours
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.quiet import quiet_transformers
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.models.warm_state import DEFAULT_TEXT, warm_up
from elmokit.static.vectors import WordVectors
from elmokit.text.sentence_pieces import PIECES_FILE

OURS = "elmokit"
_BESIDE_THE_HEAD = ("vocab.txt", "training.yaml", "metrics.json", PIECES_FILE)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load(
    source: str | Path, *, options: str | Path | None = None, vocabulary: str | Path | None = None,
    dtype: str = "float32", sha256: str | None = None, warm: bool = True,
    warm_text: Sequence[Sequence[str]] | None = None, whole: bool = False,
) -> Imported:  # fmt: skip
    """A model of any known format.

    Args:
        source: A folder or zip (bilm-tf, AllenNLP, NLPL, SeqVec, ELMoForManyLangs, elmokit), a `.hdf5` file, the
            http(s) address of a zip or `.hdf5` file, or the id of a hub repository that holds such files. A file of
            static vectors (`.vec`, `.txt`, `.bin`) becomes a model of one layer.
        options: The options file of a `.hdf5` file when it does not lie beside it; a path or an address.
        vocabulary: The vocabulary of a word-level model when it does not lie beside the weights.
        dtype: "float32", "bfloat16" or "float16".
        sha256: Sum of a file that is downloaded.
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
        if isinstance(found, BilmFiles):
            model = read_bilm(found.options, found.weights, vocabulary=found.vocabulary, dtype=DTYPES[dtype])
        elif isinstance(found, ManyLangsFolder):
            model = read_many_langs(found.folder, dtype=DTYPES[dtype])
        elif isinstance(found, VectorsFile):
            return static_model(WordVectors.load(found.file))
        else:
            model = _ours(found.folder, dtype=dtype, whole=whole)
    if warm_text is not None or (warm and model.format != OURS):
        warm_up(model.model, model.rows, warm_text or DEFAULT_TEXT)
        if model.whole is not None:
            model.whole.config.warm_state = True
    return model


def _ours(folder: Path, *, dtype: str, whole: bool) -> Imported:
    rows = word_rows_of(folder, whole=whole)
    if not whole:
        bilm, mix = load_with_mix(folder, dtype=dtype)
        return Imported(bilm, rows, OURS, [], mix, folder=folder)
    kind = head_of(folder)
    if kind is None:
        return Imported(load_ours(ElmoModel, folder, dtype=dtype), rows, OURS, [], folder=folder)
    model = load_ours(kind, folder, dtype=dtype)
    return Imported(
        cast(ElmoModel, model.elmo), rows, OURS, [], getattr(model, "mix", None), whole=model, folder=folder
    )


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
        with quiet_transformers():
            (found.whole or found.model).save_pretrained(partial)
        for name in _BESIDE_THE_HEAD:
            if found.whole is not None and found.folder is not None and (found.folder / name).is_file():
                shutil.copy(found.folder / name, partial / name)
        _tokenizer_of(found).save_pretrained(partial)
        if more is not None:
            more(partial)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _tokenizer_of(found: Imported) -> ElmoTokenizer:
    """A tokenizer for the model; of a head of ours, the one it was trained with."""
    if found.whole is not None and found.folder is not None and (found.folder / "tokenizer_config.json").is_file():
        tokenizer: ElmoTokenizer = ElmoTokenizer.from_pretrained(found.folder)
        tokenizer.word_rows = found.rows
        return tokenizer
    split: Literal["penn", "whitespace"] = "whitespace" if found.model.config.pre_split else "penn"
    return ElmoTokenizer(word_rows=found.rows, split=split)
