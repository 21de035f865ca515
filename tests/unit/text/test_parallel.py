"""Parallel files: line by line, with their mistakes told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from elmokit.errors import DataError
from elmokit.text.files import SourceStats
from elmokit.text.parallel import Pair, read_parallel

FLAGS = ("--left", "--right")


def test_lines_belong_together_blank_ones_aside(tmp_path: Path) -> None:
    left, right = tmp_path / "a.de", tmp_path / "a.en.gz"
    left.write_bytes(b"\xef\xbb\xbf eins \r\n\nzwei\ndrei")
    right.write_bytes(gzip.compress(b"one\n\n\nthree\n"))
    files = (left, right)
    assert list(read_parallel([left], [right], flags=FLAGS)) == [
        Pair("eins", "one", 1, files), Pair("zwei", "", 3, files), Pair("drei", "three", 4, files),
    ]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), [("a\nb\n", "x\n"), ("a\n", "x\n\n"), ("", "x\n")])
def test_other_numbers_of_lines(tmp_path: Path, left: str, right: str) -> None:
    (tmp_path / "a.de").write_text(left)
    (tmp_path / "a.en").write_text(right)
    with pytest.raises(
        DataError, match=r"a.de has \d lines and .*a.en \d: expected a translation .*\(--left, --right\)"
    ):
        list(read_parallel([tmp_path / "a.de"], [tmp_path / "a.en"], flags=FLAGS))


def test_other_numbers_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.de").write_text("a\n")
    (tmp_path / "b.de").write_text("a\n")
    with pytest.raises(DataError, match="--left names 2 files and --right 1"):
        list(read_parallel([tmp_path / "*.de"], [tmp_path / "a.de"], flags=FLAGS))


def test_damage_on_either_side_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.de").write_bytes(b"M\xe4nner\neins\n")
    (tmp_path / "a.en").write_bytes(b"men\n\0one\n")
    stats = SourceStats()
    pairs = list(read_parallel([tmp_path / "a.de"], [tmp_path / "a.en"], flags=FLAGS, stats=stats))
    assert [pair[:2] for pair in pairs] == [("M\ufffdnner", "men"), ("eins", "one")]
    assert (stats.invalid_utf8, stats.nul) == (1, 1)
