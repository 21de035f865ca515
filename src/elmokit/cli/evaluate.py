"""`elmo evaluate`: perplexities of a language model on a text, or scores of a trained task on test files."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from elmokit.cli.inputs import check_files
from elmokit.cli.options import FORMATS, NOT_SAID, AsJson, Pretokenized, Reading, files, parts, reads_text
from elmokit.errors import ConfigError
from elmokit.tasks import TASKS, task_of
from elmokit.whole_files import json_text

if TYPE_CHECKING:
    from elmokit.analysis.minimal_pairs import PairFigures
    from elmokit.pretrain.perplexity import TextEvaluation
    from elmokit.text.records import FileOptions


@reads_text
def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder that elmo pretrain or elmo train wrote.")],
    text: Annotated[list[str] | None, typer.Option(help=f"Text for perplexities: {FORMATS}.")] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="Labelled rows, tagged sentences, questions, or sentences to translate.")
    ] = None,
    minimal_pairs: Annotated[
        list[str] | None, typer.Option(help="Pairs of a good and a bad sentence, as BLiMP: JSON lines, TSV, CSV.")
    ] = None,
    pair_columns: Annotated[
        str | None, typer.Option(help="Columns of pairs: GOOD,BAD[,PARADIGM[,GROUP]]. [default: those of BLiMP]")
    ] = None,
    target: Annotated[list[str] | None, typer.Option(help="Translations of TEST, line by line.")] = None,
    reading: Reading = NOT_SAID,
    pretokenized: Pretokenized = None,
    clean: Annotated[str | None, typer.Option(help="Clean-up steps. [default: as in pretraining]")] = None,
    next_word: Annotated[
        bool, typer.Option("--next-word", help="Also next-word accuracy, precision, recall, F1.")
    ] = False,
    state: Annotated[
        Literal["zero", "warm", "carry"],
        typer.Option(help="Where sentences start; carry: one stream, as on Penn Treebank."),
    ] = "zero",
    precision: Annotated[
        Literal["float32", "bfloat16"],
        typer.Option(help="bfloat16: faster where the processor supports it; changes the fourth digit."),
    ] = "float32",
    text_column: Annotated[str | None, typer.Option(help="Text of TEST: name, or number from 1.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Label of TEST: likewise. [default: 1]")] = None,
    label_names: Annotated[Path | None, typer.Option(help="File with a name per line for the sorted labels.")] = None,
    word_column: Annotated[
        str | None,
        typer.Option(help="Words of tagged TEST: from 1, from the end with -1, or by name. [default: as in training]"),
    ] = None,
    tag_column: Annotated[str | None, typer.Option(help="Tags of TEST: likewise.")] = None,
    file_scheme: Annotated[
        Literal["BIO", "IOB1", "BIOES", "BILOU", "BMES", "IO", "plain"] | None,
        typer.Option(help="What the tags of TEST are. [default: as in training]"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Also write word, gold and predicted tag of tagged TEST, for conlleval.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the forward, backward and mean perplexity of MODEL on a text (full softmax) and its token count.

    Several files are reported one by one and all together.

    With --test: the accuracy, precision, recall and F1 of a classifier on labelled rows, a tagger's F1 of spans,
    exact match and F1 of question answering (SQuAD), or with --target the BLEU of a translator.

    With --minimal-pairs: how often the good sentence of a pair has the higher probability, forward, backward and with
    both together, for each paradigm and group; ties count half.
    """
    if sum(given is not None for given in (text, test, minimal_pairs)) != 1:
        raise ConfigError(
            "give one of --text (perplexities of a language model), --test (scores of a task) and --minimal-pairs"
        )
    if pair_columns is not None and minimal_pairs is None:
        raise ConfigError("--pair-columns names the columns of --minimal-pairs, which was not given")
    from elmokit.text.records import AS_FOUND

    as_files = reading.files()
    if test is not None:
        options = {
            "target": files(target),
            "text_column": text_column,
            "label_column": label_column,
            "label_names": label_names,
            "word_column": word_column,
            "tag_column": tag_column,
            "file_scheme": file_scheme,
            "output": output,
            "file_options": None if as_files == AS_FOUND else as_files,
        }
        asked = {name: value for name, value in options.items() if value is not None}
        _scores(model, files(test) or [], asked, as_json=as_json)
        return
    if minimal_pairs is not None:
        _minimal_pairs(model, minimal_pairs, pair_columns, as_files, pretokenized=pretokenized, as_json=as_json)
        return
    from elmokit.saved_model import SavedModel

    SavedModel.open(model)
    check_files(text or [], "--text")
    from elmokit.pretrain.perplexity import evaluate_text

    found = evaluate_text(
        model,
        text or [],
        column=reading.column,
        pre_split=pretokenized,
        normalize=parts(clean),
        next_word=next_word,
        state=state,
        precision=precision,
        file_options=as_files,
    )
    if as_json:
        typer.echo(json_text(found.as_dict()))
        return
    for name, each in found.files.items():
        typer.echo(f"{name}:")
        _perplexity_lines(each)
    if found.files:
        typer.echo(f"all {len(found.files)} files together:")
    _perplexity_lines(found)


