"""`elmo train tag`, `elmo predict` and `elmo evaluate` from files to spans, on a tiny untrained biLM."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from transformers import pipeline
from typer.testing import CliRunner

from elmokit.cli.app import app
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.models.modeling_token_classification import ElmoForTokenClassification
from elmokit.settings import load_settings
from elmokit.tasks.tagging import TagConfig, Tagger, train_tagger
from elmokit.tasks.tagging.scores import span_scores

NAMES = {"PER": ["Ada", "Bo Olsen", "Cy"], "LOC": ["Rome", "New Kirk", "Ulm"]}
SMALL = ["head_hidden_dim=32", "head_layers=1", "head_dropout=0.0", "batch_size=8", "learning_rate=0.02"]
SMALL += ["epochs=20", "patience=20"]


def write_sentences(path: Path, count: int, *, seed: int, scheme: str = "IOB1") -> None:
    draw = random.Random(seed)
    lines = ["-DOCSTART- -X- O", ""]
    for _ in range(count):
        for part in draw.choice(["{PER} lives in {LOC} .", "we saw {PER} .", "{LOC} is far ."]).split(" "):
            if part.startswith("{"):
                words = draw.choice(NAMES[part[1:-1]]).split()
                tags = [("B-" if scheme == "BIO" and not n else "I-") + part[1:-1] for n in range(len(words))]
                lines += [f"{word} X {tag}" for word, tag in zip(words, tags, strict=True)]
            else:
                lines.append(f"{part} X O")
        lines.append("")
    path.write_text("\n".join(lines))


def elmo(*words: object, text: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=text)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and tagged files."""
    folder = tmp_path_factory.mktemp("tag")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder / "model")
    ElmoTokenizer().save_pretrained(folder / "model")
    write_sentences(folder / "train.txt", 150, seed=1)
    write_sentences(folder / "valid.txt", 12, seed=2)
    write_sentences(folder / "test.txt", 15, seed=3, scheme="BIO")
    return folder


def words_of(place: Path, output: Path, **changes: Any) -> list[object]:
    given = {"model": place / "model", "train": place / "train.txt", "test": place / "test.txt", "output": output}
    given |= {"cache": place / "cache", "threads": 1, **changes}
    options = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    return ["train", "tag", *options, *[part for setting in SMALL for part in ("--set", setting)]]


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """A tagger trained from the command line."""
    result = elmo(*words_of(place, place / "trained", valid=place / "valid.txt"))
    assert result.exit_code == 0, result.output
    assert "validation loss" in result.output
    assert "  f1 " in result.output or " f1 " in result.output
    return place / "trained"


def test_the_folder_is_whole_and_learnt_something(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} >= {
        "README.md", "config.json", "model.safetensors", "tokenizer_config.json", "metrics.json", "training.yaml",
        "curves.png", "layer_weights.png", "test_predictions.conll",
    }  # fmt: skip
    assert not list(trained.parent.glob(".*partial"))
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["rows"] == {"train": 150, "validation": 12, "test": 15}
    assert metrics["labels"] == ["LOC", "PER"]
    assert metrics["test"]["f1"] > 0.9
    assert metrics["test"]["spans"] == sum(each["spans"] for each in metrics["test"]["per_label"].values())
    assert f"| test | 15 | {metrics['test']['words']} |" in (trained / "README.md").read_text()
    sentences = [block.split("\n") for block in (trained / "test_predictions.conll").read_text().split("\n\n")]
    columns = [[line.split("\t") for line in lines if line] for lines in sentences]
    gold, found = ([[row[place] for row in rows] for rows in columns] for place in (1, 2))
    assert span_scores(gold, found)["f1"] == pytest.approx(metrics["test"]["f1"])


def test_spans_have_offsets_and_every_way_agrees(trained: Path) -> None:
    text = "we saw Bo Olsen. Ada lives in New Kirk ."
    tagger = Tagger.from_pretrained(trained)
    (entities,) = tagger.predict([text])
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)
    assert {"Ada", "New Kirk"} <= {entity.text for entity in entities}
    shown = json.loads(elmo("predict", trained, text, "--json").stdout)
    assert shown["entities"] == [entity._asdict() for entity in entities]
    assert "LOC 'New Kirk' 30-38" in elmo("predict", trained, text).stdout
    assert "(nothing)" in elmo("predict", trained, "far .").stdout
    words = ["Ada", "lives", "in", "New", "Kirk", "."]
    (tags,) = tagger.tag([words])
    assert tags == ["S-PER", "O", "O", "B-LOC", "E-LOC", "O"]
    tagger.max_words = 3
    assert len(tagger.tag([words, [], words])[2]) == 6
    assert tagger.tag([]) == []
    model = ElmoForTokenClassification.from_pretrained(trained)
    pipe = pipeline("token-classification", model=model, tokenizer=ElmoTokenizer.from_pretrained(trained))
    sentence = "Ada lives in New Kirk ."
    found = [(entry["word"], entry["entity"], entry["start"], entry["end"]) for entry in pipe(sentence)]
    assert found == [("Ada", "S-PER", 0, 3), ("New", "B-LOC", 13, 16), ("Kirk", "E-LOC", 17, 21)]


