"""`elmo prepare`: a corpus of any size, ready for pretraining."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from elmokit.cli.options import CLEAN, FORMATS, NOT_SAID, AlreadySplit, Quiet, Reading, parts, reads_text, show_messages


@reads_text
def prepare(
    train: Annotated[list[str], typer.Argument(help=f"Training text: {FORMATS}, or addresses.")],
    output: Annotated[str, typer.Option(help="The folder to write, a path or an address.")],
    valid: Annotated[str | None, typer.Option(help="Held-out text.")] = None,
    reading: Reading = NOT_SAID,
    pre_split: AlreadySplit = False,
    clean: Annotated[str | None, typer.Option(help=CLEAN)] = None,
    min_count: Annotated[int, typer.Option(min=1, help="Rarer words are predicted as <UNK>.")] = 3,
    max_vocab: Annotated[int, typer.Option(min=1, help="Maximum size of the vocabulary that is predicted.")] = 50_000,
    max_types: Annotated[
        int,
        typer.Option(
            min=1, help="Maximum number of distinct words kept; rarer ones are read as <UNK>. Bounds the memory."
        ),
    ] = 4_000_000,
    max_words: Annotated[int, typer.Option(min=1, help="Longer lines are cut into pieces of this many words.")] = 200,
    max_characters: Annotated[int, typer.Option(min=3, help="Characters of a word that are kept.")] = 50,
    part_words: Annotated[int, typer.Option(min=1, help="Words of a shard, about.")] = 1_000_000,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Who reads the parts.")] = "local",
    actors: Annotated[int | None, typer.Option(min=1, help="Workers. [default: one per core]")] = None,
    address: Annotated[str | None, typer.Option(help="Ray cluster to join, or auto.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUTPUT.")] = False,
    quiet: Quiet = False,
) -> None:
    """Turn text into shards of word ids for elmo pretrain --corpus.

    The same command resumes a run that was stopped.
    """
    from elmokit.parts.engines.choice import chosen_engine
    from elmokit.pretrain.prepare.run import PrepareSettings, prepare_corpus_folder
    from elmokit.pretrain.prepare.text import TextSettings

    show_messages(quiet=quiet)
    text = TextSettings(reading.column, bool(pre_split), tuple(parts(clean) or ()), max_words, reading.files())
    info = prepare_corpus_folder(
        PrepareSettings(tuple(train), valid, text, min_count, max_vocab, max_types, max_characters, part_words),
        output,
        chosen_engine(engine, actors=actors, threads=1, address=address),
        overwrite=overwrite,
        progress=not quiet,
    )
    if quiet:
        return
    found = info["train"]
    typer.echo(
        f"{found['n_tokens']:,} words in {found['n_sentences']:,} sentences and {len(found['shards']):,} shards, "
        f"{info['n_types']:,} types, {info['vocab_size']:,} of them predicted",
        err=True,
    )
    typer.echo(f"written to {output}")