def _perplexity_lines(found: TextEvaluation) -> None:
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


def _minimal_pairs(
    model: Path,
    pairs: list[str],
    columns: str | None,
    as_files: FileOptions,
    *,
    pretokenized: bool | None,
    as_json: bool,
) -> None:
    from elmokit.interop.recognise import refuse_nothing

    refuse_nothing(model)
    check_files(files(pairs) or [], "--minimal-pairs")
    from elmokit.analysis.minimal_pairs import DIRECTIONS, judge_minimal_pairs
    from elmokit.encode.encoder import Encoder
    from elmokit.report.markdown import markdown_table
    from elmokit.text.minimal_pairs import read_minimal_pairs

    read = read_minimal_pairs(files(pairs) or [], columns=columns, options=as_files)
    found = judge_minimal_pairs(Encoder.from_pretrained(model), read, pre_split=pretokenized)
    if as_json:
        typer.echo(json_text(found.as_dict()))
        return

    def row(name: str, figures: PairFigures) -> list[str]:
        shares = (f"{100 * figures.accuracy(direction):.1f}" for direction in DIRECTIONS)
        return [name, f"{figures.pairs:,}", *shares, f"{figures.unknown_only:,}"]

    tables = [
        markdown_table([kind, "pairs", *DIRECTIONS, "unknown words only"], [row(*each) for each in parts.items()])
        for kind, parts in (("paradigm", found.paradigms), ("group", found.groups), ("all", {"all pairs": found.all}))
        if parts
    ]
    typer.echo("\n\n".join(tables))


def _scores(model: Path, test: list[str], options: Mapping[str, Any], *, as_json: bool) -> None:
    from elmokit.saved_model import SavedModel

    name = task_of(SavedModel.open(model).values.get("architectures")) or "classify"
    if (name == "translate") != ("target" in options):
        raise ConfigError("a translator is measured with --test FILE --target FILE; other models have no --target")
    check_files(test, "--test", or_data_sets=TASKS[name].settings().reads_data_sets)
    predictor = TASKS[name].predictor_class().from_pretrained(model)
    known = inspect.signature(predictor.score).parameters
    for option in sorted(options.keys() - known.keys()):
        tagged = ("word_column", "tag_column", "file_scheme", "output")
        what = "tagged files" if option in tagged else "labelled rows"
        flag = "--delimiter or --encoding" if option == "file_options" else f"--{option.replace('_', '-')}"
        raise ConfigError(f"{flag} applies only to {what}, which {model} does not read")
    scores = predictor.score(test, **options)
    typer.echo(json_text(scores) if as_json else predictor.score_lines(scores))
