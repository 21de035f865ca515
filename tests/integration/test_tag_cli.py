"""`elmo train tag`, `elmo predict` and `elmo evaluate` from files to spans, on a tiny untrained biLM."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from transformers import pipeline
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
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
    given: dict[str, Any] = {
        "model": place / "model",
        "train": place / "train.txt",
        "test": place / "test.txt",
        "output": output,
    }
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
    columns = [[line.split(" ") for line in lines if line] for lines in sentences]
    gold, found = ([[row[place] for row in rows] for rows in columns] for place in (1, 2))
    assert {tag[0] for tags in (*gold, *found) for tag in tags} == {"B", "I", "O"}  # what conlleval knows
    assert span_scores(gold, found)["f1"] == pytest.approx(metrics["test"]["f1"])


def test_spans_have_offsets_and_every_way_agrees(trained: Path) -> None:
    text = "we saw Bo Olsen. Ada lives in New Kirk ."
    tagger = Tagger.from_pretrained(trained)
    (entities,) = tagger.predict([text])
    assert tagger.predict(text) == [entities]
    with pytest.raises(ValueError, match="Expected lists of words, got a text"):
        tagger.tag([text])
    indented = json.loads(elmo("predict", trained, "--json", f"  {text}").stdout)
    assert indented["text"] == f"  {text}"
    assert [row["start"] for row in indented["entities"]] == [entity.start + 2 for entity in entities]
    blank = elmo("predict", trained, " ", "")
    assert (blank.exit_code, blank.stdout) == (2, "")
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


@pytest.mark.parametrize("mix_at", ["input", "between"])
def test_char_features_learn_beside_frozen_layers_and_vectors(place: Path, mix_at: str) -> None:
    (place / "vectors.txt").write_text("lives 0.1 0.2\nAda 0.3 -0.1\n")
    output, tuned = place / f"spelled_{mix_at}", place / f"spelled_{mix_at}_tuned"
    more = ["--vectors", place / "vectors.txt", "--set", "char_features=8", "--set", "epochs=6"]
    more += ["--set", f"mix_at={mix_at}", "--set", "head_layers=2"]
    result = elmo(*words_of(place, output, valid=place / "valid.txt"), *more)
    assert result.exit_code == 0, result.output
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["test"]["f1"] > 0.5
    shown = elmo("evaluate", output, "--test", place / "test.txt", "--json")
    assert json.loads(shown.stdout) == metrics["test"]  # from text, with the biLM run anew
    result = elmo(*words_of(place, tuned, model=output), "--finetune", "--set", "head_layers=2", "--set", "epochs=1")
    assert result.exit_code == 0, result.output
    assert json.loads((tuned / "metrics.json").read_text())["test"]["f1"] > 0.5
    model = ElmoForTokenClassification.from_pretrained(tuned)
    assert model.config.mix_at == mix_at  # of the folder it started from
    pipe = pipeline("token-classification", model=model, tokenizer=ElmoTokenizer.from_pretrained(tuned))
    assert [entry["word"] for entry in pipe("Ada lives in Rome .")] == ["Ada", "Rome"]
    (place / "rows.csv").write_text("label,text\n" + "a,Ada lives\nb,Rome is far\n" * 10)
    rows = ["--train", place / "rows.csv", "--test", place / "rows.csv", "--output", place / f"topics_{mix_at}"]
    result = elmo("train", "classify", "--model", output, *rows, "--cache", place / "cache", "--epochs", 1)
    assert result.exit_code == 0, result.output  # another head has no such features, but the same static vectors
    static = [
        kind.from_pretrained(folder).static.weight
        for kind, folder in (
            (ElmoForTokenClassification, output),
            (ElmoForSequenceClassification, place / f"topics_{mix_at}"),
        )
    ]
    assert torch.equal(*static)
    assert static[0].abs().sum() > 0


def test_the_bilm_reads_documents(place: Path) -> None:
    for name in ("train", "valid", "test"):
        blocks = (place / f"{name}.txt").read_text().split("\n\n")
        for number in range(7, len(blocks), 8):
            blocks[number] = f"-DOCSTART- -X- O\n\n{blocks[number]}"
        (place / f"{name}_documents.txt").write_text("\n\n".join(blocks))
    files = {name: place / f"{name}_documents.txt" for name in ("train", "test")}
    more = ["--set", "context_words=20", "--set", "epochs=6"]
    output, tuned = place / "documents", place / "documents_tuned"
    result = elmo(*words_of(place, output, valid=place / "valid_documents.txt", **files), *more)
    assert result.exit_code == 0, result.output
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["test"]["f1"] > 0.5
    shown = elmo("evaluate", output, "--test", files["test"], "--json")
    assert json.loads(shown.stdout) == metrics["test"]  # from text, documents as in the training
    alone = json.loads(elmo("evaluate", output, "--test", place / "test.txt", "--json").stdout)
    assert alone["spans"] == metrics["test"]["spans"]

    tagger = Tagger.from_pretrained(output)
    assert tagger.context_words == 20
    sentences = [["Ada", "lives", "in", "Rome", "."], ["we", "saw", "Cy", "."]]
    data: dict[str, torch.Tensor] = {}

    def keep(_: object, inputs: object, output: Any) -> None:
        data["mask"] = output.mask

    tagger.model.elmo.register_forward_hook(keep)
    assert [len(tags) for tags in tagger.tag(sentences, documents=[3, 3])] == [5, 4]
    assert data["mask"].shape == (1, 9)
    assert tagger.tag(sentences, documents=[3, 4]) == tagger.tag(sentences)
    assert data["mask"].shape == (2, 5)
    (entities,) = tagger.predict(["Ada lives in Rome. We saw Cy."])
    assert data["mask"].shape == (1, 9)  # a text is a document
    assert {"Rome", "Cy"} <= {entity.text for entity in entities}
    with pytest.raises(ValueError, match="1 documents came for 2 sentences"):
        tagger.tag(sentences, documents=[3])

    result = elmo(*words_of(place, tuned, model=output, **files), "--finetune", *more[:2], "--set", "epochs=1")
    assert result.exit_code == 0, result.output  # a part of the documents is for validation
    metrics = json.loads((tuned / "metrics.json").read_text())
    assert metrics["rows"]["train"] + metrics["rows"]["validation"] == 150
    assert json.loads(elmo("evaluate", tuned, "--test", files["test"], "--json").stdout) == metrics["test"]
    assert metrics["test"]["f1"] > 0.5
    result = elmo(*words_of(place, place / "one_document", **{**files, "train": place / "train.txt"}), *more)
    assert result.exit_code != 0
    assert "--train contains one document (they begin at lines of -DOCSTART-)" in result.output


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_fine_tuning_goes_on_from_the_head(place: Path, trained: Path, precision: str) -> None:
    values = {"model": str(trained), "train": [str(place / "train.txt")], "test": [str(place / "test.txt")]}
    overrides = [*SMALL, "epochs=1", "learning_rate=1e-6", "finetune=true", f"precision={precision}"]
    more: dict[str, Any] = {"output": place / f"tuned_{precision}", "threads": 1, "progress": False}
    metrics = train_tagger(load_settings(TagConfig, overrides=overrides, **cast(Any, values), **more))
    assert metrics["parameters"]["trained"] == metrics["parameters"]["total"]
    assert metrics["test"]["f1"] > 0.9
    assert metrics["rows"]["validation"] == 15  # a tenth of the training sentences


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("train", "Ada X B-PER\n\nBo X Q-PER\n", "train.txt line 3: the tag 'Q-PER' is of no known scheme"),
        ("train", "a X O\n\nb X O\n", "tags only O: is --tag-column the right one?"),
        ("train", "Ada X I-PER\nlives X\n", "line 2: expected 3 columns as before"),
        ("train", "", "contains no sentences (--train)"),
        ("train", "Ada\tX\tI-PER\n\tX\tO\n", "train.txt line 2: column 1 has no word (--word-column)"),
        (
            "test",
            "Ada X O\n\nof X O\nBo X I-ORG\n",
            "test.txt line 4: the label 'ORG', which the training files lack (--test)",
        ),
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
    assert "train.txt line 3 has 3 columns, no column 7 (--tag-column)" in result.stderr


def test_evaluate_reads_the_columns_of_the_training(place: Path, tmp_path: Path) -> None:
    """A chunker's files have more columns behind the one it learnt."""
    for name in ("train", "test"):
        lines = [line.split() for line in (place / f"{name}.txt").read_text().split("\n")]
        rows = [f"X {line[0]} {line[2]} B-OTHER" if len(line) == 3 and "DOC" not in line[0] else "" for line in lines]
        (tmp_path / f"{name}.txt").write_text("\n".join(rows))
    files = {"train": tmp_path / "train.txt", "test": tmp_path / "test.txt", "word_column": 2, "tag_column": 3}
    result = elmo(*words_of(place, tmp_path / "out", **files), "--set", "epochs=2")
    assert result.exit_code == 0, result.output
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    shown = elmo("evaluate", tmp_path / "out", "--test", tmp_path / "test.txt", "--json")
    assert json.loads(shown.stdout) == metrics["test"]
    asked = ("--word-column", 1, "--tag-column", 3)
    shown = elmo("evaluate", tmp_path / "out", "--test", place / "test.txt", *asked, "--json")
    assert json.loads(shown.stdout)["f1"] == metrics["test"]["f1"]
    result = elmo("evaluate", tmp_path / "out", "--test", tmp_path / "test.txt", "--tag-column", -1)
    assert result.exit_code == 2
    assert "the label 'OTHER', which the tagger does not know (--test); expected LOC, PER" in result.stderr
    result = elmo("evaluate", tmp_path / "out", "--test", tmp_path / "test.txt", "--label-column", 2)
    assert result.exit_code == 2
    assert "--label-column applies only to labelled rows" in result.stderr


