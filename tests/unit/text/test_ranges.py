"""Every line, row and file is in exactly one stretch, wherever the cuts fall."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import DataError
from elmokit.places import Place
from elmokit.text.columns import Column
from elmokit.text.ranges import Range, as_file, cut, lines_of, offset_of_line, options_of, places_of
from elmokit.text.readers import read_records
from elmokit.text.records import AS_FOUND, FileOptions


@given(
    lines=st.lists(st.binary(max_size=9).map(lambda raw: raw.replace(b"\n", b"")), max_size=30), step=st.integers(1, 4)
)
def test_lines_are_in_one_stretch_each(lines: list[bytes], step: int) -> None:
    place = Place("memory://ranges/lines.txt")
    content = b"\n".join(lines)
    place.write_bytes(content)
    stretches = list(cut(place, words=step))
    assert [stretch.start for stretch in stretches[1:]] == [stretch.end for stretch in stretches[:-1]]
    found = [line for stretch in stretches for line in lines_of(stretch)]
    assert b"".join(found) == content
    assert all(line.endswith(b"\n") for line in found[:-1])
    for stretch in stretches:
        for number, line in enumerate(list(lines_of(stretch))):  # a file of memory:// has one position for all
            offset = offset_of_line(stretch, number)
            assert content[offset : offset + len(line)] == line


def test_a_text_that_begins_like_parquet_and_a_damaged_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"PAR1 is a word\nhere\n")
    (stretch,) = cut(Place(str(tmp_path / "a.txt")), words=100)
    assert list(lines_of(stretch)) == [b"PAR1 is a word\n", b"here\n"]
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"a\.parquet is no Parquet file, or damaged"):
        list(cut(Place(str(tmp_path / "a.parquet")), words=100))


def test_rows_of_csv_stay_whole_and_get_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [(str(n), f'one "{n}"\nsecond line, {n}') for n in range(40)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *rows])
    stretches = list(cut(Place(str(path)), words=20))
    assert len(stretches) > 3
    found: list[tuple[str, ...]] = []
    for stretch in stretches:
        with as_file(stretch, column="text") as local, local.open(newline="") as file:
            assert local.suffix == ".csv"
            header, *more = csv.reader(file)
            assert header == ["id", "text"]
            found += [tuple(row) for row in more]
    assert found == rows


def test_rows_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = [f"row {n}" if n % 7 else None for n in range(100)]
    pq.write_table(pa.table({"text": texts, "n": range(100)}), path, row_group_size=40)
    stretches = list(cut(Place(str(path)), words=10))
    assert len(stretches) > 3 and {stretch.unit for stretch in stretches} == {"rows"}
    found: list[str] = []
    for stretch in stretches:
        with as_file(stretch) as local:
            found += local.read_text().splitlines()
    assert len(found) == 100
    assert found[1] == '{"text": "row 1"}' and found[7] == '{"text": null}'
    with pytest.raises(DataError, match="no column 'body'; it has text, n"), as_file(stretches[0], column="body"):
        pass


def test_packed_files_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"one\n" * 1000))
    (stretch,) = cut(Place(str(path)), words=1)
    assert stretch == Range(str(path), "file", 0, path.stat().st_size)
    with as_file(stretch) as local:
        assert local == path
    (tmp_path / "empty.txt").write_bytes(b"")
    assert list(cut(Place(str(tmp_path / "empty.txt")), words=1)) == [Range(str(tmp_path / "empty.txt"), "bytes", 0, 0)]


def test_inputs_by_path_address_and_glob(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text("x")
        (Place("memory://inputs") / name).write_bytes(b"x")
    found = places_of([str(tmp_path / "*.txt"), "memory://inputs/*.txt", str(tmp_path / "a.txt")])
    assert [place.name for place in found] == ["a.txt", "b.txt", "a.txt", "b.txt"]
    with pytest.raises(DataError, match="matches no file: check the address"):
        places_of("memory://inputs/none.txt")


def _texts(path: Path, *, words: int, options: FileOptions = AS_FOUND) -> list[str]:
    """The column `text` of all stretches of a table, read one by one."""
    stretches = list(cut(Place(str(path)), words=words, options=options))
    found: list[str] = []
    for stretch in stretches:
        with as_file(stretch, column="text") as local:
            seen = options_of(stretch, options, column="text")
            found += [record.text for record in read_records(local, columns=[Column(asked="text")], options=seen)]
    return found


@pytest.mark.parametrize(
    ("ending", "mark", "rows"),
    [
        (".csv", ",", ['5" pipe', '"one\ntwo, three"']),
        (".tsv", "\t", ['"one\ntwo"', '"a ""b"" c\td"']),
        (".csv", ",", ['"he said \\"no\\"\nand, left"', "plain"]),
        (".csv", ";", ['"one; two\nthree"', "a, b"]),
    ],
)
def test_the_rows_of_a_cut_table_are_those_of_the_whole(
    tmp_path: Path, ending: str, mark: str, rows: list[str]
) -> None:
    path = tmp_path / f"a{ending}"
    path.write_text("\n".join([f"id{mark}text", *(f"{n}{mark}{rows[n % 2]}" for n in range(40))]) + "\n")
    whole = [record.text for record in read_records(path, columns=[Column(asked="text")])]
    assert len(whole) == 40
    assert len(list(cut(Place(str(path)), words=10))) > 3
    assert _texts(path, words=10) == whole


def test_the_begin_of_a_table_says_how_all_of_it_is_written(tmp_path: Path) -> None:
    """A later stretch of its own would show tabs without quotes."""
    path = tmp_path / "a.tsv"
    path.write_text('id\ttext\n0\t"one\ntwo"\n' + "".join(f'{n}\t"word"\n' for n in range(1, 60)))
    assert _texts(path, words=10) == ["one\ntwo", *["word"] * 59]
    assert _texts(path, words=10, options=FileOptions(quote="none"))[-1] == '"word"'


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be", "utf-16"])
def test_encodings_whose_lines_do_not_end_with_one_byte_are_read_whole(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("one two\nthree\u010a four\n".encode(encoding) * 20)
    options = FileOptions(encoding=encoding)
    (stretch,) = cut(Place(str(path)), words=1, options=options)
    assert stretch.unit == "file"
    with as_file(stretch) as local:
        assert len(list(read_records(local, columns=[Column()], options=options))) == 40
