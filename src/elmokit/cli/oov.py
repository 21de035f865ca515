"""`elmo oov`: misspelt and out-of-vocabulary words."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from elmokit.cli.options import FORMATS, NOT_SAID, AlreadySplit, AsJson, Reading, files, reads_text
from elmokit.whole_files import json_text


@reads_text
def oov(
    models: Annotated[list[str], typer.Argument(help="Folders of models with the vocabulary of their training text.")],
    text: Annotated[list[str], typer.Option(help=f"Text whose words are misspelt: {FORMATS}.")],
    reading: Reading = NOT_SAID,
    pretokenized: AlreadySplit = False,
    slips: Annotated[int, typer.Option(min=2, help="Maximum number of misspelt words.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the misspellings.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure how well each layer recognises misspelt words, and distinguishes words no model saw in training."""
    from elmokit.analysis.unseen_words import find_slips, find_unseen, what_is_kept
    from elmokit.encode.encoder import Encoder
    from elmokit.pretrained import located
    from elmokit.report.markdown import markdown_table
    from elmokit.text.vocab import Vocabulary
    from elmokit.text.words import split_words

    vocabularies = [set(Vocabulary.load(located(model) / "vocab.txt").words) for model in models]
    split = str.split if pretokenized else split_words
    records = reading.texts(files(text) or [], pretokenized=bool(pretokenized))
    sentences = [record.words or split(record.text) for record in records]
    misspelt = find_slips(sentences, set.intersection(*vocabularies), most=slips, seed=seed)
    unseen = find_unseen(sentences, set.union(*vocabularies))
    found = []
    for model in models:
        encoder = Encoder.from_pretrained(model)
        for layer in range(encoder.n_layers):
            kept = what_is_kept(encoder, misspelt, unseen, layer=layer)
            found.append({"model": Path(model).name, "layer": layer, **asdict(kept)})
    if as_json:
        typer.echo(json_text({"misspelt": len(misspelt), "unseen": len(unseen), "layers": found}))
        return
    typer.echo(f"{len(misspelt)} misspelt words in their sentences, {len(unseen)} out-of-vocabulary words alone\n")
    head = ["model", "layer", "cosine to the correct word", "to another word", "correct word is nearest"]
    rows = [
        [str(each["model"]), str(each["layer"])]
        + ["—" if each[name] is None else f"{each[name]:.3f}" for name in ("cosine", "other", "found", "unseen_apart")]
        for each in found
    ]
    typer.echo(markdown_table([*head, "unseen words distinguished"], rows))
