"""`elmo predict --output`: the columns of the input, and the predictions behind them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from helpers.web_models import save_classifier, save_pair_classifier, save_question_answerer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("topic"))


def predict(*words: object) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, words)])


def written(model: Path, source: Path, output: Path, *options: object) -> pd.DataFrame:
    result = predict(model, "--file", source, "--output", output, *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    if output.suffix == ".parquet":
        return pd.read_parquet(output)
    if output.suffix == ".jsonl":
        return pd.DataFrame(json.loads(line) for line in output.read_text(encoding="utf-8").splitlines())
    return pd.read_csv(output, sep="\t" if output.suffix == ".tsv" else ",", dtype=str, keep_default_na=False)


ROWS = 'key,text,label\n007,"the bank, of",x\n8,,y\n9,the river,z\n'


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_the_columns_of_a_table(model: Path, tmp_path: Path, ending: str) -> None:
    (tmp_path / "a.csv").write_text(ROWS, encoding="utf-8")
    frame = written(model, tmp_path / "a.csv", tmp_path / f"out{ending}")
    assert list(frame.columns) == ["key", "text", "label", "predicted_label", "probability", "probabilities"]
    assert frame["key"].tolist() == ["007", "8", "9"]
    assert frame["text"].tolist() == ["the bank, of", "", "the river"]
    shown = [json.loads(line) for line in predict(model, "--file", tmp_path / "a.csv", "--json").stdout.splitlines()]
    found = frame["predicted_label"].tolist()
    assert [each if isinstance(each, str) and each else None for each in found] == [line["label"] for line in shown]
    assert shown[1]["label"] is None
    probabilities = frame["probabilities"].iloc[2]
    assert (probabilities if ending == ".jsonl" else json.loads(probabilities)) == shown[2]["probabilities"]
    assert float(frame["probability"].iloc[2]) == shown[2]["probability"]


def test_values_of_json_keep_their_types(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 7, "text": "the bank", "tags": ["a"], "n": null}\n', encoding="utf-8")
    frame = written(model, tmp_path / "a.jsonl", tmp_path / "out.jsonl")
    assert frame[["id", "tags", "n"]].iloc[0].tolist() == [7, ["a"], None]
    frame = written(model, tmp_path / "a.jsonl", tmp_path / "out.parquet")
    assert frame["id"].tolist() == [7] and frame["tags"].tolist() == ['["a"]']


def test_blank_lines_before_the_first_object(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\n\n{"id": 7, "text": "the bank"}\n\n', encoding="utf-8")
    frame = written(model, tmp_path / "a.jsonl", tmp_path / "out.jsonl")
    assert frame["id"].tolist()[2] == 7 and frame["id"].isna().tolist() == [True, True, False, True]


def test_plain_text_and_fasta(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the bank\n\nthe river\n", encoding="utf-8")
    frame = written(model, tmp_path / "a.txt", tmp_path / "a.csv")
    assert frame["text"].tolist() == ["the bank", "", "the river"]
    (tmp_path / "a.fasta").write_text(">P1 one\nMK\n>P2\nT\n", encoding="utf-8")
    frame = written(model, tmp_path / "a.fasta", tmp_path / "b.csv")
    assert frame[["id", "text"]].to_numpy().tolist() == [["P1", "M K"], ["P2", "T"]]
    shown = predict(model, "--file", tmp_path / "a.fasta", "--json").stdout.splitlines()
    assert [json.loads(line)["id"] for line in shown] == ["P1", "P2"]


def test_sentences_of_a_row(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,text\n7,The bank. The river.\n", encoding="utf-8")
    frame = written(model, tmp_path / "a.csv", tmp_path / "out.csv", "--split-sentences")
    assert frame[["key", "sentence"]].to_numpy().tolist() == [["7", "The bank."], ["7", "The river."]]


def test_tables_without_a_header(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("7,the bank\n8,the river\n9\n", encoding="utf-8")
    frame = written(model, tmp_path / "a.csv", tmp_path / "out.csv", "--column", 2)
    assert list(frame.columns)[:2] == ["column_1", "column_2"]
    assert frame["column_1"].tolist() == ["7", "8", "9"]
    assert frame["label"].iloc[2] == ""


def test_texts_without_a_file(model: Path, tmp_path: Path) -> None:
    assert predict(model, "the bank", "the river", "--output", tmp_path / "out.jsonl").exit_code == 0
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_what_is_refused_leaves_nothing(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text('{"text": "the bank"}\n{"text"\n', encoding="utf-8")
    (tmp_path / "there.csv").write_text("precious")
    for source, output, message in (
        ("a.csv", "out.xls", "expected a name that ends in .csv, .tsv, .jsonl, .parquet"),
        ("a.csv", "there.csv", "there.csv exists: --overwrite replaces it"),
        ("bad.jsonl", "out.csv", "bad.jsonl line 2 is no JSON"),
    ):
        result = predict(model, "--file", tmp_path / source, "--output", tmp_path / output)
        assert result.exit_code == 2 and message in result.stderr, result.output
        assert not list(tmp_path.glob("*out*"))
    assert (tmp_path / "there.csv").read_text() == "precious"


def test_words_that_are_split_already(model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.txt").write_text("the <unk> bank\n", encoding="utf-8")
    assert predict(model, "--file", tmp_path / "a.txt").exit_code == 0
    assert "--pretokenized takes them as they are" in caplog.text
    caplog.clear()
    assert predict(model, "--file", tmp_path / "a.txt", "--pretokenized").exit_code == 0
    assert not caplog.records
    result = predict(model, "--file", tmp_path / "a.txt", "--pretokenized", "--split-sentences")
    assert result.exit_code == 2 and "--split-sentences needs raw text" in result.stderr


def test_a_cell_of_several_lines_is_one_line_of_output(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text\n"the bank\nof the river"\ncell\n', encoding="utf-8")
    lines = predict(model, "--file", tmp_path / "a.csv").stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("| the bank of the river")


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_pairs_keep_the_columns_of_their_rows(tmp_path: Path, ending: str) -> None:
    pairs = save_pair_classifier(tmp_path / "pairs")
    (tmp_path / "a.csv").write_text("id,sentence1,sentence2,label,source\n07,a dog,a cat,same,x\n8,a,b,other,y\n")
    frame = written(pairs, tmp_path / "a.csv", tmp_path / f"out{ending}")
    own = ["id", "sentence1", "sentence2", "label", "source"]
    assert list(frame.columns) == [*own, "predicted_label", "probability", "probabilities"]
    assert frame[own].to_numpy().tolist() == [["07", "a dog", "a cat", "same", "x"], ["8", "a", "b", "other", "y"]]
    shown = [json.loads(line) for line in predict(pairs, "--file", tmp_path / "a.csv", "--json").stdout.splitlines()]
    assert frame["predicted_label"].tolist() == [line["label"] for line in shown]
    assert list(shown[0])[:3] == ["id", "first", "second"]


def test_questions_keep_the_columns_of_their_rows(tmp_path: Path) -> None:
    questions = save_question_answerer(tmp_path / "qa")
    row = {"id": 7, "passage": "Ada lived in Rome.", "question": "Where?", "topic": "people", "text": "own"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "a.json").write_text(json.dumps([row]))
    for name in ("a.jsonl", "a.json"):
        frame = written(questions, tmp_path / name, tmp_path / f"{name}.out.jsonl")
        assert list(frame.columns)[:8] == [*row, "predicted_text", "start", "end"]
        assert frame[list(row)].iloc[0].to_dict() == row
    squad = {"context": row["passage"], "qas": [{"id": "q1", "question": "Where?"}]}
    (tmp_path / "s.json").write_text(json.dumps({"data": [{"paragraphs": [squad]}]}))
    frame = written(questions, tmp_path / "s.json", tmp_path / "s.csv")
    assert list(frame.columns)[:4] == ["id", "question", "text", "start"]  # SQuAD has no columns