def test_a_model_of_text_between_blanks_still_tags_raw_text(place: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = ElmoConfig.preset("tiny", pre_split=True, text_steps=["lower_case"])
    ElmoModel(shape).save_pretrained(tmp_path / "model")
    ElmoTokenizer(split="whitespace").save_pretrained(tmp_path / "model")
    result = elmo(*words_of(place, tmp_path / "out", model=tmp_path / "model"))
    assert result.exit_code == 0, result.output
    tagger = Tagger.from_pretrained(tmp_path / "out")
    assert [entity.text for entity in tagger.predict(["Ada lives in Rome."])[0]] == ["Ada", "Rome"]
    assert tagger.tag([["ADA", "lives"]]) == tagger.tag([["Ada", "lives"]])
    model = ElmoForTokenClassification.from_pretrained(tmp_path / "out")
    pipe = pipeline("token-classification", model=model, tokenizer=ElmoTokenizer.from_pretrained(tmp_path / "out"))
    assert [(entry["word"], entry["start"]) for entry in pipe("ADA lives in Rome.")] == [("ADA", 0), ("Rome", 13)]


def test_scores_are_of_whole_spans_where_a_sentence_is_read_in_pieces(
    place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "test.txt").write_text("we X O\nsaw X O\nBo X B-PER\nOlsen X I-PER\n. X O\n\nAda X I-PER\n")
    with caplog.at_level("WARNING"):
        result = elmo(*words_of(place, tmp_path / "out", test=tmp_path / "test.txt"), "--set", "max_words=3")
    assert result.exit_code == 0, result.output
    assert "test: 1 sentences are longer than 3 words" in caplog.text
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["rows"]["test"], metrics["test"]["sentences"], metrics["test"]["spans"]) == (2, 2, 2)
    assert len((tmp_path / "out" / "test_predictions.conll").read_text().split("\n\n")) == 2


