"""`elmo train`: a task head on a pretrained biLM, or static vectors to compare it with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from elmokit.cli.options import CLEAN, bleu_lines, files, parts, show_messages

app = typer.Typer(help="Train a task on top of a biLM, or static vectors.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = "name, or number from 1 without a header"


@app.callback()
def tasks() -> None:
    """Train a task on top of a biLM, or static vectors."""


@app.command("classify")
def classify(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of a classifier to go on from.")] = None,
    train: Annotated[
        list[str] | None, typer.Option(help="Training files (csv, tsv, jsonl, .gz) or a datasets name; F1,F2 or again.")
    ] = None,
    test: Annotated[list[str] | None, typer.Option(help="Test files: for the report alone.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the classifier to.")] = None,
    valid: Annotated[list[str] | None, typer.Option(help="Validation files; else train is split.")] = None,
    text_column: Annotated[str | None, typer.Option(help=f"Text: {COLUMNS}; 'title,body', '2-' (to last).")] = None,
    label_column: Annotated[str | None, typer.Option(help=f"Label: {COLUMNS}. [default: 1]")] = None,
    label_names: Annotated[Path | None, typer.Option(help="File with a name a line for the sorted labels.")] = None,
    valid_fraction: Annotated[float | None, typer.Option(help="Share of train for validation. [default: 0.05]")] = None,
    train_fraction: Annotated[float | None, typer.Option(help="Share of training rows to use. [default: 1]")] = None,
    clean: Annotated[str | None, typer.Option(help=f"{CLEAN} [default: the model's]")] = None,
    vectors: Annotated[Path | None, typer.Option(help="Static vectors beside the layers: .txt, .vec, .bin.")] = None,
    max_words: Annotated[int | None, typer.Option(help="Longer texts are cut. [default: 128]")] = None,
    combine: Annotated[
        Literal["trainable", "frozen", "function"] | None, typer.Option(help="Layer mix. [default: trainable]")
    ] = None,
    finetune: Annotated[bool | None, typer.Option("--finetune/--frozen-bilm", help="Train the biLM too.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of split, head and order. [default: 1]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 20]")] = None,
    patience: Annotated[int | None, typer.Option(help="Epochs without gain before stopping. [default: 3]")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Texts a step. [default: 64]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of mix and head. [default: 0.001]")] = None,
    finetune_learning_rate: Annotated[float | None, typer.Option(help="Of the biLM. [default: 0.0001]")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads. [default: all]")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for computed layers. [default: ~/.cache/elmokit]")] = None,
    baseline: Annotated[bool | None, typer.Option("--baseline", help="Score TF-IDF + linear SVM too.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with any of these settings and more.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. head_dropout=0.5.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUTPUT.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run for OUTPUT.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Train a text classifier on a biLM's layers and measure it on test rows."""
    from elmokit.settings import load_settings
    from elmokit.tasks.classification.config import ClassifyConfig

    flags: dict[str, Any] = {
        "model": model,
        "train": files(train),
        "test": files(test),
        "valid": files(valid),
        "output": output,
        "text_column": text_column,
        "label_column": label_column,
        "label_names": label_names,
        "valid_fraction": valid_fraction,
        "train_fraction": train_fraction,
        "clean": parts(clean),
        "vectors": vectors,
        "max_words": max_words,
        "combine": combine,
        "finetune": finetune,
        "seed": seed,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "finetune_learning_rate": finetune_learning_rate,
        "threads": threads,
        "cache": cache,
        "baseline": baseline,
        "overwrite": overwrite or None,
        "resume": resume or None,
        "progress": False if quiet else None,
    }
    resolved = load_settings(ClassifyConfig, config, overrides=settings or [], **flags)
    show_messages(quiet=quiet)
    from elmokit.tasks.classification.training import train_classifier

    metrics = train_classifier(resolved)
    typer.echo(summary(metrics))
    typer.echo(f"written to {resolved.output}")