def test_evaluate_scores_as_the_training_did(place: Path, trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    result = elmo("evaluate", trained, "--test", place / "test.txt", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == metrics["test"]
    assert f"F1 {metrics['test']['f1']:.4f}" in elmo("evaluate", trained, "--test", place / "test.txt").stdout


def test_char_features_learn_beside_frozen_layers_and_vectors(place: Path) -> None:
    (place / "vectors.txt").write_text("lives 0.1 0.2\nAda 0.3 -0.1\n")
    output = place / "spelled"
    more = ["--vectors", place / "vectors.txt", "--set", "char_features=8", "--set", "epochs=6"]
    result = elmo(*words_of(place, output, valid=place / "valid.txt"), *more)
    assert result.exit_code == 0, result.output
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["test"]["f1"] > 0.5
    shown = elmo("evaluate", output, "--test", place / "test.txt", "--json")
    assert json.loads(shown.stdout) == metrics["test"]  # from text, with the biLM run anew
    tuned = [*words_of(place, place / "spelled_tuned", model=output), "--finetune", "--set", "epochs=1"]
    result = elmo(*tuned)
    assert result.exit_code == 0, result.output
    assert json.loads((place / "spelled_tuned" / "metrics.json").read_text())["test"]["f1"] > 0.5
    model = ElmoForTokenClassification.from_pretrained(place / "spelled_tuned")
    pipe = pipeline(
        "token-classification", model=model, tokenizer=ElmoTokenizer.from_pretrained(place / "spelled_tuned")
    )
    assert [entry["word"] for entry in pipe("Ada lives in Rome .")] == ["Ada", "Rome"]
    (place / "rows.csv").write_text("label,text\n" + "a,Ada lives\nb,Rome is far\n" * 10)
    rows = ["--train", place / "rows.csv", "--test", place / "rows.csv", "--output", place / "topics"]
    result = elmo("train", "classify", "--model", output, *rows, "--cache", place / "cache", "--epochs", 1)
    assert result.exit_code == 0, result.output  # another head has no such features


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fine_tuning_goes_on_from_the_head(place: Path, trained: Path, precision: str) -> None:
    values = {"model": str(trained), "train": [str(place / "train.txt")], "test": [str(place / "test.txt")]}
    overrides = [*SMALL, "epochs=1", "learning_rate=1e-6", "finetune=true", f"precision={precision}"]
    more: dict[str, Any] = {"output": place / f"tuned_{precision}", "threads": 1, "progress": False}
    metrics = train_tagger(load_settings(TagConfig, overrides=overrides, **values, **more))
    assert metrics["parameters"]["trained"] == metrics["parameters"]["total"]
    assert metrics["test"]["f1"] > 0.9
    assert metrics["rows"]["validation"] == 15  # a tenth of the training sentences


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("train", "Ada X Q-PER\n", "train.txt, sentence at line 1: the tag 'Q-PER' is of no known scheme"),
        ("train", "a X O\n\nb X O\n", "tags nothing but O: is --tag-column the right one?"),
        ("train", "Ada X I-PER\nlives X\n", "line 2: expected 3 columns as before"),
        ("train", "", "holds no sentences (--train)"),
        ("test", "Ada X I-ORG\n", "--test has the label 'ORG' (1 spans), which the training files lack"),
    ],
)
def test_bad_files_are_told_with_their_line(place: Path, tmp_path: Path, name: str, content: str, problem: str) -> None:
    (tmp_path / f"{name}.txt").write_text(content)
    result = elmo(*words_of(place, tmp_path / "out", **{name: tmp_path / f"{name}.txt"}))
    assert result.exit_code == 2
    assert problem in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_column_that_is_not_there(place: Path, tmp_path: Path) -> None:
    result = elmo(*words_of(place, tmp_path / "out", tag_column=7))
    assert result.exit_code == 2
    assert "has 3 columns, no column 7 (--tag-column)" in result.stderr
