"""Packed files of a data folder, and what is said of those that are no good."""

from __future__ import annotations

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from elmokit.errors import DataError
from english_text.data_folder import DataFolder

TEXT = "The heron waited.\n\nIt was – of course – late.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(TEXT.encode()))
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["a.txt.xz", "a.txt.gz", "a.txt"])
def test_lines_are_the_same_however_they_are_packed(folder: Path, name: str) -> None:
    assert list(DataFolder(folder).lines(name)) == TEXT.splitlines()


@pytest.mark.parametrize("name", ["a.txt.xz", "a.txt.gz", "a.txt"])
def test_reading_reports_all_packed_bytes(folder: Path, name: str) -> None:
    read: list[int] = []
    list(DataFolder(folder, advance=read.append).lines(name))
    assert sum(read) == (folder / name).stat().st_size


@pytest.mark.parametrize("name", ["a.txt.xz", "a.txt.gz"])
def test_a_file_that_is_cut_off_is_told_by_name(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-12])
    with pytest.raises(DataError, match=rf"{name} is cut off or damaged"):
        list(DataFolder(folder).lines(name))


def test_other_damage_is_told_by_name(folder: Path) -> None:
    (folder / "latin.txt").write_bytes("Füße".encode("latin-1"))
    (folder / "half.json").write_text('{"data": [', encoding="utf-8")
    (folder / "some.zip").write_bytes(b"no archive")
    data = DataFolder(folder)
    with pytest.raises(DataError, match=r"latin.txt is damaged: it is not UTF-8"):
        list(data.lines("latin.txt"))
    with pytest.raises(DataError, match=r"half.json is damaged, its contents are no JSON"):
        data.json("half.json")
    with pytest.raises(DataError, match=r"some.zip is cut off or damaged"):
        list(data.members("some.zip"))


def test_a_missing_file_and_a_pattern_without_files_are_told(folder: Path) -> None:
    data = DataFolder(folder)
    for read in (lambda: list(data.lines("b.txt.xz")), lambda: data.sha256("b.txt.xz"), lambda: data.size("b.txt.xz")):
        with pytest.raises(DataError, match=r"cannot read .*b.txt.xz: No such file"):
            read()
    with pytest.raises(DataError, match=r"coref/\*.xz matches no file: is .* the data folder"):
        data.names("coref/*.xz")


def test_members_are_the_texts_of_an_archive_by_name(folder: Path) -> None:
    with zipfile.ZipFile(folder / "texts.zip", "w") as archive:
        for name, text in (("t/b.txt", "two"), ("t/a.txt", "one"), ("t/readme.md", "none")):
            archive.writestr(name, text)
    assert list(DataFolder(folder).members("texts.zip")) == [("t/a.txt", "one"), ("t/b.txt", "two")]
