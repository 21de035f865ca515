"""`elmo convert`: a model of any format to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from elmokit.cli.options import OptionsFile, Reading, SourceModel, SplitSentences, VocabularyFile
from elmokit.errors import ConfigError
from elmokit.extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elmokit.encode.common_component import CommonComponent
    from elmokit.interop.imported import Imported
    from elmokit.text.records import Record

Format = Literal["elmokit", "bilm"]


def convert(
    source: SourceModel,
    target: Annotated[Path, typer.Argument(metavar="DST", help="The folder to write, or a name that ends in .onnx.")],
    to: Annotated[
        Format, typer.Option(help="elmokit, or bilm: options.json + weights.hdf5 for bilm-tf and AllenNLP.")
    ] = "elmokit",
    options: OptionsFile = None,
    vocabulary: VocabularyFile = None,
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"], typer.Option(help="Type of the weights written.")
    ] = "float32",
    warm_text: Annotated[
        Path | None, typer.Option(help="Text to compute the warm state on: lines, CoNLL-U, FASTA. [default: English]")
    ] = None,
    common_component_text: Annotated[
        Path | None,
        typer.Option(help="Text to fit the common component of sentence vectors on: a sentence per line, or CoNLL-U."),
    ] = None,
    split_sentences: SplitSentences = None,
    pretokenized: Annotated[
        bool, typer.Option("--pretokenized/--split-words", help="Words of these texts are separated by spaces.")
    ] = False,
    graphs: Annotated[
        bool, typer.Option("--graphs", help="Also write ONNX graphs: the folder then loads without PyTorch.")
    ] = False,
    sha256: Annotated[str | None, typer.Option(help="SHA-256 checksum that a downloaded SRC must have.")] = None,
) -> None:
    """Convert any supported ELMo model to an elmokit folder or to bilm-tf/AllenNLP files.

    A published model gets its warm state on the way: the state its sentences start from.
    """
    onnx = target.suffix == ".onnx"
    folder, text = to == "elmokit" and not onnx, common_component_text
    refused = {
        f"{target} exists: choose another name": target.exists(),
        "--common-component-text: only a folder of elmokit contains a common component": text is not None
        and not folder,
        "--graphs: only a folder of elmokit contains graphs": graphs and not folder,
        f"--dtype {dtype}: the bilm-tf format stores float32": to == "bilm" and dtype != "float32",
        "DST ends in .onnx: leave --to and --dtype out": onnx and (to != "elmokit" or dtype != "float32"),
        "--warm-text: the bilm-tf format cannot store a warm state": warm_text and to == "bilm",
    }
    for message in (message for message, holds in refused.items() if holds):
        raise ConfigError(message)
    if graphs:
        needs("--graphs", "onnx")
    from elmokit.encode.carried import carry_over
    from elmokit.interop.bilm_hdf5 import write_bilm
    from elmokit.interop.graphs import write_graphs
    from elmokit.interop.loading import load, save
    from elmokit.text.words import split_words

    reading, sentences = Reading(split_sentences=split_sentences), None
    if warm_text is not None:
        split = str.split if pretokenized else split_words
        records = reading.texts(warm_text, pretokenized=pretokenized)
        sentences = [record.words or split(record.text) for record in records]
    found = load(
        source,
        options=options,
        vocabulary=vocabulary,
        dtype=dtype,
        sha256=sha256,
        warm=to == "elmokit",
        warm_text=sentences,
        whole=to == "elmokit" and not onnx,
    )
    for note in found.notes:
        typer.echo(note, err=True)
    if onnx:
        from elmokit.interop.onnx import export_onnx

        export_onnx(found.model, target)
    elif to == "bilm":
        write_bilm(found.model, found.rows, target)
    else:
        fitted = None
        if text is not None:
            pre_split = pretokenized or found.preprocessing.pre_split
            records = reading.texts(text, pretokenized=pre_split)
            fitted = _common_component(found, records, pre_split=pre_split)

        def add_files(folder: Path) -> None:
            carry_over(found.folder, folder, component=fitted)
            if graphs:
                write_graphs(found.model.config, folder)

        save(found, target, more=add_files)
    typer.echo(f"written to {target}")


def _common_component(found: Imported, records: Iterable[Record], *, pre_split: bool) -> CommonComponent:
    from elmokit.encode.encoder import Encoder

    encoder = Encoder(found.model, rows=found.rows, mix=found.mix, saved=found.saved, preprocessing=found.preprocessing)
    words = (record.words or encoder.words(record.text, pre_split=pre_split) for record in records)
    return encoder.fit_common_component(words, is_split_into_words=True)
