"""`elmo evaluate`: perplexities of a language model on a text, or scores of a trained task on test files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from elmokit.cli.options import PreSplit, bleu_lines, files, parts
from elmokit.errors import ConfigError


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder that elmo pretrain or elmo train wrote.")],
    text: Annotated[
        list[str] | None, typer.Option(help="Text for perplexities: txt, csv, tsv, jsonl, also .gz; files or globs.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="Labelled rows, tagged sentences, questions, or sentences to translate.")
    ] = None,
    target: Annotated[list[str] | None, typer.Option(help="Translations of TEST, line by line.")] = None,
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
    text_column: Annotated[str | None, typer.Option(help="Text of TEST: name, or number without a header.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Label of TEST: likewise. [default: 1]")] = None,
    label_names: Annotated[Path | None, typer.Option(help="File with a name a line for the sorted labels.")] = None,
    word_column: Annotated[
        int | None,
        typer.Option(help="Words of tagged TEST, from 1, or from the end with -1. [default: as in training]"),
    ] = None,
    tag_column: Annotated[int | None, typer.Option(help="Tags of TEST: likewise.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the forward, backward and mean perplexity of MODEL on a text (full softmax) and its token count.

    With --test: the accuracy, precision, recall and F1 of a classifier on labelled rows, a tagger's F1 of spans,
    exact match and F1 of question answering (SQuAD 1.1), or with --target the BLEU of a translator.
    """
    if (text is None) == (test is None):
        raise ConfigError("give one of --text (perplexities of a language model) and --test (scores of a task)")
    if test is not None:
        rows = {"text_column": text_column, "label_column": label_column, "label_names": label_names}
        columns = {"word_column": word_column, "tag_column": tag_column}
        _scores(model, files(test) or [], files(target), rows, columns, as_json=as_json)
        return
    from elmokit.pretrain.perplexity import evaluate_text

    found = evaluate_text(
        model,
        text or [],
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


def _scores(
    model: Path, test: list[str], target: list[str] | None, rows: dict[str, Any], columns: dict[str, int | None], *,
    as_json: bool,
) -> None:  # fmt: skip
    from elmokit.models.loading import load_config

    heads = load_config(model).architectures or []
    if ("ElmoForTranslation" in heads) != (target is not None):
        raise ConfigError("a translator is measured with --test FILE --target FILE; other models have no --target")
    tags = "ElmoForTokenClassification" in heads
    labels = not tags and target is None and "ElmoForQuestionAnswering" not in heads
    for read, options, what in ((tags, columns, "tagged files"), (labels, rows, "labelled rows")):
        given = [name for name, value in options.items() if value is not None]
        if given and not read:
            raise ConfigError(f"--{given[0].replace('_', '-')} is of {what}, which {model} does not read")
    if target is not None:
        _bleu(model, test, target, as_json=as_json)
        return
    if tags:
        _span_scores(model, test, columns, as_json=as_json)
        return
    if "ElmoForQuestionAnswering" in heads:
        _answer_scores(model, test, as_json=as_json)
        return
    from elmokit.tasks.classification.scoring import score_classifier

    scores = score_classifier(model, test, **rows)
    if as_json:
        typer.echo(json.dumps(scores, ensure_ascii=False))
        return
    for trouble, count in scores["left_out"].items():
        typer.echo(f"{count:,} {trouble}")
    macro = scores["macro"]
    typer.echo(f"accuracy {scores['accuracy']:.4f} on {scores['rows']:,} rows")
    typer.echo(f"macro precision {macro['precision']:.4f}  recall {macro['recall']:.4f}  F1 {macro['f1']:.4f}")
    width = max(len(label) for label in scores["labels"])
    for label, each in scores["per_class"].items():
        figures = f"precision {each['precision']:.4f}  recall {each['recall']:.4f}  F1 {each['f1']:.4f}"
        typer.echo(f"  {label:<{width}}  {figures}  {each['rows']:,} rows")


def _span_scores(model: Path, test: list[str], columns: dict[str, int | None], *, as_json: bool) -> None:
    from elmokit.tasks.tagging.predict import Tagger

    scores = Tagger.from_pretrained(model).score(test, **columns)
    if as_json:
        typer.echo(json.dumps(scores, ensure_ascii=False))
        return
    typer.echo(f"{scores['spans']:,} spans in {scores['sentences']:,} sentences of {scores['words']:,} words")
    typer.echo(f"precision {scores['precision']:.4f}  recall {scores['recall']:.4f}  F1 {scores['f1']:.4f}")
    for label, each in scores["per_label"].items():
        typer.echo(f"  {label}  precision {each['precision']:.4f}  recall {each['recall']:.4f}  F1 {each['f1']:.4f}")


def _answer_scores(model: Path, test: list[str], *, as_json: bool) -> None:
    from elmokit.tasks.question_answering.predict import QuestionAnswerer

    scores = QuestionAnswerer.from_pretrained(model).score(test)
    if as_json:
        typer.echo(json.dumps(scores, ensure_ascii=False))
        return
    typer.echo(f"{scores['questions']:,} questions")
    for name, shown in (("exact_match", "exact match"), ("f1", "F1")):
        low, high = scores[f"{name}_interval"]
        typer.echo(f"{shown} {scores[name]:.2f} (95 % of draws of questions: {low:.2f} to {high:.2f})")


def _bleu(model: Path, test: list[str], target: list[str], *, as_json: bool) -> None:
    from elmokit.tasks.translation.predict import Translator

    scores = Translator.from_pretrained(model).score(test, target)
    typer.echo(json.dumps(scores) if as_json else bleu_lines(scores))