def test_tags_that_break_every_scheme_are_counted_and_placed(
    place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "test.txt").write_text("Ada X I-PER\n\nwe X O\nBo X S-PER\nOlsen X E-LOC\nCy X I-PER\n")
    with caplog.at_level("WARNING"):
        result = elmo(*words_of(place, tmp_path / "out", test=tmp_path / "test.txt"), "--set", "epochs=1")
    assert result.exit_code == 0, result.output
    assert f"test: the tags of 1 sentences, the first at {tmp_path / 'test.txt'} line 3, fit none of" in caplog.text
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["test"]["spans"] == 4


def write_conllu(path: Path, count: int, *, seed: int) -> None:
    draw = random.Random(seed)
    words = {"DET": ["the", "a"], "NOUN": ["dog", "cat", "tree"], "VERB": ["sees", "likes"]}
    blocks = []
    for number in range(count):
        rows = [f"# sent_id = {number}", "1-2\tthedog\t_\t_\t_\t_\t_\t_\t_\t_"]
        for place, tag in enumerate(["DET", "NOUN", "VERB", "DET", "NOUN"], 1):
            rows.append("\t".join([str(place), draw.choice(words[tag]), "_", tag, *"______"]))
        blocks.append("\n".join(rows) + "\n")
    path.write_text("\n".join(blocks))


