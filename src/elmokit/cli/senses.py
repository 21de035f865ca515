"""`elmo senses`: the occurrences of a word in a text, grouped by their contextual vectors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from elmokit.cli.options import ANY_MODEL, INPUT, Column, Delimiter, Encoding, Header, Pretokenized, Quote, layers_of
from elmokit.errors import ConfigError
from elmokit.whole_files import json_text


def senses(
    word: Annotated[str, typer.Argument(help="The word, in any case.")],
    text: Annotated[list[str], typer.Option("--in", help=INPUT)],
    model: Annotated[str, typer.Option(help=ANY_MODEL)],
    layer: Annotated[str, typer.Option(help="top, average, mix, or the number of one layer.")] = "top",
    groups: Annotated[int | None, typer.Option(min=1, help="Number of groups. [default: found by silhouette]")] = None,
    most: Annotated[int, typer.Option(min=4, help="Maximum number of occurrences to analyse.")] = 1000,
    examples: Annotated[int, typer.Option(min=1, help="Sentences of each group that are printed.")] = 5,
    vectors: Annotated[Path | None, typer.Option(help="Static vectors, to see how they see the word.")] = None,
    column: Column = None,
    header: Header = None,
    delimiter: Delimiter = None,
    quote: Quote = None,
    encoding: Encoding = None,
    pretokenized: Pretokenized = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, all uses in it.")] = False,
) -> None:
    """Group the occurrences of WORD by their contextual vectors and print typical sentences of each group."""
    chosen = layers_of(layer)
    if chosen == "all" or isinstance(chosen, list):
        raise ConfigError(f"--layer is {layer}; expected top, average, mix, concat or a number")
    from elmokit.analysis.occurrences import find_occurrences
    from elmokit.analysis.senses import LEAST, group_occurrences
    from elmokit.encode.encoder import Encoder
    from elmokit.text.columns import Column as TextColumn
    from elmokit.text.files import expand_paths
    from elmokit.text.readers import read_records
    from elmokit.text.records import FileOptions
    from elmokit.text.sentence_borders import split_sentences
    from elmokit.text.tokenized_text import warned_of_tokens

    expand_paths(text)
    encoder = Encoder.from_pretrained(model)
    records = read_records(
        text, columns=[TextColumn(asked=column)], options=FileOptions(header, delimiter, quote, encoding)
    )
    if not (encoder.preprocessing.pre_split if pretokenized is None else pretokenized):
        records = warned_of_tokens(records)
    sentences = (
        record.words if record.words is not None else encoder.words(sentence, pre_split=pretokenized)
        for record in records
        if record.words is not None or word.lower() in record.text.lower()
        for sentence in ([record.text] if record.words is not None else split_sentences(record.text))
    )
    occurrences = find_occurrences(word, sentences, most=most, least=LEAST)
    found = group_occurrences(word, occurrences, encoder, layer=chosen, groups=groups)
    near = [] if vectors is None else _static_neighbours(vectors, word)
    if as_json:
        shown = [
            {"uses": [asdict(each) for each in group.occurrences], "keywords": group.keywords} for group in found.groups
        ]
        content = {"word": found.word, "groups": shown, "silhouette": found.silhouette, "static_neighbours": near}
        typer.echo(json_text(content))
        return
    total, count = len(occurrences), len(found.groups)
    kinds = "one group" if count == 1 else f"{count} groups, silhouette {found.silhouette:.2f}"
    typer.echo(f"{total} occurrences of {found.word!r}: {kinds}")
    for number, group in enumerate(found.groups, 1):
        about = f": {', '.join(group.keywords)}" if group.keywords else ""
        typer.echo(f"\n{number}. {len(group.occurrences)} occurrences{about}")
        for each in group.occurrences[:examples]:
            typer.echo(f"   {each.in_context(44)}")
    typer.echo(f"\nA static vector is one point for all {total} occurrences.")
    if near:
        typer.echo(f"Nearest to it: {', '.join(f'{name} {cosine:.2f}' for name, cosine in near)}")


def _static_neighbours(path: Path, word: str) -> list[tuple[str, float]]:
    from elmokit.static.vectors import WordVectors

    vectors = WordVectors.load(path)
    known = next((each for each in (word, word.lower()) if each in vectors), None)
    if known is None:
        raise ConfigError(f"{path} has no vector for {word!r}")
    return vectors.nearest(known, 8)
