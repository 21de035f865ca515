"""A whole preparation of two invented sources: what comes out, what a second run does, what is refused."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

import prepare_english
from elmokit.errors import ConfigError, DataError
from elmokit.pretrain.corpus import build_corpus
from english_text import readers, run
from english_text.evaluation_sets import EvaluationSet, plain
from english_text.run import Collections, prepare
from english_text.sources import SOURCES, Source

TESTED = "The keeper of the lighthouse paints the railing every second summer."


def pack(path: Path, lines: list[str]) -> None:
    path.write_bytes(lzma.compress("".join(f"{line}\n" for line in lines).encode()))


def source(name: str) -> Source:
    return Source(name, f"Texts of the {name}", "nobody", "CC0-1.0", (f"{name}.xz",), readers.documents(f"{name}.xz"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """30 documents of two paragraphs each from `marsh` and `harbour`, and an evaluation text."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("marsh", "harbour"):
        lines = []
        for i in range(30):
            lines += [
                f"Number {i} of the wide {name} begins. The {name} needs a second sentence, number {i}.",
                "It ends.",
                "",
            ]
        pack(folder / f"{name}.xz", lines)
    pack(folder / "valid.xz", ["A sentence from apart that is held out all the same."])
    (folder / "test.txt").write_text(f"{TESTED}\nNo way.\n", encoding="utf-8")
    return folder


@pytest.fixture
def collections() -> Collections:
    tested = {"test": EvaluationSet(("test.txt",), plain)}
    return Collections(
        sources=(source("marsh"), source("harbour")),
        held_out=(Source("apart", "", "", "", ("valid.xz",), readers.documents("valid.xz")),),
        evaluation=tested,
        short={"harbour": tested},
        first={"marsh": lambda data: data.lines("marsh.xz")},
        first_files=("marsh.xz",),
    )