def test_parts_of_speech_from_conllu_to_conllu(place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_conllu(tmp_path / "train.conllu", 60, seed=1)
    write_conllu(tmp_path / "test.conllu", 8, seed=2)
    test = tmp_path / "test.conllu"
    test.write_text(test.read_text().replace("\tVERB\t", "\tAUX\t", 1))  # a tag that train lacks
    files = {"train": tmp_path / "train.conllu", "test": test, "valid": test, "tag_column": "UPOS"}
    result = elmo(*words_of(place, tmp_path / "out", **files), "--set", "epochs=4")
    assert result.exit_code == 0, result.output
    assert "test: 1 words have labels that the training files lack, and count as wrong: AUX (1)" in caplog.text
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["figure"], metrics["labels"]) == ("accuracy", ["DET", "NOUN", "VERB"])
    assert metrics["test"]["accuracy"] == 39 / 40
    assert metrics["history"][-1]["validation_accuracy"] == 39 / 40
    assert "accuracy" in (tmp_path / "out" / "README.md").read_text()
    rows = [line.split("\t") for line in test.read_text().split("\n") if "-2\t" not in line and line[:1] != "#"]
    (tmp_path / "two.conll").write_text("\n".join(f"{row[1]} {row[3]}" if len(row) > 1 else "" for row in rows))
    result = elmo("evaluate", tmp_path / "out", "--test", tmp_path / "two.conll", "--tag-column", 2)
    assert result.stdout.startswith("accuracy 0.9750  macro F1")
    result = elmo("evaluate", tmp_path / "out", "--test", test, "--file-scheme", "BIO")
    assert "the tagger has learned tags of single words, and" in result.stderr
    scored = tmp_path / "scored.conll"
    result = elmo("evaluate", tmp_path / "out", "--test", test, "--output", scored)
    assert result.stdout.startswith("accuracy 0.9750  macro F1")
    assert scored.read_text() == (tmp_path / "out" / "test_predictions.conll").read_text()

    blank = tmp_path / "blank.conllu"
    blank.write_text("".join(re.sub(r"\t(DET|NOUN|VERB|AUX)\t", "\t_\t", test.read_text())))
    tagged = tmp_path / "tagged.conllu"
    result = elmo("predict", tmp_path / "out", "--file", blank, "--output", tagged)
    assert result.exit_code == 0, result.output
    assert tagged.read_text() == test.read_text().replace("\tAUX\t", "\tVERB\t")
    result = elmo("predict", tmp_path / "out", "--file", blank, "--output", tagged)
    assert f"{tagged} exists: --overwrite replaces it" in result.stderr
    result = elmo("predict", tmp_path / "out", "the dog sees. The cat.", "--output", tmp_path / "texts.conllu")
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "texts.conllu").read_text().split("\n")
    assert [line.split("\t")[:2] for line in lines[:4]] == [["1", "the"], ["2", "dog"], ["3", "sees"], ["4", "."]]
    assert lines[1] == "2\tdog\t_\tNOUN\t_\t_\t_\t_\t_\t_"
    shown = elmo("predict", tmp_path / "out", "the dog sees")
    assert shown.stdout == "the DET  dog NOUN  sees VERB\n"
    record = json.loads(elmo("predict", tmp_path / "out", "the dog", "--json").stdout)
    assert record["words"][1] == {"tag": "NOUN", "text": "dog", "start": 4, "end": 7}
    result = elmo("predict", tmp_path / "out", "the dog", "--output", tmp_path / "a.xml")
    assert result.exit_code == 2 and "a.xml: expected a name that ends in " in result.stderr


def test_tags_stand_behind_the_columns_of_a_file(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_text("-DOCSTART- X\n\n# a = comment\nAda X\nlives X\n\n\nBo\tX\nOlsen\tX\n")
    result = elmo("predict", trained, "--file", tmp_path / "in.conll", "--output", tmp_path / "out.conll")
    assert result.exit_code == 0, result.output
    tags = Tagger.from_pretrained(trained).tag([["Ada", "lives"], ["Bo", "Olsen"]])
    assert (tmp_path / "out.conll").read_text() == (
        f"-DOCSTART- X _\n\n# a = comment\nAda X {tags[0][0]}\nlives X {tags[0][1]}\n\n\n"
        f"Bo\tX\t{tags[1][0]}\nOlsen\tX\t{tags[1][1]}\n"
    )
    result = elmo("predict", trained, "Ada lives", "--output", tmp_path / "out.conllu")
    assert "CoNLL-U has no column for the tags that were learned" in result.stderr
    assert not (tmp_path / "out.conllu").exists()


def test_columns_of_standard_input(trained: Path, tmp_path: Path) -> None:
    result = elmo("predict", trained, "--pretokenized", "--output", tmp_path / "out.conll", text="Ada lives.\n\nBo\n")
    assert result.exit_code == 0, result.output
    rows = [line.split("\t")[0] for line in (tmp_path / "out.conll").read_text().split("\n")]
    assert [word for word in rows if word] == ["Ada", "lives.", "Bo"]
