"""The whole chain on the synthetic corpus: pretrain, classify in three modes, look at senses, predict.

Offline, a few minutes on two cores. It shows that the parts work together; what the figures are worth is another
matter: the sentences are made by a grammar, and a real study takes real text (the last lines say how).
"""

from __future__ import annotations

import csv
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from elmokit.demo.synthetic import Example, generate
from elmokit.errors import ConfigError
from elmokit.whole_files import JsonObject

if TYPE_CHECKING:
    from elmokit.demo.senses import KnownSense

Mode = Literal["trainable", "frozen", "function"]

CONTEXT = 28  # characters shown on either side of a word
MARKER = "synthetic-corpus.txt"  # says that the folder is a demo's and may be replaced
AG_NEWS = """\
python recipes/prepare_ag_news.py $ELMOKIT_DATA/ag_news runs/ag_news/data
elmo pretrain --config configs/ag_news_pretrain.yaml
elmo pretrain --config configs/ag_news_more_pretrain.yaml
elmo train classify --model runs/ag_news/bilm \\
    --train $ELMOKIT_DATA/ag_news/train.csv.gz \\
    --test $ELMOKIT_DATA/ag_news/test.csv.gz \\
    --combine trainable --output runs/ag_news/trainable
elmo predict runs/ag_news/trainable "The bank raised its rates."
"""
OWN_SENTENCE = "The bank raised its rates and shares fell."  # its words are of the grammar, it is not


@dataclass(frozen=True)
class Size:
    """How much of everything; the default is chosen for about two minutes on two cores."""

    pretrain_sentences: int = 4000
    labelled_sentences: int = 1000  # the first of those
    held_out_sentences: int = 300  # for perplexity
    test_sentences: int = 1000
    projection_dim: int = 64
    cell_dim: int = 192
    pretrain_epochs: int = 4
    classify_epochs: int = 10


def run_demo(
    output: Path, *, seed: int = 0, overwrite: bool = False, size: Size | None = None, console: Console | None = None
) -> JsonObject:
    """Run the chain in `output`, tell the story on `console`, and return the figures that were printed.

    Raises ConfigError when `output` is not empty and `overwrite` is not set, or when it is not the folder of a demo.
    """
    size = size or Size()
    console = console or Console()
    began = time.perf_counter()
    if output.exists() and not output.is_dir():
        raise ConfigError(f"--output {output} is a file, expected a folder")
    if output.is_dir() and any(output.iterdir()):
        if not overwrite:
            raise ConfigError(f"--output {output} is not empty: --overwrite replaces an earlier demo, or name another")
        if not (output / MARKER).is_file():
            raise ConfigError(f"--output {output} is not the folder of a demo: name another folder")
        shutil.rmtree(output)
    output.mkdir(parents=True, exist_ok=True)
    examples = _write_corpus(output, size, seed, console)
    history = _pretrain(output, size, seed, console)
    scores = {mode: _classify(output, mode, size, seed, console) for mode in get_args(Mode)}
    console.print(_score_table(scores, size))
    senses = _show_senses(output, examples, console)
    best = max(scores, key=lambda mode: scores[mode]["validation"]["accuracy"])
    labels = _predict(output, best, console)
    seconds = time.perf_counter() - began
    _how_to_go_on(output, seconds, console)
    return {"pretraining": history, "modes": scores, "senses": senses, "labels": labels, "seconds": seconds}


def _write_corpus(output: Path, size: Size, seed: int, console: Console) -> list[Example]:
    """Text and CSV files in output/data; returns the test examples."""
    ends = [size.pretrain_sentences, size.held_out_sentences, size.test_sentences]
    examples = generate(sum(ends), seed)
    train, held_out, test = (examples[sum(ends[:i]) : sum(ends[: i + 1])] for i in range(3))
    data = output / "data"
    data.mkdir()
    note = f"Everything here was generated from a grammar (elmo demo --seed {seed}). Nothing in it is real news.\n"
    (output / MARKER).write_text(note, encoding="utf-8")
    for name, part in (("pretrain.txt", train), ("held_out.txt", held_out)):
        (data / name).write_text("".join(f"{example.text}\n" for example in part), encoding="utf-8")
    for name, part in (("train.csv", train[: size.labelled_sentences]), ("test.csv", test)):
        with (data / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("topic", "text"))
            writer.writerows((example.topic, example.text) for example in part)
    _heading(console, "A synthetic corpus")
    console.print(
        f"{size.pretrain_sentences:,} sentences from a grammar to pretrain on, {size.labelled_sentences:,} of them "
        f"with their topic; {size.test_sentences:,} others to test. In {data}. Three of them:"
    )
    console.print(_in_columns((example.topic, example.text) for example in train[:3]))
    return test


