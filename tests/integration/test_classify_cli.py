"""`elmo train classify` and `elmo predict` from files to labels, on a tiny untrained biLM."""

from __future__ import annotations

import csv
import json
import logging
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import pipeline
from typer.testing import CliRunner, Result

from elmokit import progress
from elmokit.cli.app import app
from elmokit.encode.encoder import Encoder
from elmokit.errors import ConfigError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.settings import load_settings
from elmokit.static.vectors import WordVectors
from elmokit.tasks.classification import Classifier, ClassifyConfig, train_classifier
from elmokit.tasks.classification.task import Classification
from elmokit.tasks.trainer import HeadTrainer

TOPICS = {"1": "match goal team win league", "2": "bank share profit market stock", "3": "cell gene space orbit virus"}
SMALL = ["head_hidden_dim=8", "head_layers=1", "head_dropout=0.0", "batch_size=16", "learning_rate=0.02", "epochs=4"]


def write_rows(path: Path, rows: int, *, seed: int) -> None:
    draw = random.Random(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for number in range(rows):
            label = list(TOPICS)[number % 3]
            writer.writerow(
                [label, *(" ".join(draw.choices(TOPICS[label].split(), k=draw.randint(2, 6))) for _ in "ab")]
            )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model, train.csv, test.csv and names.txt."""
    folder = tmp_path_factory.mktemp("classify")
    torch.manual_seed(0)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder / "model")
    ElmoTokenizer().save_pretrained(folder / "model")
    write_rows(folder / "train.csv", 120, seed=1)
    write_rows(folder / "test.csv", 30, seed=2)
    (folder / "names.txt").write_text("sport\nmoney\nscience\n")
    return folder


def settings(place: Path, output: str, **changes: Any) -> dict[str, Any]:
    flags = {
        "model": str(place / "model"),
        "train": [str(place / "train.csv")],
        "test": [str(place / "test.csv")],
        "label_names": place / "names.txt",
        "valid_fraction": 0.2,
        "cache": place / "cache",
        "output": place / output,
        "progress": False,
        "threads": 1,
    }
    return {**flags, **changes}


def run(place: Path, output: str, *, more: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    overrides = [*SMALL, *(more or [])]
    return train_classifier(load_settings(ClassifyConfig, overrides=overrides, **settings(place, output, **changes)))


def elmo(*words: object, text: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=text)


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """A classifier trained from the command line."""
    files = ["--train", place / "train.csv", "--test", place / "test.csv", "--label-names", place / "names.txt"]
    options = ["--valid-fraction", 0.2, "--cache", place / "cache", "--threads", 1, "--baseline"]
    options += [part for setting in [*SMALL, "epochs=8"] for part in ("--set", setting)]
    result = elmo("train", "classify", "--model", place / "model", *files, *options, "--output", place / "trained")
    assert result.exit_code == 0, result.output
    assert "epoch  1/8" in result.output
    assert "TF-IDF SVM" in result.output
    return place / "trained"


def test_the_folder_is_whole_and_learnt_something(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} >= {
        "README.md", "config.json", "model.safetensors", "tokenizer_config.json", "metrics.json", "training.yaml",
        "curves.png", "confusion.png", "layer_weights.png", "test_predictions.csv",
    }  # fmt: skip
    assert not (trained / "checkpoints").exists()
    assert not list(trained.parent.glob(".*partial"))
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["rows"] == {"train": 96, "validation": 24, "test": 30}
    assert metrics["test"]["accuracy"] > 0.6
    assert metrics["baseline"]["test"]["accuracy"] == 1.0
    assert len(metrics["history"]) == metrics["epochs"]
    assert sum(metrics["history"][0]["lambdas"]) == pytest.approx(1.0, abs=1e-4)
    assert metrics["parameters"]["trained"] < metrics["parameters"]["total"]
    assert metrics["seed"] == 1
    card = (trained / "README.md").read_text()
    assert f"| test | 30 | {metrics['test']['accuracy']:.4f} |" in card
    with (trained / "test_predictions.csv").open() as file:
        right = [row["gold"] == row["predicted"] for row in csv.DictReader(file)]
    assert sum(right) / 30 == pytest.approx(metrics["test"]["accuracy"])


def test_it_loads_and_predicts_the_same_everywhere(trained: Path) -> None:
    texts = ["goal team", "stock market profit and then some more words", "virus"]
    mine = Classifier.from_pretrained(trained).predict(texts)
    one = Classifier.from_pretrained(trained).predict(texts[0])
    assert [found.label for found in one[0]] == [found.label for found in mine[0]]
    assert {label for label, _ in mine[0]} == {"sport", "money", "science"}
    assert sum(probability for _, probability in mine[0]) == pytest.approx(1.0, abs=1e-5)
    model = ElmoForSequenceClassification.from_pretrained(trained)
    pipe = pipeline("text-classification", model=model, tokenizer=ElmoTokenizer.from_pretrained(trained), top_k=None)
    for text, ranked in zip(texts, mine, strict=True):
        theirs = {entry["label"]: entry["score"] for entry in pipe([text])[0]}
        assert dict(ranked) == pytest.approx(theirs, abs=1e-5)


def test_predict_from_arguments_files_and_a_pipe(trained: Path, tmp_path: Path) -> None:
    result = elmo("predict", trained, "goal team", "bank share", "--top", 1)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    (tmp_path / "texts.csv").write_text("text,n\ngoal team,1\nbank share,2\n")
    from_file = elmo("predict", trained, "--file", tmp_path / "texts.csv", "--json")
    records = [json.loads(line) for line in from_file.stdout.splitlines()]
    assert [record["text"] for record in records] == ["goal team", "bank share"]
    assert records[0]["label"] in {"sport", "money", "science"}
    assert sum(records[0]["probabilities"].values()) == pytest.approx(1.0, abs=1e-4)
    piped = elmo("predict", trained, "--json", text="goal team\nbank share\n")
    assert piped.stdout == from_file.stdout


def test_predict_has_a_line_of_output_for_every_line_and_row(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nothing: dict[str, Any] = {"text": "", "label": None, "probability": None, "probabilities": {}}
    (tmp_path / "texts.csv").write_text("n,text\n1,\n2,goal team\n3\n\n5,bank, share\n6, \n", encoding="utf-8")
    result = elmo("predict", trained, "--file", tmp_path / "texts.csv", "--json")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["text"] for record in records] == ["", "goal team", "", "", "bank", ""]
    assert [record for record in records if not record["text"]] == [nothing] * 4
    assert "1 rows with text beyond the last column" in caplog.text
    piped = elmo("predict", trained, "--json", text="\n goal team\n\n\nbank\n\n")
    assert piped.stdout == result.stdout
    result = elmo("predict", trained, "", "goal team")
    assert [line.startswith("(no text)") for line in result.stdout.splitlines()] == [True, False]


def test_the_same_seed_gives_the_same_weights(place: Path) -> None:
    first, again = run(place, "one"), run(place, "two")
    assert first["test"] == again["test"]
    weights, others = (load_file(place / name / "model.safetensors") for name in ("one", "two"))
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def interrupted(place: Path, name: str, *, more: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is stopped in its third epoch."""
    log = HeadTrainer.log

    def stop_in_third_epoch(self: HeadTrainer, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs and (self.state.epoch or 0) > 2:
            raise KeyboardInterrupt
        log(self, logs, start_time)

    with monkeypatch.context() as patch:
        patch.setattr(HeadTrainer, "log", stop_in_third_epoch)
        with pytest.raises(KeyboardInterrupt, match=r"^$"):
            run(place, name, more=more)


def test_an_interrupted_run_ends_as_the_uninterrupted(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_MINUTE", 0.0)

    def texts_told() -> list[int]:
        return [int(count) for count in re.findall(r"(?m)^training: (\d+) texts", capsys.readouterr().err)]

    whole = run(place, "whole", more=["head_dropout=0.2"], progress=True)
    rows = whole["rows"]["train"]
    assert texts_told()[-1] == whole["epochs"] * rows
    interrupted(place, "cut", more=["head_dropout=0.2"], monkeypatch=monkeypatch)
    assert not (place / "cut").exists()
    half_written = place / ".cut.partial" / "checkpoints" / "checkpoint-9999"
    half_written.mkdir()
    capsys.readouterr()
    resumed = run(place, "cut", more=["head_dropout=0.2"], resume=True, progress=True)
    told = texts_told()
    assert 2 * rows < told[0] < 3 * rows
    assert told[-1] == whole["epochs"] * rows
    for name in ("epoch", "train_loss", "validation_loss", "lambdas", "gamma"):
        assert [record[name] for record in resumed["history"]] == [record[name] for record in whole["history"]]
    weights, others = (load_file(place / name / "model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_the_validation_loss_breaks_ties_of_the_score_also_in_a_resumed_run(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_loss = run(place, "by_loss", more=["best_by=loss", "patience=4"])
    assert by_loss["best_epoch"] > 2
    monkeypatch.setattr(Classification, "epoch_scores", lambda self, run, found, gold: {"accuracy": 0.5})
    interrupted(place, "tied", more=["patience=4"], monkeypatch=monkeypatch)
    tied = run(place, "tied", more=["patience=4"], resume=True)
    assert tied["best_epoch"] == by_loss["best_epoch"]
    weights, others = (load_file(place / name / "model.safetensors") for name in ("by_loss", "tied"))
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert run(place, "patient", more=["patience=1"])["epochs"] == 2  # a tie is no better score


def test_a_training_that_had_stopped_is_over_in_a_resumed_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is interrupted while the finished model is scored does not train for another epoch."""
    more = ["patience=1", "epochs=9"]
    monkeypatch.setattr(Classification, "epoch_scores", lambda self, run, found, gold: {"accuracy": 0.5})
    whole = run(place, "stopped", more=more)
    assert whole["epochs"] == 2
    with monkeypatch.context() as patch:
        patch.setattr(Classification, "scores", lambda self, run: 1 / 0)
        with pytest.raises(ZeroDivisionError, match="division"):
            run(place, "died", more=more)
    resumed = run(place, "died", more=more, resume=True)
    assert [record["epoch"] for record in resumed["history"]] == [1, 2]
    weights, others = (load_file(place / name / "model.safetensors") for name in ("stopped", "died"))
    assert all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.mark.parametrize("combine", ["frozen", "function"])
def test_the_other_mixes(place: Path, combine: str) -> None:
    metrics = run(place, combine, combine=combine)
    assert metrics["test"]["accuracy"] > 0.4
    assert ("lambdas" in metrics) == (combine == "frozen")
    assert (place / combine / "layer_weights.png").exists() == (combine == "frozen")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fine_tuning_moves_the_bilm_and_goes_on_from_a_head(place: Path, trained: Path, precision: str) -> None:
    frozen = load_file(trained / "model.safetensors")
    start = load_file(place / "model" / "model.safetensors")
    assert all(torch.equal(frozen[f"elmo.{name}"], tensor) for name, tensor in start.items())
    name, more = f"tuned_{precision}", ["epochs=1", "learning_rate=1e-6", f"precision={precision}"]
    metrics = run(place, name, model=str(trained), finetune=True, more=more)
    tuned = load_file(place / name / "model.safetensors")
    assert any(not torch.equal(frozen[name], tuned[name]) for name in frozen if name.startswith("elmo."))
    torch.testing.assert_close(tuned["classifier.linear.weight"], frozen["classifier.linear.weight"], atol=1e-4, rtol=0)
    assert metrics["parameters"]["trained"] == metrics["parameters"]["total"]
    assert metrics["precision"] == precision


def test_a_head_is_kept_under_other_dropout_and_left_aside_with_a_word_where_it_does_not_fit(
    place: Path, trained: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = load_file(trained / "model.safetensors")["classifier.linear.weight"]
    slow = ["epochs=1", "learning_rate=1e-6"]
    regularised = [*slow, "head_dropout=0.4", "mix_dropout=0.1", "mix_l2=0.001"]
    caplog.set_level(logging.INFO)
    run(place, "other_dropout", model=str(trained), more=regularised)
    kept = load_file(place / "other_dropout" / "model.safetensors")["classifier.linear.weight"]
    torch.testing.assert_close(kept, old, atol=1e-4, rtol=0)
    assert f"starting from the head in {trained}" in caplog.text
    caplog.clear()
    run(place, "other_size", model=str(trained), more=[*slow, "head_layers=2", "pooling=mean"])
    assert (
        f"the head in {trained} is not used, a new one is trained: head_layers is 1 in that head, 2 in this run; "
        in caplog.text
    )
    assert "pooling is concat in that head, mean in this run" in caplog.text
    assert "starting from the head" not in caplog.text


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"--model": "nowhere"}, "There is no model folder nowhere; expected a folder with config.json"),
        ({"--train": "nothing.csv"}, "nothing.csv does not exist (--train)"),
        ({"--label-column": "9", "--text-column": "2"}, "no column 9"),
        ({"--epochs": "0"}, "setting 'epochs'"),
        ({"--set": "hidden=3"}, "unknown setting 'hidden'"),
        ({"--set": "pooling=sum"}, "pooling"),
        ({"--set": "mix_weights=[0.5, 0.5]", "--combine": "frozen"}, "mix_weights has 2 values; expected 3"),
        ({"--set": "mix_weights=[0, 0.5, 0.5]"}, "expected positive numbers for trainable λ"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    place: Path, tmp_path: Path, change: dict[str, str], problem: str
) -> None:
    words: dict[str, Any] = {"--model": place / "model", "--train": place / "train.csv", "--test": place / "test.csv"}
    words |= {"--output": tmp_path / "out", "--cache": place / "cache", **change}
    result = elmo("train", "classify", "--quiet", *[part for pair in words.items() for part in pair])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert problem in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_with_content(place: Path, trained: Path) -> None:
    words = ["--model", place / "model", "--train", place / "train.csv", "--test", place / "test.csv"]
    result = elmo("train", "classify", *words, "--output", trained)
    assert result.exit_code == 2
    assert "exists and is not empty: --overwrite replaces it" in result.stderr
    assert (trained / "model.safetensors").exists()


def test_a_damaged_model(place: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((place / "model" / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes((place / "model" / "model.safetensors").read_bytes()[:999])
    words = ["--train", place / "train.csv", "--test", place / "test.csv", "--output", tmp_path / "out"]
    result = elmo("train", "classify", "--model", tmp_path, *words)
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nowhere", "text"], "There is no model folder nowhere"),
        (["MODEL", "text"], "contains no classifier: train one with elmo train classify"),
        (["TRAINED", "--file", "none.txt"], "none.txt does not exist (--file)"),
        (["TRAINED", "text", "--file", "none.txt"], "give one of them"),
        (["TRAINED"], "no input: give texts"),
    ],
)
def test_bad_input_of_predict(place: Path, trained: Path, words: list[str], problem: str) -> None:
    names = {"MODEL": place / "model", "TRAINED": trained}
    result = elmo("predict", *[names.get(word, word) for word in words], text="\n")
    assert result.exit_code == 2
    assert problem in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.fixture(scope="module")
def vectors(place: Path) -> Path:
    """A file of static vectors for most of the words."""
    words = [*[word for topic in TOPICS.values() for word in topic.split()][:-1], "neverseen", "norhere"]
    WordVectors(words, np.random.default_rng(0).normal(size=(len(words), 6)).astype(np.float32)).save(place / "v.txt")
    return place / "v.txt"


def test_static_vectors_beside_the_layers(place: Path, vectors: Path, tmp_path: Path) -> None:
    metrics = run(place, "beside", vectors=vectors)
    assert metrics["test"]["accuracy"] > 0.6
    coverage = metrics["vector_coverage"]
    assert (coverage["types"], coverage["types_found"]) == (15, 14)
    assert 0.8 < coverage["share"] == pytest.approx(coverage["words_found"] / coverage["words"], abs=1e-4)
    texts = ["goal team", "stock market profit and then some more words", "VIRUS"]
    mine = Classifier.from_pretrained(place / "beside").predict(texts)
    model = ElmoForSequenceClassification.from_pretrained(place / "beside")
    assert model.static.weight.shape == (15, 6)
    tokenizer = ElmoTokenizer.from_pretrained(place / "beside")
    pipe = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
    for text, ranked in zip(texts, mine, strict=True):
        assert dict(ranked) == pytest.approx({e["label"]: e["score"] for e in pipe([text])[0]}, abs=1e-5)
    assert "static vectors (`v.txt`) concatenated with them" in (place / "beside/README.md").read_text()
    # the encoder reads the biLM in it, another copy keeps everything, fine-tuning continues from its head and vectors
    layers = Encoder.from_pretrained(place / "beside").encode(["goal team"])[0]
    np.testing.assert_array_equal(layers, Encoder.from_pretrained(place / "model").encode(["goal team"])[0])
    assert elmo("convert", place / "beside", tmp_path / "copy").exit_code == 0
    assert Classifier.from_pretrained(tmp_path / "copy").predict(texts) == mine
    run(place, "beside_tuned", model=str(place / "beside"), finetune=True, more=["epochs=1", "learning_rate=1e-6"])
    tuned = ElmoForSequenceClassification.from_pretrained(place / "beside_tuned")
    assert torch.equal(tuned.static.weight, model.static.weight)
    with pytest.raises(ConfigError, match="has static vectors already: leave out --vectors"):
        run(place, "twice", model=str(place / "beside"), vectors=vectors)


def test_static_vectors_learn_where_told_to(place: Path, tmp_path: Path) -> None:
    words = [*(word for topic in TOPICS.values() for word in topic.split()), "neverseen"]
    given = np.random.default_rng(0).normal(size=(len(words), 6)).astype(np.float32)
    WordVectors(words, given).save(tmp_path / "v.txt")
    more = ["epochs=2", "vectors_learning_rate=0.01", "weight_decay=0.1", "vectors_kept=all"]
    run(place, "learnt", vectors=tmp_path / "v.txt", more=more)
    learnt = ElmoForSequenceClassification.from_pretrained(place / "learnt").static.weight
    assert not learnt[0].any()
    moved = (learnt[1:] - torch.from_numpy(given / given.std(ddof=1))).abs().amax(dim=1)
    assert moved[:-1].min() > 1e-2
    assert moved[-1] < 1e-5
    assert "0.01 for the static vectors" in (place / "learnt/README.md").read_text()
    with pytest.raises(ConfigError, match=r"vectors_learning_rate is for static vectors .*--vectors FILE"):
        run(place, "bare", more=["vectors_learning_rate=0.01"])


def test_static_vectors_alone(place: Path, vectors: Path, tmp_path: Path) -> None:
    assert elmo("convert", vectors, tmp_path / "static").exit_code == 0
    metrics = run(place, "static", model=str(tmp_path / "static"), cache=tmp_path / "cache")
    assert metrics["test"]["accuracy"] > 0.6
    assert not (tmp_path / "cache").exists()  # a table is read, not stored again


def test_evaluate_scores_a_classifier_as_its_training_did(place: Path, trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    rows = ["--test", place / "test.csv"]
    result = elmo("evaluate", trained, *rows, "--label-names", place / "names.txt", "--json")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)
    assert {key: scores[key] for key in ("accuracy", "rows", "confusion", "macro")} == {
        key: metrics["test"][key] for key in ("accuracy", "rows", "confusion", "macro")
    }
    shown = elmo("evaluate", trained, *rows, "--label-names", place / "names.txt").stdout
    assert f"accuracy {scores['accuracy']:.4f} on 30 rows" in shown
    assert "  science  precision " in shown
    assert json.loads(elmo("evaluate", trained, *rows, "--json").stdout) == scores  # the run knows their names


def test_evaluate_on_rows_with_other_labels(place: Path, trained: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.csv"
    one.write_text("2,bank share\n2,stock market\n")  # not every class
    found = Classifier.from_pretrained(trained).predict(["bank share", "stock market"], top=1)
    right = sum(label.label == "money" for (label,) in found) / 2
    for label in ("2", "money"):
        one.write_text(one.read_text().replace("2,", f"{label},"))
        shown = json.loads(elmo("evaluate", trained, "--test", one, "--json").stdout)
        assert (shown["rows"], shown["accuracy"]) == (2, right)
    (tmp_path / "other.csv").write_text("a,goal team\nb,bank share\nc,orbit virus\n")
    rows = ["--test", tmp_path / "other.csv"]
    assert (
        json.loads(elmo("evaluate", trained, *rows, "--label-names", place / "names.txt", "--json").stdout)["rows"] == 3
    )
    missing = elmo("evaluate", trained, *rows)
    assert missing.exit_code == 2
    assert "the classifier knows sport, money, science: is --label-column the right one, or do" in missing.stderr


def test_evaluate_without_a_task_or_without_a_head(place: Path, trained: Path) -> None:
    rows = ["--test", place / "test.csv"]
    assert "give one of --text" in elmo("evaluate", trained).stderr
    assert "contains no classifier" in elmo("evaluate", place / "model", *rows).stderr


def test_all_training_rows_are_scored_where_wanted(place: Path) -> None:
    part = run(place, "report_part", more=["train_report_rows=10", "epochs=1"])
    whole = run(place, "report_whole", more=["train_report_rows=null", "epochs=1"])
    assert (part["train"]["rows"], whole["train"]["rows"]) == (10, 96)


def test_the_pipeline_cleans_and_cuts_as_the_classifier(place: Path) -> None:
    run(place, "cleaned", more=["clean=[clean_markup, lower_case]", "max_words=4", "epochs=1"])
    texts = [
        "GOAL &lt;b&gt;team&lt;/b&gt;",
        "bank share profit market stock bank share goal goal goal",
        "Virus #39;s gene",
    ]
    classifier = Classifier.from_pretrained(place / "cleaned")
    assert [classifier.tokenizer.words(text)[:4] for text in texts] == [
        ["goal", "team"], ["bank", "share", "profit", "market"], ["virus", "'s", "gene"],
    ]  # fmt: skip
    pipe = pipeline(
        "text-classification", model=ElmoForSequenceClassification.from_pretrained(place / "cleaned"),
        tokenizer=ElmoTokenizer.from_pretrained(place / "cleaned"), top_k=None, truncation=True,
    )  # fmt: skip
    for ranked, found in zip(classifier.predict(texts), pipe(texts), strict=True):
        assert dict(ranked) == pytest.approx({entry["label"]: entry["score"] for entry in found}, abs=1e-5)


def write_objects(path: Path, rows: int, *, seed: int, number: bool = False) -> None:
    """Texts of one or two topics, with the list of these, or with the number of words of the first."""
    draw = random.Random(seed)
    with path.open("w") as file:
        for _ in range(rows):
            own = sorted(draw.sample(list(TOPICS), k=draw.choice([1, 2])))
            words = [word for topic in own for word in draw.choices(TOPICS[topic].split(), k=3)]
            if number:
                words = draw.choices(TOPICS["1"].split(), k=draw.randint(0, 4)) + ["cell"] * 2
            about = {"score": 50 + 10 * len(words)} if number else {"labels": own}
            file.write(json.dumps({"text": " ".join(words), **about}) + "\n")


def test_several_labels_from_files_to_predictions(place: Path, tmp_path: Path) -> None:
    for name, rows, seed in (("train", 150, 1), ("test", 40, 2)):
        write_objects(tmp_path / f"{name}.jsonl", rows, seed=seed)
    files = {name: [str(tmp_path / f"{name}.jsonl")] for name in ("train", "test")}
    several: dict[str, Any] = {**files, "target": "labels", "label_names": None}
    output = tmp_path / "out"
    metrics = run(place, str(output), **several, class_weights="balanced", more=["epochs=10"])
    assert metrics["test"]["micro_f1"] > 0.9
    assert metrics["test"]["lrap"] > 0.9
    assert metrics["figure"] == "micro_f1"
    assert set(metrics["history"][0]) >= {"validation_micro_f1", "validation_macro_f1", "validation_lrap"}
    assert metrics["baseline"]["test"]["micro_f1"] > 0.9
    thresholds = dict(zip(metrics["labels"], metrics["thresholds"], strict=True))
    assert all(0 < threshold < 1 for threshold in thresholds.values())
    assert {label: each["threshold"] for label, each in metrics["test"]["per_class"].items()} == thresholds
    assert not (output / "confusion.png").exists()
    assert "| class | rows | precision | recall | F1 | threshold |" in (output / "README.md").read_text()
    printed = elmo("evaluate", output, "--test", files["test"][0], "--json")
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.stdout)["micro_f1"] == pytest.approx(metrics["test"]["micro_f1"])
    text = "goal team win cell gene orbit"
    record = json.loads(elmo("predict", output, text, "--json").stdout)
    wanted = {label for label, value in record["probabilities"].items() if value >= thresholds[label]}
    assert set(record["labels"]) == wanted == {"1", "3"}
    assert elmo("predict", output, text).stdout.startswith(f"{', '.join(record['labels'])}  (")
    model = ElmoForSequenceClassification.from_pretrained(output)
    pipe = pipeline("text-classification", model=model, tokenizer=ElmoTokenizer.from_pretrained(output), top_k=None)
    assert {row["label"]: row["score"] for row in pipe([text])[0]} == pytest.approx(record["probabilities"], abs=1e-4)
    result = elmo("evaluate", output, "--test", place / "test.csv", "--text-column", 2, "--label-column", 1)
    assert result.exit_code == 0, result.output  # one label a row is a case of several


def test_numbers_from_files_to_predictions(place: Path, tmp_path: Path) -> None:
    for name, rows, seed in (("train", 150, 1), ("test", 40, 2)):
        write_objects(tmp_path / f"{name}.jsonl", rows, seed=seed, number=True)
    files = {name: [str(tmp_path / f"{name}.jsonl")] for name in ("train", "test")}
    changes: dict[str, Any] = {**files, "target": "number", "label_names": None, "label_column": "score"}
    output = tmp_path / "out"
    metrics = run(place, str(output), **changes, text_column="text", more=["epochs=12"])
    assert metrics["test"]["pearson"] > 0.8
    assert metrics["test"]["mse"] < 100  # of numbers around 90 with a deviation of 14
    found = elmo("evaluate", output, "--test", files["test"][0], "--text-column", "text", "--label-column", "score")
    assert found.stdout.startswith(f"Pearson {metrics['test']['pearson']:.4f}")
    (given,) = Classifier.from_pretrained(output).predict("goal team cell cell")
    assert 70 < given[0].probability < 110
    record = json.loads(elmo("predict", output, "goal team cell cell", "--json").stdout)
    assert record == {"text": "goal team cell cell", "number": round(given[0].probability, 6)}
    assert elmo("predict", output, "goal team cell cell").stdout.startswith(f"{given[0].probability:.4g}  | goal")
    with (output / "test_predictions.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    values = np.array([[float(row["gold"]), float(row["predicted"])] for row in table])
    assert np.corrcoef(values.T)[0, 1] == pytest.approx(metrics["test"]["pearson"], abs=1e-5)
