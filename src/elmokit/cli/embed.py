"""`elmo embed`: contextual vectors of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from elmokit.cli.options import OptionsFile, PreSplit, VocabularyFile, layers_of, show_messages


def embed(
    model: Annotated[str, typer.Argument(help="Folder of any ELMo, .hdf5, .zip, http(s) address or hub id.")],
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="txt, csv, tsv, jsonl, conllu or fasta, also .gz; globs.")
    ],
    output: Annotated[Path, typer.Argument(help="The file to write: .hdf5 (as AllenNLP), .parquet or .npz.")],
    layers: Annotated[str, typer.Option(help="all, top, average, mix, concat, or numbers: 1, or 0,2.")] = "all",
    level: Annotated[Literal["token", "sentence"], typer.Option(help="A vector per word, or per sentence.")] = "token",
    pooling: Annotated[
        Literal["mean", "max", "mean+max", "weighted"] | None,
        typer.Option(help="Of the words of a sentence. [default: weighted if the model has word counts, else mean]"),
    ] = None,
    remove_common_component: Annotated[
        bool | None,
        typer.Option(
            "--remove-common-component/--keep-common-component",
            help="From sentence vectors, if the model has one (elmo convert --common-component-text). [default: keep]",
        ),
    ] = None,
    positions: Annotated[
        Path | None, typer.Option(help="Write only these words: a file with a line of numbers, from 0, per sentence.")
    ] = None,
    dtype: Annotated[Literal["float32", "float16"], typer.Option(help="Type of the vectors written.")] = "float32",
    compute: Annotated[
        Literal["float32", "bfloat16", "float16"], typer.Option(help="Type the network computes in.")
    ] = "float32",
    state: Annotated[
        Literal["zero", "warm"] | None,
        typer.Option(help="Where sentences start. [default: warm for published models, else zero]"),
    ] = None,
    options: OptionsFile = None,
    vocabulary: VocabularyFile = None,
    column: Annotated[str | None, typer.Option(help="Text column(s): name, or number without a header; '2-'.")] = None,
    pre_split: PreSplit = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sentences the network sees at once.")] = 256,
    memory: Annotated[
        str | None, typer.Option(help="What larger batches may take, as 1GB: large models run faster.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run for OUTPUT.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT if it exists.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no messages.")] = False,
) -> None:
    """Turn each line, row or sentence of INPUT into contextual word vectors.

    The n-th sentence, from 0, blank lines counted, is in .hdf5 the data set "n", (layers, words, dim), or (words, dim)
    for one layer; in .npz `vectors_n` and `words_n`; in .parquet a row per word. With --level sentence each has one
    vector per layer. Under torchrun each process writes a file of its own.
    """
    from elmokit.encode.embed_file import EmbedSettings, check_output, embed_file
    from elmokit.encode.encoder import Encoder
    from elmokit.text.files import expand_paths

    show_messages(quiet=quiet)
    settings = EmbedSettings(
        source=source, output=output, layers=layers_of(layers), level=level, pooling=pooling,
        remove_common_component=remove_common_component, positions=positions, dtype=dtype, column=column,
        pre_split=pre_split, batch_size=batch_size, threads=threads,
    )  # fmt: skip
    check_output(settings, overwrite=overwrite)  # and a missing file: neither should wait for the model
    expand_paths(source)
    encoder = Encoder.from_pretrained(
        model, dtype=compute, state=state, options=options, vocabulary=vocabulary, memory=memory
    )
    for note in encoder.notes:
        typer.echo(note, err=True)
    written = embed_file(encoder, settings, resume=resume, overwrite=overwrite, progress=not quiet)
    rate = written.words / max(written.seconds, 1e-9)
    typer.echo(f"{written.sentences:,} sentences, {written.words:,} words, {rate:,.0f} words/s", err=True)
    typer.echo(f"written to {written.path}")
