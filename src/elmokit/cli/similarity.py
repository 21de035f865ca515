"""`elmo similarity`: word similarity sets."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from elmokit.cli.options import AsJson, files
from elmokit.errors import ConfigError, DataError
from elmokit.whole_files import json_text

log = logging.getLogger(__name__)


def similarity(
    pairs: Annotated[list[str], typer.Argument(help="Files of word pairs with human scores: word1 word2 score.")],
    model: Annotated[list[str] | None, typer.Option(help="Folder of any ELMo; may be repeated.")] = None,
    vectors: Annotated[list[Path] | None, typer.Option(help="Static vectors, .txt, .vec or .bin; repeatable.")] = None,
    all_layers: Annotated[
        bool, typer.Option("--all-layers", help="Every layer of a model, not only the token layer.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print Spearman's ρ between cosines and human scores, on the word pairs that every model knows."""
    if not model and not vectors:
        raise ConfigError("nothing to compare: give --model or --vectors")
    from elmokit.analysis.similarity import Lookup, alone, context_free, rank_correlation, read_pairs, static
    from elmokit.encode.encoder import Encoder
    from elmokit.report.markdown import markdown_table
    from elmokit.static.vectors import WordVectors
    from elmokit.text.files import expand_paths

    sets = {path.stem: read_pairs(path) for path in expand_paths(files(pairs) or [])}
    words = {word for found in sets.values() for pair in found for word in pair[:2]}
    models: dict[str, Lookup] = {}
    for name in model or []:
        encoder = Encoder.from_pretrained(name)
        if all_layers:
            models |= {f"{Path(name).name}, layer {layer}": each for layer, each in enumerate(alone(encoder, words))}
        else:
            models[f"{Path(name).name}, token layer"] = context_free(encoder)
    models |= {path.name: static(WordVectors.load(path)) for path in vectors or []}
    found = {}
    for name, given in sets.items():
        try:
            found[name] = rank_correlation(given, models)
        except DataError as error:
            log.warning("%s is left out: %s", name, error)
    if not found:
        raise DataError("no set has three pairs that every model knows")
    if as_json:
        typer.echo(json_text({name: asdict(each) for name, each in found.items()}))
        return
    rows = [
        [name, f"{each.all_pairs:,}", f"{each.pairs:,}", *(f"{rho:.3f}" for rho in each.rho.values())]
        for name, each in found.items()
    ]
    typer.echo(markdown_table(["set", "pairs", "known to all", *models], rows))
