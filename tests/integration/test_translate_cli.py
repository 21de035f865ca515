"""`elmo train translate`, `predict` and `evaluate` from files to translations, on static vectors and on a biLM."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.interop.loading import save
from elmokit.interop.word_vectors import static_model
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.settings import load_settings
from elmokit.static.vectors import WordVectors
from elmokit.tasks.translation import TranslationConfig, Translator, train_translator
from elmokit.tasks.translation.scores import bleu_scores

WORDS = {"hund": "dog", "katze": "cat", "baum": "tree", "sieht": "sees", "frisst": "eats", "alte": "old", "der": "the"}
SMALL = ["head_hidden_dim=64", "decoder_hidden_dim=64", "target_dim=64", "head_dropout=0.0", "label_smoothing=0.0"]
SMALL += ["learning_rate=0.005", "batch_size=16", "epochs=12", "patience=12", "n_pieces=300", "beam_size=3"]


def sentences(count: int, *, seed: int) -> tuple[list[str], list[str]]:
    """A cipher of words, in the same order."""
    draw = random.Random(seed)
    left = [draw.sample(sorted(WORDS), draw.randint(2, 5)) for _ in range(count)]
    return [" ".join(words) + "." for words in left], [" ".join(WORDS[word] for word in words) + "." for words in left]


def write(folder: Path, name: str, source: list[str], target: list[str]) -> None:
    (folder / f"{name}.de").write_text("".join(f"{line}\n" for line in source))
    (folder / f"{name}.en").write_text("".join(f"{line}\n" for line in target))


def elmo(*words: object, text: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=text)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random vectors as a model, a tiny biLM, and parallel files."""
    folder = tmp_path_factory.mktemp("translate")
    table = np.random.default_rng(0).normal(size=(len(WORDS) + 1, 64)).astype(np.float32)
    save(static_model(WordVectors([*WORDS, "."], table)), folder / "model")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder / "bilm")
    ElmoTokenizer().save_pretrained(folder / "bilm")
    for seed, (name, count) in enumerate({"train": 480, "valid": 20, "test": 20}.items()):
        write(folder, name, *sentences(count, seed=seed))
    return folder


def words_of(place: Path, output: Path, **changes: Any) -> list[object]:
    given: dict[str, Any] = {"model": place / "model", "output": output, "cache": place / "cache", "threads": 1}
    for split in ("train", "valid", "test"):
        given |= {f"{split}_source": place / f"{split}.de", f"{split}_target": place / f"{split}.en"}
    given |= changes
    options = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    return ["train", "translate", *options, *[part for setting in SMALL for part in ("--set", setting)]]


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """A translator trained from the command line."""
    result = elmo(*words_of(place, place / "trained"))
    assert result.exit_code == 0, result.output
    assert "validation loss" in result.output
    assert "nrefs:1|" in result.output
    return place / "trained"


def test_the_folder_is_whole_and_learnt_something(place: Path, trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} >= {
        "README.md", "config.json", "model.safetensors", "tokenizer_config.json", "target_pieces.json", "metrics.json",
        "training.yaml", "curves.png", "test_translations.txt",
    }  # fmt: skip
    assert not list(trained.parent.glob(".*partial"))
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["rows"] == {"train": 480, "validation": 20, "test": 20}
    assert metrics["test"]["bleu"] > 80
    low, high = metrics["test"]["interval"]
    assert low <= metrics["test"]["bleu"] <= high + 1e-6 or high > 99
    written = (trained / "test_translations.txt").read_text().splitlines()
    assert bleu_scores((place / "test.en").read_text().splitlines(), written) == metrics["test"]
    assert f"BLEU {metrics['test']['bleu']:.2f} on 20 test sentences" in (trained / "README.md").read_text()


def test_every_way_to_translate_agrees(place: Path, trained: Path) -> None:
    source = (place / "test.de").read_text().splitlines()
    written = (trained / "test_translations.txt").read_text().splitlines()
    translator = Translator.from_pretrained(trained)
    assert translator.translate(source) == written
    assert translator.translate(source[0]) == written[:1]
    assert [translator.translate([text])[0] for text in source[:5]] == written[:5]
    assert elmo("predict", trained, "--file", place / "test.de").stdout.splitlines() == written
    shown = [json.loads(line) for line in elmo("predict", trained, *source[:2], "--json").stdout.splitlines()]
    assert shown == [{"text": text, "translation": found} for text, found in zip(source[:2], written, strict=False)]


def test_blank_lines_keep_their_place_and_long_ones_are_translated_in_parts(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "text.de").write_text("der hund.\n\nder baum.\n")
    lines = elmo("predict", trained, "--file", tmp_path / "text.de").stdout.split("\n")
    assert lines[1] == ""
    assert (bool(lines[0]), bool(lines[2])) == (True, True)
    piped = CliRunner().invoke(app, ["predict", str(trained)], input=b"der hund.\n\nder \xffbaum.\n")
    assert piped.exit_code == 0, piped.output
    assert len(piped.stdout.split("\n")) == len(lines)
    assert piped.stdout.split("\n")[:2] == lines[:2]
    translator = Translator.from_pretrained(trained)
    translator.max_words = 3
    assert translator.translate(["der hund. der baum."]) == [" ".join(translator.translate(["der hund.", "der baum."]))]
    assert translator.translate([]) == []
    assert translator.translate(["", "hund"])[0] == ""


