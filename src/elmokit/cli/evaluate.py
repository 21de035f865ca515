"""`elmo evaluate`: perplexities of a pretrained model on a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from elmokit.cli.options import PreSplit, parts


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder that elmo pretrain wrote.")],
    text: Annotated[list[str], typer.Option(help="Text: txt, csv, tsv, jsonl, also .gz; files or globs.")],
    column: Annotated[str | None, typer.Option(help="Text column(s): name, or number without a header; '2-'.")] = None,
    pre_split: PreSplit = None,
    clean: Annotated[str | None, typer.Option(help="Clean-up steps. [default: as in pretraining]")] = None,
    next_word: Annotated[
        bool, typer.Option("--next-word", help="Also next-word accuracy, precision, recall, F1.")
    ] = False,
    state: Annotated[
        Literal["zero", "warm", "carry"],
        typer.Option(help="Where sentences start; carry: one stream, as on Penn Treebank."),
    ] = "zero",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the forward, backward and mean perplexity of MODEL on a text (full softmax), and its token count."""
    from elmokit.pretrain.perplexity import evaluate_text

    found = evaluate_text(
        model,
        text,
        column=column,
        pre_split=pre_split,
        normalize=parts(clean),
        next_word=next_word,
        state=state,
    )
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
        return
    perplexity, guesses = found.perplexity, found.next_word
    typer.echo(f"{found.words:,} words in {found.sentences:,} sentences, {found.unknown:,} of them unknown")
    typer.echo(f"perplexity  forward {perplexity.forward:,.2f}", nl=perplexity.backward is None)
    if perplexity.backward is not None:
        typer.echo(f"  backward {perplexity.backward:,.2f}  mean {perplexity.mean:,.2f}")
    if guesses is not None:
        typer.echo(
            f"next word   right {guesses.top1:.4f}  among five {guesses.top5:.4f}  weighted precision "
            f"{guesses.precision:.4f}  recall {guesses.recall:.4f}  F1 {guesses.f1:.4f}"
        )
