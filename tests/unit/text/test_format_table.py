"""The table of text formats: what its rows say of themselves holds for the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from elmokit.errors import DataError
from elmokit.places import Place
from elmokit.text.columns import Column
from elmokit.text.formats import ANOTHER, FORMATS, PLAIN, TextFormat, ending, endings_of, format_of, reader_of, titles
from elmokit.text.ranges import as_file, cut, options_of
from elmokit.text.readers import read_records
from elmokit.text.records import AS_FOUND
from elmokit.text.row_files import writing_rows

BY_TITLE = {each.title: each for each in FORMATS}
CONTENT = {
    "CSV": 'text,n\n"rain\nand wind",1\nsun,2\n',
    "TSV": "text\tn\nrain\t1\nsun\t2\n",
    "JSON lines": '{"text": "rain"}\n{"text": "sun"}\n',
    "JSON": '[{"text": "rain"}, {"text": "sun"}]',
    "CoNLL-U": "".join(f"1\t{word}{chr(9)}_" + "\t_" * 7 + "\n\n" for word in ("rain", "sun")),
    "CoNLL": "rain O\n\nsun O\n",
    "FASTA": ">a\nMK\n>b\nLV\n",
    "text": "rain\nsun\n",
}

formats = pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.title)


def test_no_ending_has_two_formats_or_is_refused_too() -> None:
    endings = endings_of()
    assert len(set(endings)) == len(endings)
    assert not set(endings) & set(ANOTHER)


@formats
def test_readers_and_writers_are_there(one: TextFormat) -> None:
    assert callable(one.read)
    assert not one.writer or callable(one.write)


@formats
def test_the_ending_names_the_format_also_of_packed_files(one: TextFormat) -> None:
    for each in one.endings:
        assert format_of(f"a{each}") is format_of(Path(f"B{each.upper()}.gz")) is one
        assert reader_of(f"a{each}") is one.read
        assert ending(f"a{each}.zst") == each
    assert format_of("a.log") is PLAIN


@pytest.mark.parametrize("title", CONTENT)
def test_parts_of_a_file_have_its_records(title: str, tmp_path: Path) -> None:
    one = BY_TITLE.get(title, PLAIN)
    path = tmp_path / f"a{next(iter(one.endings), '.txt')}"
    path.write_text(CONTENT[title], encoding="utf-8")
    whole = [record.text for record in read_records(path)]
    stretches = list(cut(Place(str(path)), words=1))
    assert (len(stretches) > 1) == (one.parts != "none")
    found = []
    for stretch in stretches:
        with as_file(stretch) as local:
            options = options_of(stretch, AS_FOUND, column=None)
            if local.stat().st_size:
                found += [record.text for record in read_records(local, options=options)]
    assert found == whole
    assert len(whole) == 2


@pytest.mark.parametrize("one", [each for each in FORMATS if each.magic], ids=lambda one: one.title)
def test_a_file_under_another_name_shows_its_format(one: TextFormat, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(one.magic + b"\0" * 50)
    with pytest.raises(DataError, match=f"looks like {one.title}: give it the ending {one.endings[0]}"):
        list(read_records(tmp_path / "a.txt"))


@pytest.mark.parametrize("one", [each for each in FORMATS if each.writer], ids=lambda one: one.title)
def test_what_is_written_is_read(one: TextFormat, tmp_path: Path) -> None:
    path = tmp_path / f"a{one.endings[0]}"
    with writing_rows(path, {"text": "text", "words": "any"}) as write:
        write(["rain", ["We", "rowed"] if one.keeps_lists else "We rowed"])
    assert [record.text for record in read_records(path, columns=[Column()])] == ["rain"]
    (record,) = read_records(path, columns=[Column(asked="words")])
    assert (record.words is not None) == one.keeps_lists


def test_messages_list_the_table() -> None:
    assert titles() == "text, CSV, TSV, JSON lines, JSON, Parquet, Arrow, CoNLL-U, CoNLL or FASTA"
    with pytest.raises(DataError, match=r"an Excel file, .*expected text, one per line, or .*\.fasta, \.fa, \.faa"):
        reader_of("a.xlsx")