@app.command("tag")
def tag(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of a tagger to go on from.")] = None,
    train: Annotated[
        list[str] | None, typer.Option(help="CoNLL files: a word a line with columns, a blank line between sentences.")
    ] = None,
    test: Annotated[list[str] | None, typer.Option(help="Test files: for the report alone.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the tagger to.")] = None,
    valid: Annotated[list[str] | None, typer.Option(help="Validation files; else train is split.")] = None,
    word_column: Annotated[int | None, typer.Option(help="From 1, or from the end with -1. [default: 1]")] = None,
    tag_column: Annotated[int | None, typer.Option(help="From 1, or from the end with -1. [default: -1]")] = None,
    vectors: Annotated[Path | None, typer.Option(help="Static vectors beside the layers: .txt, .vec, .bin.")] = None,
    combine: Annotated[
        Literal["trainable", "frozen", "function"] | None, typer.Option(help="Layer mix. [default: trainable]")
    ] = None,
    finetune: Annotated[bool | None, typer.Option("--finetune/--frozen-bilm", help="Train the biLM too.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of split, head and order. [default: 1]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 20]")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads. [default: all]")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for computed layers. [default: ~/.cache/elmokit]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with any of these settings and more.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. head_dropout=0.5.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUTPUT.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run for OUTPUT.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Train a tagger (named entities, chunks) on a biLM's layers and measure it on test sentences."""
    from elmokit.settings import load_settings
    from elmokit.tasks.tagging.config import TagConfig

    resolved = load_settings(
        TagConfig, config, overrides=settings or [], model=model, train=files(train), test=files(test),
        valid=files(valid), output=output, word_column=word_column, tag_column=tag_column, vectors=vectors,
        combine=combine, finetune=finetune, seed=seed, epochs=epochs, threads=threads, cache=cache,
        overwrite=overwrite or None, resume=resume or None, progress=False if quiet else None,
    )  # fmt: skip
    show_messages(quiet=quiet)
    from elmokit.tasks.tagging.training import train_tagger

    metrics = train_tagger(resolved)
    typer.echo(f"{'':<12}sentences  precision  recall      F1")
    for split in ("train", "validation", "test"):
        scores = metrics[split]
        figures = f"{scores['precision']:>9.4f}  {scores['recall']:.4f}  {scores['f1']:.4f}"
        typer.echo(f"{split:<12}{scores['sentences']:>9,}  {figures}")
    typer.echo(f"written to {resolved.output}")


@app.command("translate")
def translate(
    model: Annotated[str | None, typer.Option(help="Folder of a biLM, or of a translator to go on from.")] = None,
    train_source: Annotated[
        list[str] | None, typer.Option(help="Sentences in the language of the biLM, one a line, also .gz.")
    ] = None,
    train_target: Annotated[list[str] | None, typer.Option(help="Their translations, line by line.")] = None,
    valid_source: Annotated[list[str] | None, typer.Option(help="Validation files; else train is split.")] = None,
    valid_target: Annotated[list[str] | None, typer.Option(help="Their translations.")] = None,
    test_source: Annotated[list[str] | None, typer.Option(help="Test files: for the report alone.")] = None,
    test_target: Annotated[list[str] | None, typer.Option(help="Their translations.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write the translator to.")] = None,
    n_pieces: Annotated[int | None, typer.Option(help="Pieces of the target language. [default: 5000]")] = None,
    vectors: Annotated[Path | None, typer.Option(help="Static vectors beside the layers: .txt, .vec, .bin.")] = None,
    max_words: Annotated[int | None, typer.Option(help="Longer sentences are not trained on. [default: 128]")] = None,
    combine: Annotated[
        Literal["trainable", "frozen", "function"] | None, typer.Option(help="Layer mix. [default: trainable]")
    ] = None,
    finetune: Annotated[bool | None, typer.Option("--finetune/--frozen-bilm", help="Train the biLM too.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of split, head and order. [default: 1]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs at most. [default: 12]")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sentences a step. [default: 64]")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads. [default: all]")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for computed layers. [default: ~/.cache/elmokit]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with any of these settings and more.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. beam_size=10.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in OUTPUT.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run for OUTPUT.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Train a translator on a biLM's layers and measure it on test sentences."""
    from elmokit.settings import load_settings
    from elmokit.tasks.translation.config import TranslationConfig

    resolved = load_settings(
        TranslationConfig, config, overrides=settings or [], model=model, train_source=files(train_source),
        train_target=files(train_target), valid_source=files(valid_source), valid_target=files(valid_target),
        test_source=files(test_source), test_target=files(test_target), output=output, n_pieces=n_pieces,
        vectors=vectors, max_words=max_words, combine=combine, finetune=finetune, seed=seed, epochs=epochs,
        batch_size=batch_size, threads=threads, cache=cache, overwrite=overwrite or None, resume=resume or None,
        progress=False if quiet else None,
    )  # fmt: skip
    show_messages(quiet=quiet)
    from elmokit.tasks.translation.training import train_translator

    metrics = train_translator(resolved)
    typer.echo(bleu_lines(metrics["test"]))
    typer.echo(f"written to {resolved.output}")


@app.command("cove")
def cove(
    model: Annotated[Path, typer.Option(help="Folder of a translator on static vectors.")],
    output: Annotated[Path, typer.Option(help="Folder to write the model to.")],
) -> None:
    """Keep a translator's encoder as context vectors (CoVe), for every command that reads a biLM."""
    from elmokit.tasks.translation.cove import save_cove

    save_cove(model, output)
    typer.echo(f"written to {output}")


@app.command("vectors")
def vectors(
    method: Annotated[
        Literal["svd", "cbow", "skipgram", "random"] | None, typer.Option(help="[default: skipgram]")
    ] = None,
    train: Annotated[list[str] | None, typer.Option(help="Text files or globs; F1,F2 or again.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write: .txt, .vec or .bin, also .gz.")] = None,
    column: Annotated[str | None, typer.Option(help=f"Text column(s): {COLUMNS}.")] = None,
    clean: Annotated[str | None, typer.Option(help=CLEAN)] = None,
    pre_split: Annotated[bool | None, typer.Option("--pre-split/--split-words", help="How words are found.")] = None,
    dim: Annotated[int | None, typer.Option(help="Size of a vector. [default: 256]")] = None,
    window: Annotated[int | None, typer.Option(help="Places to each side. [default: 4]")] = None,
    min_count: Annotated[int | None, typer.Option(help="Rarer words have no vector. [default: 3]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of cbow and skipgram. [default: 5]")] = None,
    seed: Annotated[int | None, typer.Option(help="[default: 1]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with any of these settings and more.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, e.g. negative=10.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Train static word vectors: SVD of PPMI counts, CBOW or skip-gram."""
    from elmokit.settings import load_settings
    from elmokit.static.training import VectorsConfig, train_vectors

    resolved = load_settings(
        VectorsConfig, config, overrides=settings or [], method=method, train=files(train), output=output,
        column=column, normalize=parts(clean), pre_split=pre_split, dim=dim, window=window, min_count=min_count,
        epochs=epochs, seed=seed, overwrite=overwrite or None, progress=False if quiet else None,
    )  # fmt: skip
    show_messages(quiet=quiet)
    found = train_vectors(resolved)
    typer.echo(f"{len(found):,} words, {found.dim} numbers each")
    typer.echo(f"written to {resolved.output}")


def summary(metrics: dict[str, Any]) -> str:
    """The scores as a small table."""
    rows = {split: metrics[split] for split in ("train", "validation", "test")}
    if "baseline" in metrics:
        rows["TF-IDF SVM"] = metrics["baseline"]["test"]
    lines = [f"{'':<12}{'rows':>8}  accuracy  macro F1"]
    for name, scores in rows.items():
        lines.append(f"{name:<12}{scores['rows']:>8,}  {scores['accuracy']:>8.4f}  {scores['macro']['f1']:>8.4f}")
    return "\n".join(lines)
