"""`elmo probe`: what each layer of a model knows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from elmokit.cli.options import AnyModel, AsJson, files
from elmokit.errors import ConfigError
from elmokit.whole_files import json_text

if TYPE_CHECKING:
    from elmokit.analysis.probes import Probe

_Files = list[str] | None


def probe(
    model: AnyModel,
    train: Annotated[_Files, typer.Option(help="CoNLL files with the words and tags that probes learn from.")] = None,
    test: Annotated[_Files, typer.Option(help="CoNLL files on which they are measured.")] = None,
    word_column: Annotated[int, typer.Option(help="Column of the words, from 1.")] = 1,
    tag_column: Annotated[int, typer.Option(help="Column of the tags, from 1, or from the end with -1.")] = -1,
    text: Annotated[_Files, typer.Option(help="Text with spaces between words, for the pseudo-word probe.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the linear probe and of the drawn words.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure what each layer knows: tags (linear probe), homographs (nearest occurrence), and pseudo-words."""
    if (train is None) != (test is None):
        raise ConfigError("--train and --test belong together: probes of tags need both")
    if train is None and text is None:
        raise ConfigError("nothing to probe: give --train and --test with tags, or --text")
    from elmokit.analysis.probes import homograph_probe, pseudo_word_probe, tag_probe
    from elmokit.encode.encoder import Encoder
    from elmokit.report.markdown import markdown_table
    from elmokit.text.conll import read_conll
    from elmokit.text.readers import read_texts

    word, tag = (number - 1 if number > 0 else number for number in (word_column, tag_column))
    tagged = []
    for paths in filter(None, (files(train), files(test))):
        try:
            tagged.append([[(row[word], row[tag]) for row in rows] for rows in read_conll(paths)])
        except IndexError as error:
            columns = f"--word-column {word_column} and --tag-column {tag_column}"
            raise ConfigError(f"{', '.join(paths)}: a line lacks one of the columns {columns}") from error
    sentences = None if text is None else [each.words or each.text.split() for each in read_texts(files(text) or [])]
    encoder = Encoder.from_pretrained(model)
    probes: dict[str, Probe] = {}
    if tagged:
        probes["tags, linear probe"] = tag_probe(encoder, *tagged, seed=seed)
        probes["homographs, nearest occurrence"] = homograph_probe(encoder, *tagged)
    if sentences is not None:
        probes["pseudo-words, nearest occurrence"] = pseudo_word_probe(encoder, sentences, seed=seed)
    if as_json:
        typer.echo(json_text({name: asdict(found) for name, found in probes.items()}))
        return
    layers = len(next(iter(probes.values())).accuracy)
    head = ["", "cases", "without vectors", *(f"layer {layer}" for layer in range(layers))]
    rows = []
    for name, found in probes.items():
        best = max(found.accuracy)  # in bold
        shown = (f"**{score:.3f}**" if score == best else f"{score:.3f}" for score in found.accuracy)
        rows.append([name, f"{found.count:,}", f"{found.baseline:.3f}", *shown])
    typer.echo(markdown_table(head, rows))
