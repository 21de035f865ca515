"""`elmo probe`: what each layer of a model knows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from elmokit.cli.options import files
from elmokit.errors import ConfigError
from elmokit.whole_files import json_text

if TYPE_CHECKING:
    from elmokit.analysis.probes import Probe, Tagged

_Files = list[str] | None


def probe(
    model: Annotated[str, typer.Argument(help="Folder of any ELMo, .hdf5, .zip, http(s) address or hub id.")],
    train: Annotated[_Files, typer.Option(help="CoNLL files with the words and tags that probes learn from.")] = None,
    test: Annotated[_Files, typer.Option(help="CoNLL files on which they are measured.")] = None,
    word_column: Annotated[int, typer.Option(help="Column of the words, from 1.")] = 1,
    tag_column: Annotated[int, typer.Option(help="Column of the tags, from 1, or from the end with -1.")] = -1,
    text: Annotated[_Files, typer.Option(help="Text with spaces between words, for the pseudo-word probe.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the linear probe and of the drawn words.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure what each layer knows: tags (linear probe), homographs (nearest occurrence), and pseudo-words."""
    if (train is None) != (test is None):
        raise ConfigError("--train and --test belong together: probes of tags need both")
    if train is None and text is None:
        raise ConfigError("nothing to probe: give --train and --test with tags, or --text")
    from elmokit.analysis.probes import homograph_probe, pseudo_word_probe, tag_probe
    from elmokit.encode.encoder import Encoder
    from elmokit.text.readers import read_texts

    tagged = [_tagged(files(given) or [], word_column, tag_column) for given in (train, test) if given is not None]
    sentences = (
        [record.words or record.text.split() for record in read_texts(files(text) or [])] if text is not None else None
    )
    encoder = Encoder.from_pretrained(model)
    probes: dict[str, Probe] = {}
    if tagged:
        probes["tags, linear probe"] = tag_probe(encoder, *tagged, seed=seed)
        probes["homographs, nearest occurrence"] = homograph_probe(encoder, *tagged)
    if sentences is not None:
        probes["pseudo-words, nearest occurrence"] = pseudo_word_probe(encoder, sentences, seed=seed)
    typer.echo(json_text({name: asdict(found) for name, found in probes.items()}) if as_json else _table(probes))


def _tagged(paths: list[str], word_column: int, tag_column: int) -> list[Tagged]:
    """The words and tags of every sentence."""
    from elmokit.text.conll import read_conll

    word, tag = (number - 1 if number > 0 else number for number in (word_column, tag_column))
    try:
        return [[(row[word], row[tag]) for row in rows] for rows in read_conll(paths)]
    except IndexError as error:
        columns = f"--word-column {word_column} and --tag-column {tag_column}"
        raise ConfigError(f"{', '.join(paths)}: a line lacks one of the columns {columns}") from error


def _table(probes: dict[str, Probe]) -> str:
    """Accuracy by layer, the best in bold."""
    from elmokit.report.markdown import markdown_table

    layers = len(next(iter(probes.values())).accuracy)
    head = ["", "cases", "without vectors", *(f"layer {layer}" for layer in range(layers))]
    rows = []
    for name, found in probes.items():
        best = max(found.accuracy)
        shown = (f"**{score:.3f}**" if score == best else f"{score:.3f}" for score in found.accuracy)
        rows.append([name, f"{found.count:,}", f"{found.baseline:.3f}", *shown])
    return markdown_table(head, rows)
