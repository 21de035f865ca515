"""`elmo embed`: contextual vectors of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from elmokit.cli.options import (
    INPUT,
    NOT_SAID,
    AnyModel,
    Backend,
    Device,
    OptionsFile,
    Overwrite,
    Pretokenized,
    Quiet,
    Reading,
    Threads,
    VocabularyFile,
    bound_memory,
    layers_of,
    reads_text,
    show_messages,
)
from elmokit.errors import ConfigError

if TYPE_CHECKING:
    from elmokit.encode.parts import PartSettings
    from elmokit.parts.engines import Engine


@reads_text
def embed(
    model: AnyModel,
    source: Annotated[str, typer.Argument(metavar="INPUT", help=INPUT)],
    output: Annotated[
        str, typer.Argument(help="File to write, .hdf5 (as AllenNLP), .parquet or .npz; or a folder of parts, OUT/.")
    ],
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
    backend: Backend = None,
    device: Device = None,
    state: Annotated[
        Literal["zero", "warm"] | None,
        typer.Option(help="Where sentences start. [default: warm for published models, else zero]"),
    ] = None,
    options: OptionsFile = None,
    vocabulary: VocabularyFile = None,
    reading: Reading = NOT_SAID,
    pretokenized: Pretokenized = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sentences the network sees at once.")] = 256,
    memory: Annotated[
        str | None, typer.Option(help="Memory that larger batches may use, as 1GB; speeds up large models.")
    ] = None,
    threads: Threads = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the interrupted run in OUTPUT.")] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    engine: Annotated[
        Literal["local", "ray"] | None,
        typer.Option(help="Engine that computes the parts of a folder. [default: local]"),
    ] = None,
    actors: Annotated[
        int | None, typer.Option(min=1, help="Workers with a model each. [default: one per --threads cores]")
    ] = None,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of each Ray actor; may be a fraction.")] = 0,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster to join, or auto. [default: one of this machine, for this run]")
    ] = None,
    parts: Annotated[
        str | None, typer.Option(help="i/n: only the i-th of n shares of the parts, e.g. in a Slurm array.")
    ] = None,
    part_words: Annotated[int, typer.Option(min=1, help="Approximate number of words per part.")] = 100_000,
    part_format: Annotated[Literal["parquet", "hdf5"], typer.Option("--format", help="Of the parts.")] = "parquet",
    on_error: Annotated[
        Literal["stop", "skip"], typer.Option(help="Lines that cannot be read: stop, or list them in _errors.jsonl.")
    ] = "stop",
) -> None:
    """Turn each line, row or sentence of INPUT into contextual word vectors.

    The n-th sentence, from 0, blank lines counted, is in .hdf5 the data set "n", (layers, words, dim), or (words, dim)
    for one layer; in .npz `vectors_n` and `words_n`; in .parquet a row per word. With --level sentence each has one
    vector per layer. Under torchrun each process writes a file of its own.

    A folder OUT/ gets the corpus in parts, part-0000000.parquet and so on, computed by several processes or a Ray
    cluster; the same command resumes a run that was stopped. Local paths and addresses (s3://) both work.
    """
    from elmokit.encode.embed_file import EmbedSettings, check_output, embed_file
    from elmokit.encode.writers import ENDINGS
    from elmokit.interop.recognise import refuse_nothing
    from elmokit.places import is_address
    from elmokit.text.files import expand_paths
    from elmokit.text.formats import reader_of

    show_messages(quiet=quiet)
    bound_memory()
    if is_address(output) and output.endswith(ENDINGS):
        raise ConfigError(f"OUTPUT {output} is a file at an address: name a folder of parts, {output}.d/ (--format)")
    to_folder = is_address(output) or output.endswith("/") or Path(output).is_dir() or not Path(output).suffix
    as_files = reading.files()
    if engine or parts or to_folder:
        if positions is not None:
            raise ConfigError("--positions needs a single file as OUTPUT, without --engine or --parts")
        from elmokit.encode.memory import memory_in_bytes
        from elmokit.encode.parts import PartSettings
        from elmokit.parts.engines.choice import chosen_engine

        part_settings = PartSettings(
            model,
            options=options,
            vocabulary=vocabulary,
            backend=backend,
            device=device,
            compute=compute,
            state=state,
            memory=memory_in_bytes(memory),
            layers=layers_of(layers),
            level=level,
            pooling=pooling,
            remove_common_component=remove_common_component,
            batch_size=batch_size,
            dtype=dtype,
            column=reading.column,
            files=as_files,
            pre_split=pretokenized,
            threads=threads or 1,
            format=part_format,
            on_error=on_error,
        )
        computed_by = chosen_engine(
            engine or "local", actors=actors, threads=part_settings.threads, gpus=gpus, address=address
        )
        embed_parts(
            source,
            output,
            part_settings,
            computed_by,
            part_words=part_words,
            share=parts,
            overwrite=overwrite,
            quiet=quiet,
        )
        return
    settings = EmbedSettings(
        source=source,
        output=Path(output),
        layers=layers_of(layers),
        level=level,
        pooling=pooling,
        remove_common_component=remove_common_component,
        positions=positions,
        dtype=dtype,
        column=reading.column,
        files=as_files,
        pre_split=pretokenized,
        batch_size=batch_size,
        threads=threads,
    )
    check_output(settings, overwrite=overwrite)  # as the input: neither should wait for the model
    for path in expand_paths(source):
        reader_of(path)
    refuse_nothing(model)
    from elmokit.encode.encoder import Encoder

    encoder = Encoder.from_pretrained(
        model,
        backend=backend,
        device=device,
        dtype=compute,
        state=state,
        options=options,
        vocabulary=vocabulary,
        memory=memory,
    )
    for note in [] if quiet else encoder.notes:
        typer.echo(note, err=True)
    written = embed_file(encoder, settings, resume=resume, overwrite=overwrite, progress=not quiet)
    if quiet:
        return
    typer.echo(_pace(written.sentences, written.words, written.seconds), err=True)
    typer.echo(f"written to {written.path}")


def embed_parts(
    source: str,
    output: str,
    settings: PartSettings,
    engine: Engine,
    *,
    part_words: int,
    share: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """A corpus to a folder of parts."""
    from elmokit.encode.parts import embed_corpus
    from elmokit.parts.manifest import WHOLE, parse_share

    written = embed_corpus(
        source,
        output,
        settings,
        engine,
        part_words=part_words,
        share=WHOLE if share is None else parse_share(share),
        overwrite=overwrite,
        progress=not quiet,
    )
    if quiet:
        return
    skipped = f", {written.skipped:,} lines skipped (_errors.jsonl)" if written.skipped else ""
    typer.echo(f"{_pace(written.sentences, written.words, written.seconds)}{skipped}", err=True)
    typer.echo(f"written to {written.place}" if written.complete else f"{share} written; other parts are still missing")


def _pace(sentences: int, words: int, seconds: float) -> str:
    return f"{sentences:,} sentences, {words:,} words, {words / max(seconds, 1e-9):,.0f} words/s"