def _pretrain(output: Path, size: Size, seed: int, console: Console) -> list[JsonObject]:
    from elmokit.pretrain.config import PretrainConfig
    from elmokit.pretrain.loop import pretrain

    _heading(console, "Pretraining a biLM from characters")
    shape = {
        "projection_dim": size.projection_dim,
        "cell_dim": size.cell_dim,
        "filters": [[1, 16], [2, 32], [3, 64], [4, 64]],
        "char_embedding_dim": 16,
        "softmax": "full",
    }
    config = PretrainConfig(
        train=[str(output / "data/pretrain.txt")],
        valid=str(output / "data/held_out.txt"),
        output=output / "bilm",
        preset="tiny",
        model=shape,
        min_count=2,
        epochs=size.pretrain_epochs,
        batch_tokens=1024,
        optimizer="adam",
        learning_rate=5e-3,
        warmup_steps=30,
        seed=seed,
        precision="float32",
    )
    result = pretrain(config)
    table = Table(title="Perplexity on held-out synthetic sentences", title_justify="left")
    for column in ("epoch", "forward", "backward", "mean", "next word right", "seconds"):
        table.add_column(column, justify="right")
    before = 0.0  # the history counts seconds from the start of the run
    for epoch in result.history:
        perplexities = (f"{epoch[f'valid_{name}']:.2f}" for name in ("forward", "backward", "perplexity"))
        table.add_row(
            str(epoch["epoch"]), *perplexities, f"{epoch['next_word_top1']:.1%}", f"{epoch['seconds'] - before:.0f}"
        )
        before = epoch["seconds"]
    console.print(table)
    return result.history


def _classify(output: Path, mode: Mode, size: Size, seed: int, console: Console) -> JsonObject:
    from elmokit.tasks.classification import train_classifier
    from elmokit.tasks.classification.config import ClassifyConfig

    if mode == get_args(Mode)[0]:
        _heading(console, "Classifying topics with the frozen biLM, its layers mixed in three ways")
    config = ClassifyConfig(
        model=str(output / "bilm"),
        train=[str(output / "data/train.csv")],
        test=[str(output / "data/test.csv")],
        text_column="text",
        label_column="topic",
        valid_fraction=0.15,
        combine=mode,
        epochs=size.classify_epochs,
        head_layers=1,
        head_hidden_dim=64,
        head_dropout=0.3,
        batch_size=32,
        learning_rate=3e-3,
        patience=4,
        seed=seed,
        output=output / f"classifier-{mode}",
        cache=output / "layers",
        baseline=mode == "function",
        progress=False,
    )
    began = time.perf_counter()
    with console.status(f"{mode} mix"):
        metrics = train_classifier(config)
    return {**metrics, "wall_seconds": time.perf_counter() - began}


def _score_table(scores: dict[str, JsonObject], size: Size) -> Table:
    title = (
        f"Topics of {size.test_sentences:,} synthetic test sentences, learnt from {size.labelled_sentences:,}:\n"
        "accuracy on validation and test sentences, macro F1 on the test sentences"
    )
    caption = "λ: weights of tokens, LSTM 1, LSTM 2; γ: scale of their sum. The frozen mix learns neither."
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.add_column("layer mix", no_wrap=True)
    for column in ("valid", "test", "F1", "λ", "γ", "epochs", "s"):
        table.add_column(column, justify="right", no_wrap=column == "λ")
    for mode, metrics in scores.items():
        lambdas = " ".join(f"{value:.2f}" for value in metrics.get("lambdas", ()))
        gamma = f"{metrics['gamma']:.2f}" if "gamma" in metrics else ""
        table.add_row(
            mode,
            f"{metrics['validation']['accuracy']:.3f}",
            f"{metrics['test']['accuracy']:.3f}",
            f"{metrics['test']['macro']['f1']:.3f}",
            lambdas,
            gamma,
            str(metrics["epochs"]),
            f"{metrics['wall_seconds']:.0f}",
        )
    baseline = next(metrics["baseline"]["test"] for metrics in scores.values() if "baseline" in metrics)
    table.add_section()
    table.add_row("TF-IDF + SVM", "", f"{baseline['accuracy']:.3f}", f"{baseline['macro']['f1']:.3f}", "", "", "", "")
    return table


