"""The mixture of cleaned sources: what is held out, how often documents are taken, which sentences stand where."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from elmokit.errors import DataError
from english_text.mixture import Mixture, read_documents


def sentence(source: str, document: int, number: int) -> str:
    return f"In {source} the document number {document} has its sentence {number} here ."


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """40 documents of 3 sentences each from two sources."""
    (tmp_path / "cleaned").mkdir()
    paths = {}
    for name in ("marsh", "harbour"):
        documents = ["\n".join(sentence(name, i, j) for j in range(3)) + "\n\n" for i in range(40)]
        paths[name] = tmp_path / "cleaned" / f"{name}.txt"
        paths[name].write_text("".join(documents), encoding="utf-8")
    return paths


def mixed(sources: dict[str, Path], folder: Path, weights: dict[str, float], **settings: float) -> Mixture:
    folder.mkdir()
    mixture = Mixture(sources, folder, **{"seed": 1, "held_out": 0.1, **settings})  # type: ignore[arg-type]
    mixture.write(weights)
    return mixture


def test_every_document_is_taken_or_held_out_with_its_sentences_in_order(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    mixture = mixed(sources, tmp_path / "out", dict.fromkeys(sources, 1.0))
    train = list(read_documents(tmp_path / "out" / "train.txt"))
    held_out = {name: list(read_documents(tmp_path / "out" / "valid" / f"{name}.txt")) for name in sources}
    assert {name: len(documents) for name, documents in held_out.items()} == dict.fromkeys(sources, 4)
    everything = [document for path in sources.values() for document in read_documents(path)]
    assert sorted(train + [each for documents in held_out.values() for each in documents]) == sorted(everything)
    assert list(read_documents(tmp_path / "out" / "valid.txt")) == held_out["marsh"] + held_out["harbour"]
    marsh = mixture.parts["marsh"]
    assert (marsh.train.documents, marsh.train.sentences, marsh.train.words) == (36, 108, 36 * 3 * 12)
    assert (marsh.held_out.documents, marsh.held_out.sentences) == (4, 12)


def test_documents_of_all_sources_are_shuffled(sources: dict[str, Path], tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        mixed(sources, tmp_path / name, dict.fromkeys(sources, 1.0), seed=seed)
        texts.append((tmp_path / name / "train.txt").read_text(encoding="utf-8"))
    assert texts[0] == texts[1] != texts[2]
    origins = [document[0].split()[1] for document in read_documents(tmp_path / "a" / "train.txt")]
    assert {"marsh", "harbour"} == set(origins[:10]) == set(origins[-10:])


def test_a_weight_is_how_often_documents_are_taken(sources: dict[str, Path], tmp_path: Path) -> None:
    mixture = mixed(sources, tmp_path / "out", {"marsh": 0.5, "harbour": 2.5})
    taken = Counter(tuple(document) for document in read_documents(tmp_path / "out" / "train.txt"))
    times = {name: Counter(n for document, n in taken.items() if f"In {name} " in document[0]) for name in sources}
    assert set(times["marsh"]) == {1}
    assert 10 < times["marsh"][1] < 26
    assert mixture.parts["marsh"].documents_left_out_by_weight == 36 - times["marsh"][1]
    assert set(times["harbour"]) == {2, 3}
    assert sum(times["harbour"].values()) == 36
    assert mixture.parts["harbour"].train.documents == sum(n * count for n, count in times["harbour"].items())


def test_what_is_held_out_does_not_depend_on_weights(sources: dict[str, Path], tmp_path: Path) -> None:
    mixed(sources, tmp_path / "a", {"marsh": 1.0, "harbour": 1.0})
    mixed(sources, tmp_path / "b", {"marsh": 0.3, "harbour": 4.0})
    assert (tmp_path / "a" / "valid.txt").read_bytes() == (tmp_path / "b" / "valid.txt").read_bytes()


def test_a_long_sentence_stands_once_and_never_in_a_held_out_file_too(sources: dict[str, Path], tmp_path: Path) -> None:
    copied = sources["marsh"].read_text(encoding="utf-8").upper().replace(" .", ".")
    sources["harbour"].write_text(f"{copied}A new one.\n\n" * 2, encoding="utf-8")
    mixture = mixed(sources, tmp_path / "out", dict.fromkeys(sources, 1.0))
    texts = [tmp_path / "out" / name for name in ("train.txt", "valid.txt")]
    lines = [line.lower().replace(" .", ".") for path in texts for line in path.read_text(encoding="utf-8").split("\n")]
    long = Counter(line for line in lines if line.startswith("in "))
    assert set(long.values()) == {1}
    assert len(long) == 120
    assert lines.count("a new one.") == 2
    assert sum(part.sentences_seen_before for part in mixture.parts.values()) == 240


def test_sentences_of_another_held_out_text_are_kept_out(sources: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    mixture = Mixture(sources, tmp_path / "out", seed=1, held_out=0.1)
    mixture.keep_out([sentence("marsh", i, 1) for i in range(40)])
    mixture.write(dict.fromkeys(sources, 1.0))
    text = (tmp_path / "out" / "train.txt").read_text(encoding="utf-8")
    assert not any(sentence("marsh", i, 1) in text for i in range(40))
    assert mixture.parts["marsh"].sentences_seen_before == 40


def test_of_few_documents_two_are_held_out_and_never_more_than_half(sources: dict[str, Path], tmp_path: Path) -> None:
    text = "".join(f"{sentence('marsh', i, 0)}\n\n" for i in range(8))
    sources["marsh"].write_text(text, encoding="utf-8")
    sources["harbour"].write_text("Only one document is here.\n\n", encoding="utf-8")
    mixture = mixed(sources, tmp_path / "out", dict.fromkeys(sources, 1.0), held_out=0.001)
    assert mixture.parts["marsh"].held_out.documents == 2
    assert mixture.parts["harbour"].held_out.documents == 0
    assert not (tmp_path / "out" / "valid" / "harbour.txt").exists()


def test_a_mixture_of_nothing_is_refused(sources: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no document is left to train on: raise --weight"):
        mixed(sources, tmp_path / "out", dict.fromkeys(sources, 1e-9))


def test_text_without_empty_lines_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("One.\nTwo.\n", encoding="utf-8")
    assert list(read_documents(tmp_path / "old.txt")) == [["One.", "Two."]]