@pytest.fixture
def prepared(
    data: Path, tmp_path: Path, collections: Collections, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Prepares into `out`."""
    monkeypatch.setattr("english_text.first_text.FIRST_SETS", collections.evaluation)
    monkeypatch.setattr("english_text.first_text.HELD_OUT", 0.2)

    def call(**settings: Any) -> dict[str, Any]:
        return prepare(data, tmp_path / "out", show_progress=False, **{"collections": collections, **settings})

    return call


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "run.json")
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    path.write_bytes(lzma.compress(change(lzma.decompress(path.read_bytes()).decode()).encode()))


def test_a_preparation_leaves_text_held_out_text_and_a_report(
    prepared: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    report = prepared(weights={"harbour": 2})
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "cleaned", "elmo_mini", "run.json", "sources.json", "train.txt", "valid", "valid.txt",
    }  # fmt: skip
    assert json.loads((out / "sources.json").read_text(encoding="utf-8"))["sources"] == report["sources"]
    assert {path.name for path in (out / "valid").iterdir()} == {
        "apart.txt", "harbour.txt", "marsh.txt", "old_elmo_mini.txt",
    }  # fmt: skip
    marsh, harbour = report["sources"]["marsh"], report["sources"]["harbour"]
    assert (marsh["train"]["documents"], harbour["train"]["documents"]) == (28, 56)
    assert (marsh["weight"], harbour["weight"], marsh["terms"], marsh["attribution"]) == (1.0, 2, "CC0-1.0", "nobody")
    words = len((out / "train.txt").read_text(encoding="utf-8").split())
    assert report["all"]["train"]["words"] == words == marsh["train"]["words"] + harbour["train"]["words"]
    assert report["other_held_out"]["apart"]["sentences"] == 1
    lines = set((out / "train.txt").read_text(encoding="utf-8").splitlines())
    for name in ("old_elmo_mini", "apart", "marsh", "harbour"):
        held_out = (out / "valid" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        assert held_out
        assert not lines & {line for line in held_out if len(line) > 25}


def test_the_corpus_of_a_biLM_passes_over_the_empty_lines(
    prepared: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    report = prepared()
    corpus = build_corpus([tmp_path / "out" / "train.txt"], None, tmp_path / "corpus", pre_split=True)
    assert len(corpus.train) == report["all"]["train"]["sentences"]
    assert corpus.train.n_tokens == report["all"]["train"]["words"]


def test_evaluation_sentences_are_removed_and_of_one_source_the_short_ones_too(
    prepared: Callable[..., dict[str, Any]], data: Path, tmp_path: Path
) -> None:
    others = [f"Ferry number {i} of the morning carries only empty crates." for i in range(5)]
    for name in ("marsh", "harbour"):
        rewrite(data / f"{name}.xz", lambda text: "\n".join([*others, TESTED.upper(), "No way!", "", text]))
    report = prepared()
    removed = {name: entry["cleaned"]["sentences_in_evaluation_texts"] for name, entry in report["sources"].items()}
    assert removed == {"marsh": 1, "harbour": 2}


def test_a_second_run_does_nothing_and_other_weights_mix_anew(
    prepared: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    prepared()
    before = snapshot(tmp_path / "out")
    prepared()
    assert snapshot(tmp_path / "out") == before
    prepared(weights={"marsh": 2})
    after = snapshot(tmp_path / "out")
    changed = {name for name in before if before[name] != after[name]}
    assert {name for name in changed if before[name][1] != after[name][1]} == {"train.txt", "sources.json"}
    assert not any(name.startswith(("cleaned/", "elmo_mini/")) for name in changed)


def test_an_interrupted_run_keeps_its_finished_sources_and_ends_like_another(
    prepared: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared()
    whole = {name: content for name, (_, content) in snapshot(tmp_path / "out").items()}
    real = cast(Any, run).write_cleaned

    def interrupted(*arguments: Any, **named: Any) -> Any:
        if named["name"] == "harbour":
            raise KeyboardInterrupt("by hand")
        return real(*arguments, **named)

    monkeypatch.setattr(run, "write_cleaned", interrupted)
    with pytest.raises(KeyboardInterrupt, match="by hand"):
        prepared(overwrite=True)
    assert [path.name for path in sorted((tmp_path / "out" / "cleaned").iterdir())] == ["marsh.json", "marsh.txt"]
    made = (tmp_path / "out" / "cleaned" / "marsh.txt").stat().st_mtime_ns
    monkeypatch.setattr(run, "write_cleaned", real)
    prepared()
    assert {name: content for name, (_, content) in snapshot(tmp_path / "out").items()} == whole
    assert (tmp_path / "out" / "cleaned" / "marsh.txt").stat().st_mtime_ns == made


def test_a_cleaned_file_that_was_cut_is_made_again(prepared: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    prepared()
    cleaned = tmp_path / "out" / "cleaned" / "marsh.txt"
    whole = cleaned.read_bytes()
    cleaned.write_bytes(whole[:-10])
    prepared()
    assert cleaned.read_bytes() == whole


def test_a_file_that_changed_since_the_run_began_is_refused(
    prepared: Callable[..., dict[str, Any]], data: Path, tmp_path: Path
) -> None:
    prepared()
    before = snapshot(tmp_path / "out")
    rewrite(data / "marsh.xz", lambda text: text.replace("ends", "stops"))
    with pytest.raises(DataError, match=r"marsh.xz changed since the run in .* began .*--overwrite starts anew"):
        prepared()
    assert snapshot(tmp_path / "out") == before
    assert prepared(overwrite=True)["all"]["train"]["documents"] == 56
    (data / "test.txt").write_text("Another evaluation text of at least eight words is here.\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"test.txt changed since the run"):
        prepared()


def test_a_file_that_changes_while_it_is_read_leaves_nothing(
    prepared: Callable[..., dict[str, Any]], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cast(Any, run).write_cleaned

    def changing(*arguments: Any, **named: Any) -> Any:
        counts = real(*arguments, **named)
        rewrite(data / "harbour.xz", lambda text: text + "More.\n")
        return counts

    monkeypatch.setattr(run, "write_cleaned", changing)
    with pytest.raises(DataError, match=r"harbour.xz changed while it was read"):
        prepared(weights={"marsh": 0})
    assert not (tmp_path / "out" / "cleaned" / "harbour.json").exists()
    assert not (tmp_path / "out" / "train.txt").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), r"cannot read .*harbour.xz: No such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), r"harbour.xz is cut off or damaged"),
        (lambda path: pack(path, ["", ""]), r"the source harbour is empty"),
        (lambda path: pack(path, ["..."]), r"the source harbour is empty"),
    ],
)
def test_a_source_that_is_no_good_is_named_and_nothing_is_half_written(
    prepared: Callable[..., dict[str, Any]], data: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(data / "harbour.xz")
    with pytest.raises(DataError, match=message):
        prepared()
    out = tmp_path / "out"
    assert not {path.name for path in out.rglob("*")} - {"cleaned", "marsh.txt", "marsh.json", "run.json"}
    assert prepared(weights={"harbour": 0})["all"]["train"]["documents"] == 28


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weights": {"swamp": 1}}, r"--weight swamp: there is no such source; known are marsh, harbour"),
        ({"weights": {"marsh": -1}}, r"--weight marsh=-1: expected 0 or a positive number"),
        ({"weights": {"marsh": float("nan")}}, r"--weight marsh=nan: expected 0 or"),
        ({"weights": {"marsh": 0, "harbour": 0}}, r"every source has --weight 0"),
        ({"held_out": 0}, r"--held-out is 0; expected a fraction above 0 and below 0.5"),
    ],
)
def test_settings_of_no_use_are_refused_before_anything_is_written(
    prepared: Callable[..., dict[str, Any]], tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        prepared(**settings)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(prepared: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match=r"holds thesis.txt, which no preparation wrote"):
            prepared(overwrite=overwrite)
    (out / "thesis.txt").rename(tmp_path / "file")
    out.rmdir()
    (tmp_path / "file").rename(out)
    with pytest.raises(ConfigError, match=r"is a file; expected a folder"):
        prepared()


def test_the_command_says_in_one_line_what_is_wrong(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare_english.main([str(data), str(tmp_path / "out"), "--weight", "wikipedia=much"]) == 2
    assert (
        capsys.readouterr().err
        == "error: --weight 'wikipedia=much': expected SOURCE=NUMBER, for example wikipedia=0.5\n"
    )
    assert prepare_english.main([str(data), str(tmp_path / "out"), "--weight", "marsh=1"]) == 2
    assert capsys.readouterr().err.startswith("error: --weight marsh: there is no such source; known are wikipedia,")
    assert prepare_english.main([str(data), str(tmp_path / "out")]) == 2
    assert "matches no file" in capsys.readouterr().err


def test_the_command_prints_a_table(prepared: Callable[..., dict[str, Any]]) -> None:
    lines = prepare_english.table(prepared()).splitlines()
    assert lines[2].startswith("| marsh | 1 | ")
    assert lines[-1].startswith("| all | | ")
    assert len({line.count("|") for line in lines}) == 1


def test_every_source_has_what_a_model_card_needs() -> None:
    assert len({each.name for each in SOURCES}) == len(SOURCES) == 28
    assert all(each.what and each.attribution and each.terms and each.weight > 0 for each in SOURCES)
