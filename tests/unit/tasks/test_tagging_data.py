"""Tagged files: their schemes and columns, labels that train lacks, and splits by sentences or by documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elmokit.errors import DataError
from elmokit.tasks.tagging.config import FileScheme, TagConfig
from elmokit.tasks.tagging.data import TaggingData, load_tagged

DOCUMENTS = [3, 1, 5, 2, 4, 6, 1, 2, 3, 3]  # sentences of each


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    sentences = [f"-DOCSTART- O\n\n{'Ada B-PER' + chr(10) * 2}" + "runs O\n\n" * (count - 1) for count in DOCUMENTS]
    (tmp_path / "train").write_text("".join(sentences))
    (tmp_path / "test").write_text("Ada B-PER\n")
    return {"model": "", "output": tmp_path, "train": [str(tmp_path / "train")], "test": [str(tmp_path / "test")]}


def rows_of(data: TaggingData, split: str) -> list[int]:
    return data.splits[split].rows.tolist()


def documents_of(data: TaggingData, split: str) -> list[int]:
    return np.unique(np.array(data.sources["train"].documents)[rows_of(data, split)]).tolist()


def test_documents_stay_whole_where_they_are_read(files: dict[str, Any]) -> None:
    data = load_tagged(TagConfig(**files, context_words=50, valid_fraction=0.3, train_fraction=0.5))
    found = {split: documents_of(data, split) for split in ("train", "validation")}
    assert [len(numbers) for numbers in found.values()] == [4, 3]
    for split, numbers in found.items():
        assert len(rows_of(data, split)) == sum(DOCUMENTS[number - 1] for number in numbers)
    assert not set(found["train"]) & set(found["validation"])


def test_sentences_are_drawn_one_by_one_elsewhere(files: dict[str, Any]) -> None:
    data = load_tagged(TagConfig(**files, valid_fraction=0.3))
    assert len(rows_of(data, "validation")) == 9
    assert sorted(rows_of(data, "train") + rows_of(data, "validation")) == list(range(30))
    assert set(documents_of(data, "train")) & set(documents_of(data, "validation"))


@pytest.mark.parametrize(("words", "kind"), [(None, "sentence"), (9, "document")])
def test_one_of_them_cannot_be_split(files: dict[str, Any], words: int | None, kind: str) -> None:
    Path(files["train"][0]).write_text("Ada B-PER\n" + "\nruns O\n" * (words or 0))
    with pytest.raises(DataError, match=f"--train contains one {kind}"):
        load_tagged(TagConfig(**files, context_words=words))


def test_damaged_text_is_told(files: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    path = Path(files["test"][0])
    path.write_bytes(path.read_bytes() + "\nMün O\n".encode("latin-1"))
    load_tagged(TagConfig(**files))
    assert "test: 1 lines with bytes that are not UTF-8, read as U+FFFD" in caplog.text


def conllu(path: Path, *sentences: str, column: int = 3) -> list[str]:
    """Sentences of `word/tag`, the tags in a column of CoNLL-U, counted from 0."""
    rows = [
        "\t".join([str(number), word, *["_"] * (column - 2), tag, *["_"] * (9 - column)])
        for sentence in sentences
        for number, (word, tag) in enumerate((each.split("/") for each in sentence.split()), 1)
    ]
    path.write_text("\n".join(rows) + "\n")
    return [str(path)]


def test_tags_of_words_are_learned_as_they_are(files: dict[str, Any], tmp_path: Path) -> None:
    files["train"] = conllu(tmp_path / "a.conllu", "the/DET dog/NOUN", "runs/VERB", "dog/NOUN")
    files["test"] = conllu(tmp_path / "b.conllu", "dog/NOUN")
    config = TagConfig(**files, tag_column="UPOS", valid_fraction=0.4)
    data = load_tagged(config)
    assert (data.tags, data.labels, data.unseen) == (["DET", "NOUN", "VERB"],) * 2 + ([],)
    assert data.classes([["NOUN", "DET"]]).tolist() == [1, 0]
    assert (config.figure, config.watched) == ("accuracy", "accuracy")
    with pytest.raises(DataError, match=r"a\.conllu line 1 has the columns ID, .* no column 'POS'"):
        load_tagged(TagConfig(**files, tag_column="POS"))
    with pytest.raises(DataError, match=r"a\.conllu line 1 is CoNLL-U .*: say which one is learned.* UPOS"):
        load_tagged(TagConfig(**files))
    with pytest.raises(DataError, match=r"a\.conllu line 1: the column XPOS has no value but _"):
        load_tagged(TagConfig(**files, tag_column="XPOS"))
    with pytest.raises(DataError, match=r"line 1: the tag of every word is 'DET'; two are needed"):
        load_tagged(TagConfig(**files | {"train": conllu(tmp_path / "c", "the/DET")}, tag_column="UPOS"))


def test_a_share_of_the_training_sentences(files: dict[str, Any]) -> None:
    rows = [
        rows_of(load_tagged(TagConfig(**files, valid=files["test"], train_fraction=part)), "train")
        for part in (0.2, 0.5, 1.0)
    ]
    assert [len(part) for part in rows] == [6, 15, 30]
    assert set(rows[0]) < set(rows[1])


def test_plain_tags_of_columns_with_numbers_are_asked_for(files: dict[str, Any]) -> None:
    Path(files["train"][0]).write_text("the DT\ndog NN\n\nruns VB\n")
    Path(files["test"][0]).write_text("the DT\n")
    with pytest.raises(DataError, match=r"train line 1: the tag 'DT' is of no known scheme.*--file-scheme plain"):
        load_tagged(TagConfig(**files))
    assert load_tagged(TagConfig(**files, file_scheme="plain")).tags == ["DT", "NN", "VB"]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("BIOES", "B-PER E-PER O S-LOC"),
        ("BILOU", "B-PER L-PER O U-LOC"),
        ("BMES", "B-PER E-PER O S-LOC"),
        ("BIO", "B-PER I-PER O B-LOC"),
        ("IOB1", "I-PER I-PER O I-LOC"),
        ("IO", "I-PER I-PER O I-LOC"),
        ("IO", "PER PER O LOC"),
        ("IO", "per-son per-son O LOC"),
    ],
)
def test_every_scheme_gives_the_spans(files: dict[str, Any], scheme: FileScheme, tags: str) -> None:
    Path(files["train"][0]).write_text("".join(f"w {tag}\n" for tag in tags.split()))
    Path(files["test"][0]).write_text("w O\n")
    label = "per-son" if "son" in tags else "PER"
    for asked in (scheme, None) if "-" in tags.split()[3] else (scheme,):
        data = load_tagged(TagConfig(**files, valid=files["test"], file_scheme=asked))
        assert data.sources["train"].tags == [[f"B-{label}", f"E-{label}", "O", "S-LOC"]]


def test_a_mix_of_schemes_is_told(files: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    path = Path(files["train"][0])
    path.write_text("Ada B-PER\nOlsen I-PER\n\n" * 3 + "Bo B-PER\nOlsen L-PER\n\nCy I-PER\nRome I-LOC\nx E-LOC\n")
    data = load_tagged(TagConfig(**files, valid=files["test"]))
    assert "a file mixes schemes: 1 of 5 sentences with tags" in caplog.text
    assert f"the first at {path} line 10, fit BILOU and not BIO" in caplog.text
    assert f"the tags of 1 sentences, the first at {path} line 13, fit none of BIO, IOB1" in caplog.text
    assert data.sources["train"].tags[3] == ["B-PER", "E-PER"]
    with pytest.raises(DataError, match="line 1: none of the 5 sentences with tags fits BMES; they fit BIO"):
        load_tagged(TagConfig(**files, file_scheme="BMES"))


@pytest.mark.parametrize("source", ["valid", "test"])
def test_labels_that_train_lacks_are_counted(
    files: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    (tmp_path / "more").write_text("Ada B-PER\nin O\nNew B-LOC\nKirk I-LOC\n\nRome B-LOC\n")
    data = load_tagged(TagConfig(**{"valid": files["test"], **files, source: [str(tmp_path / "more")]}))
    assert f"{source}: 2 spans have labels that the training files lack, and count as wrong: LOC (2)" in caplog.text
    assert f"{tmp_path / 'more'} line 3" in caplog.text
    assert (data.labels, len(data.tags)) == (["PER"], 5)
    assert data.unseen == ["B-LOC", "I-LOC", "E-LOC", "S-LOC"]
    assert data.classes(data.sources[source].tags).tolist() == [4, 0, 5, 7, 8]
    (tmp_path / "more").write_text("Rome B-LOC\n")
    with pytest.raises(DataError, match=r"more line 1: the label 'LOC', which the training files lack .* expected PER"):
        load_tagged(TagConfig(**{"valid": files["test"], **files, source: [str(tmp_path / "more")]}))


def test_f1_is_of_spans(files: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="best_by f1 is of spans; plain tags have accuracy and loss"):
        TagConfig(**files, file_scheme="plain", best_by="f1")