def _show_senses(output: Path, examples: Sequence[Example], console: Console) -> dict[str, list[float]]:
    from elmokit.demo.senses import collect_known_senses
    from elmokit.encode.encoder import Encoder

    _heading(console, "Two senses of “bank”")
    known = collect_known_senses(examples, Encoder.from_pretrained(output / "bilm"))
    banks = known.of("bank")
    console.print(
        "One occurrence in bold, then those with the nearest vectors (LSTM layer 1) in sentences of other shapes:"
    )
    console.print(Text(f"cosine  sense    {'…':>{CONTEXT}}bank…", style="dim"))
    for sense in ("finance", "river"):
        console.print()
        row = next(row for row, each in enumerate(banks.found) if each.mark.sense == sense)
        console.print(Text(_line(banks.found[row], ""), style="bold"))
        for cosine, near in banks.nearest(row, layer=1, count=4):
            console.print(Text(_line(near, f"{cosine:.2f}")))
    table = Table(title="Share of the five nearest such occurrences with the same sense", title_justify="left")
    table.add_column("word")
    layers = ["characters", *(f"LSTM {n}" for n in range(1, len(known.vectors)))]
    for column in ("occurrences", "senses", "chance", *layers):
        table.add_column(column, justify="right")
    found: dict[str, list[float]] = {}
    for word in ("bank", "bat", "pitch", "cell", "court"):
        part = known.of(word)
        found[word] = [part.agreement(layer=layer) for layer in range(len(known.vectors))]
        senses = len({each.mark.sense for each in part.found})
        shares = (f"{share:.2f}" for share in (part.chance(), *found[word]))
        table.add_row(word, str(len(part.found)), str(senses), *shares)
    console.print(table)
    return found


def _line(known: KnownSense, cosine: str) -> str:
    return f"{cosine:>6}  {known.mark.sense:<9}{known.occurrence.in_context(CONTEXT)}"


def _predict(output: Path, mode: str, console: Console) -> dict[str, str]:
    """The best label for a sentence of neither corpus, by the demo's classifier and by the one of the package."""
    from elmokit.pretrained import DEFAULT_CLASSIFIER
    from elmokit.tasks.classification.predict import Classifier

    _heading(console, "A sentence of your own")
    best: dict[str, str] = {}
    for model, about in (
        (str(output / f"classifier-{mode}"), "The demo's classifier has read only the grammar's sentences:"),
        (DEFAULT_CLASSIFIER, "The classifier that comes with the package has read real news:"),
    ):
        (labels,) = Classifier.from_pretrained(model).predict([OWN_SENTENCE])
        console.print(about)
        console.print(Text(f'$ {_elmo()} predict {model} \\\n    "{OWN_SENTENCE}"', style="dim"), soft_wrap=True)
        console.print(Text("  ".join(f"{name} {probability:.3f}" for name, probability in labels)))
        best[model] = labels[0].label
    return best


def _elmo() -> str:
    """The command as it can be typed in this shell: its name where it is on the PATH, else where it lies."""
    if shutil.which("elmo"):
        return "elmo"
    beside = Path(sys.executable).parent / "elmo"
    if not beside.is_file():
        return f"{sys.executable} -m elmokit"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def _how_to_go_on(output: Path, seconds: float, console: Console) -> None:
    _heading(console, "What lies where")
    console.print(
        Text(f"Done in {seconds:.0f} s. {output}/bilm is the model, {output}/classifier-* one a mix; pictures:")
    )
    for path in sorted(output.rglob("*.png")):
        console.print(Text(f"  {path}"))
    _heading(console, "The same on AG News")
    console.print(
        "ELMOKIT_DATA is the folder that contains ag_news/, with train.csv.gz and test.csv.gz (docs/data.md):"
    )
    if _elmo() != "elmo":
        console.print(Text(f"(elmo is {_elmo()},\nor elmo after: source .venv/bin/activate)"), soft_wrap=True)
    console.print(Text(AG_NEWS.rstrip()), soft_wrap=True)
    _heading(console, "What next")
    ways = (
        (f"{_elmo()} serve", "the explorer, in a browser of this machine"),
        (f"{_elmo()} train classify --help", "a classifier of your own rows"),
        ("docs/course.md", "three notebooks; docs/index.md lists all pages"),
    )
    console.print(_in_columns(ways))


def _in_columns(rows: Iterable[tuple[str, str]]) -> Table:
    """Two columns, without a frame; what is too long for a line is continued below its own column."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for left, right in rows:
        table.add_row(Text(left), Text(right))
    return table


def _heading(console: Console, text: str) -> None:
    console.print()
    console.rule(f"[bold]{text}", align="left")
