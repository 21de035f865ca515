"""Files inside zip archives."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from elmokit.errors import DataError
from elmokit.text.files import expand_paths
from elmokit.text.readers import read_records


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMOKIT_CACHE", str(tmp_path / "cache"))


def packed(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def texts(path: str | Path) -> list[str]:
    return [record.text.strip() for record in read_records(path)]


def test_the_only_file_of_an_archive(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"data/b.csv": "text,label\nrain,1\n", "__MACOSX/._b.csv": "junk", ".x": "junk"})
    assert texts(path) == ["rain"]
    assert texts(f"{path}/data/b.csv") == ["rain"]
    assert str(next(iter(read_records(path))).path).endswith("a.zip/data/b.csv")


def test_several_files(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"b.txt": "rain\n", "c.txt": "sun\n", "d.csv.gz": gzip.compress(b"text\nwind\n")})
    assert texts(f"{path}/c.txt") == ["sun"]
    assert texts(f"{path}/*.txt") == ["rain", "sun"]
    assert texts(f"{path}/d.csv.gz") == ["wind"]
    with pytest.raises(DataError, match=r"a.zip has several files, b.txt, c.txt, d.csv.gz: name one, as .*a.zip/b.txt"):
        texts(path)
    with pytest.raises(DataError, match=r"a.zip has no file e.txt; it has b.txt, c.txt"):
        texts(f"{path}/e.txt")


def test_an_archive_that_changed_is_unpacked_again(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"b.txt": "rain\n"})
    (first,) = expand_paths(path)
    assert expand_paths(path) == [first]
    packed(path, {"b.txt": "sunshine\n"})
    assert texts(path) == ["sunshine"]


def test_archives_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataError, match=r"a.zip is damaged or no zip archive"):
        texts(tmp_path / "a.zip")
    with pytest.raises(DataError, match=r"b.zip is an archive without files"):
        texts(packed(tmp_path / "b.zip", {"../out.txt": "rain\n", "/etc/x.txt": "rain\n"}))
    assert not (tmp_path / "out.txt").exists()
    path = packed(tmp_path / "c.zip", {"b.txt": "rain\n" * 100})
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"c.zip is damaged or no zip archive: Bad CRC-32"):
        texts(path)
    assert not list((tmp_path / "cache").rglob("*.txt"))


def test_what_an_archive_has_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.zip/b.xlsx is an Excel file, which cannot be read"):
        texts(packed(tmp_path / "a.zip", {"b.xlsx": "x"}))