def test_evaluate_scores_as_the_training_did(place: Path, trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    words = ["evaluate", trained, "--test", place / "test.de", "--target", place / "test.en"]
    result = elmo(*words, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == metrics["test"]
    shown = elmo(*words).stdout
    assert f"BLEU {metrics['test']['bleu']:.2f} (" in shown
    assert metrics["test"]["signature"] in shown
    wrong = elmo("evaluate", trained, "--test", place / "test.de")
    assert wrong.exit_code == 2
    assert "a translator is measured with --test FILE --target FILE" in wrong.stderr


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fine_tuning_goes_on_from_the_head(place: Path, trained: Path, precision: str) -> None:
    files = {f"{split}_{side}": [str(place / f"{split}.{end}")]
             for split in ("train", "test") for side, end in (("source", "de"), ("target", "en"))}  # fmt: skip
    sizes = ("head_hidden_dim", "decoder_hidden_dim", "target_dim", "n_pieces")  # those of the translator without
    kept = [setting for setting in SMALL if not setting.startswith(sizes)]
    overrides = [
        *kept,
        "epochs=1",
        "learning_rate=1e-6",
        "finetune_learning_rate=1e-6",
        "finetune=true",
        f"precision={precision}",
    ]
    more: dict[str, Any] = {
        "output": place / f"tuned_{precision}",
        "threads": 1,
        "progress": False,
        "model": str(trained),
    }
    metrics = train_translator(load_settings(TranslationConfig, overrides=overrides, **cast(Any, files), **more))
    assert metrics["parameters"]["trained"] == metrics["parameters"]["total"]
    assert metrics["test"]["bleu"] > 80
    assert metrics["rows"]["validation"] == 24  # a twentieth of the training pairs


def test_its_encoder_serves_a_classifier_as_cove(place: Path, trained: Path, tmp_path: Path) -> None:
    result = elmo("train", "cove", "--model", trained, "--output", tmp_path / "cove")
    assert (result.exit_code, f"written to {tmp_path / 'cove'}" in result.stdout) == (0, True), result.output
    rows = [
        f"{'animal' if 'hund' in text else 'other'},{text}" for text in (place / "train.de").read_text().splitlines()
    ]
    (tmp_path / "rows.csv").write_text("".join(f"{row}\n" for row in rows))
    files = ["--train", tmp_path / "rows.csv", "--test", tmp_path / "rows.csv", "--cache", tmp_path / "layers"]
    more = [part for setting in ("head_hidden_dim=16", "epochs=3", "learning_rate=0.01") for part in ("--set", setting)]
    result = elmo("train", "classify", "--model", tmp_path / "cove", *files, "--output", tmp_path / "out", *more)
    assert result.exit_code == 0, result.output
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(metrics["lambdas"]) == 2
    assert metrics["test"]["accuracy"] > 0.9
    result = elmo("train", "cove", "--model", place / "bilm", "--output", tmp_path / "none")
    assert (result.exit_code, "contains no translator" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        ("a\nb\n", "x\n", "bad.de has 2 lines and "),
        ("a\nb\n", "x\n\n", "bad.en line 2 is empty and "),
        ("a\n\n", "x\ny\n", "--set skip_empty=true leaves such lines out"),
        ("\n\n", "\n\n", "contain no pairs of sentences (--train-source, --train-target)"),
        ("wort " * 129 + "\n", "x\n", "every training pair is longer than 128 words or 256 pieces (--max-words, "),
    ],
)
def test_bad_files_are_told_with_their_line(
    place: Path, tmp_path: Path, source: str, target: str, problem: str
) -> None:
    (tmp_path / "bad.de").write_text(source)
    (tmp_path / "bad.en").write_text(target)
    files = {"train_source": tmp_path / "bad.de", "train_target": tmp_path / "bad.en"}
    result = elmo(*words_of(place, tmp_path / "out", **files))
    assert result.exit_code == 2
    assert problem in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("*out*"))


def test_missing_files_and_no_translator(place: Path, tmp_path: Path) -> None:
    result = elmo(*words_of(place, tmp_path / "out", train_target=tmp_path / "none.en"))
    assert (result.exit_code, "none.en does not exist (--train-target)" in result.stderr) == (2, True)
    more = f"{place / 'train.en'},{place / 'valid.en'}"
    result = elmo(*words_of(place, tmp_path / "out", train_target=more))
    assert "--train-source names 1 files and --train-target 2" in result.stderr
    result = elmo("evaluate", place / "model", "--test", place / "test.de", "--target", place / "test.en")
    assert (result.exit_code, "other models have no --target" in result.stderr) == (2, True)
