"""Tables as people have them: written by pandas, by spreadsheets, by hand."""

from __future__ import annotations

import csv
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from elmokit.errors import ConfigError, DataError
from elmokit.text.columns import LABEL_NAMES, Column
from elmokit.text.files import SourceStats
from elmokit.text.readers import read_records
from elmokit.text.records import FileOptions

LABEL = Column("label", "--label-column", None, LABEL_NAMES, "1", kind="label", holds_words=False)
TEXT = Column("text", "--text-column", without_header="2-")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def labelled(path: Path, **options: Any) -> list[tuple[str, str]]:
    records = read_records(path, columns=[TEXT, LABEL], options=FileOptions(**options))
    return [(str(record.fields["label"]), record.text) for record in records if record.fields]


def texts(path: Path, column: str | None = None, **options: Any) -> list[str]:
    return [
        record.text for record in read_records(path, columns=[Column(asked=column)], options=FileOptions(**options))
    ]


# -- the header


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "news.csv",
            "Class Index,Title,Description\n1,Truce signed,Envoys met at noon\n2,Late goal,The cup stays\n",
            [("1", "Truce signed Envoys met at noon"), ("2", "Late goal The cup stays")],
        ),
        (
            "mail.csv",
            "Category,Message\nham,See you at six\nspam,Win a boat\n",
            [("ham", "See you at six"), ("spam", "Win a boat")],
        ),
        ("posts.csv", "id,tweet,label_text\n7,glad,joy\n8,so wet,gloom\n", [("joy", "glad"), ("gloom", "so wet")]),
        ("food.tsv", "Review\tLiked\nCrisp bread.\t1\nCold soup.\t0\n", [("1", "Crisp bread."), ("0", "Cold soup.")]),
        ("index.csv", ",text,label\n0,so glad,joy\n1,so wet,gloom\n", [("joy", "so glad"), ("gloom", "so wet")]),
    ],
)  # fmt: skip
def test_a_header_with_names_people_use(
    tmp_path: Path, name: str, content: str, expected: list[tuple[str, str]]
) -> None:
    assert labelled(write(tmp_path / name, content)) == expected


def test_columns_that_pandas_numbered_are_no_data(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",0,1\n0,joy,so glad\n1,gloom,so wet\n")
    with pytest.raises(DataError, match="has the columns '', 0, 1: say which to take with --text-column"):
        labelled(path)
    assert texts(path, "3") == ["so glad", "so wet"]


def test_columns_by_number_below_a_header(tmp_path: Path) -> None:
    path = write(tmp_path / "news.csv", "Class Index,Title,Description\n1,Truce signed,Envoys met\n2,Late goal,Cup\n")
    assert texts(path, "2,3") == ["Truce signed Envoys met", "Late goal Cup"]


def test_a_label_that_no_other_row_has_is_a_header(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = "Laune,Satz\nfroh,Es taut\nmatt,Es regnet\nfroh,Es blüht\nmatt,Es stürmt\n"
    with pytest.raises(DataError, match="has the columns Laune, Satz: say which to take with --text-column"):
        labelled(write(tmp_path / "a.csv", content))
    assert "'Laune', 'Satz', has a label that no other row has: it is read as the header (--no-header" in caplog.text
    asked = [Column("text", "--text-column", "2"), Column("label", "--label-column", "1", kind="label")]
    found = [record.text for record in read_records(tmp_path / "a.csv", columns=asked)]
    assert found == ["Es taut", "Es regnet", "Es blüht", "Es stürmt"]


def test_a_lone_word_above_numbers_is_a_header(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.csv", "Note,Satz\n3,Es taut\n1,Es regnet\n")
    asked = [Column("text", "--text-column", "2"), Column("label", "--label-column", "1", kind="label")]
    assert [record.text for record in read_records(path, columns=asked)] == ["Es taut", "Es regnet"]
    assert "stands above numbers" in caplog.text


def test_first_rows_that_are_data_stay_data(tmp_path: Path) -> None:
    rows = 'joy,So glad of rain.\ngloom,So wet.\njoy,"Sun, at last"\ngloom,Mud\n'
    assert [label for label, _ in labelled(write(tmp_path / "a.csv", rows))] == ["joy", "gloom", "joy", "gloom"]
    topics = "topic,sailing\ntopic,rowing\nother,tea\n"
    assert len(labelled(write(tmp_path / "b.csv", topics))) == 3
    assert texts(write(tmp_path / "c.csv", "1,short\n2,somewhat longer than the first one is\n"), "2")[0] == "short"


def test_where_it_does_not_show_the_choice_is_demanded(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "Satz,Urteil\nEs regnet seit Tagen in den Bergen,matt\nDie Sonne kam spät heraus,froh\n"
    )
    with pytest.raises(DataError, match="'Satz', 'Urteil', may have the names of the columns or be data: say --header"):
        texts(path, "1")
    assert len(texts(path, "1", header=True)) == 2
    assert len(texts(path, "1", header=False)) == 3


def test_no_header_wins_over_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label\ntext,other\n")
    assert texts(path, "1", header=False) == ["text", "text"]
    with pytest.raises(DataError, match="--column text is a name, and with --no-header there are numbers only"):
        texts(path, "text", header=False)


def test_a_header_that_is_repeated_is_left_out(tmp_path: Path) -> None:
    stats = SourceStats()
    path = write(tmp_path / "a.csv", "text,label\nrain,1\ntext,label\nsun,2\n")
    assert [record.text for record in read_records(path, stats=stats)] == ["rain", "sun"]
    assert stats.damage() == {"rows that repeat the header, left out": 1}


# -- delimiter, quotes, encoding


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_delimiter_is_seen(tmp_path: Path, mark: str) -> None:
    rows = [["text", "label"], ["rain, wind, snow", "1"], ["sun", "2"], ["a, b", "1"]]
    path = write(tmp_path / "a.csv", "".join(mark.join(row) + "\n" for row in rows))
    assert labelled(path) == [("1", "rain, wind, snow"), ("2", "sun"), ("1", "a, b")]


def test_a_delimiter_that_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,5;rain\n2,5;sun\n")
    assert texts(path, "2", delimiter=";") == ["rain", "sun"]
    with pytest.raises(ConfigError, match="--delimiter ::: expected one character, or tab"):
        texts(path, "2", delimiter="::")


def test_a_tsv_that_pandas_quoted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ['He said "now"', "tab\there", "two\nlines", "plain"], "label": [1, 2, 1, 2]})
    frame.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    assert labelled(tmp_path / "a.tsv") == list(zip(map(str, frame["label"]), frame["text"], strict=True))


def test_lone_quotes_in_a_tsv_are_letters(tmp_path: Path) -> None:
    rows = 'a 5" nail\t1\n"Quoted," she said\t2\n"Whole"\t1\n'
    assert texts(write(tmp_path / "a.tsv", rows), "1") == ['a 5" nail', '"Quoted," she said', '"Whole"']


def test_mixed_quoting_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.tsv", '"He said ""now"""\t1\na 5" nail\t2\n"open\t1\n')
    texts(path, "1")
    assert '1 rows look quoted, but 1 lines have an unpaired "' in caplog.text
    stats = SourceStats()
    path = write(tmp_path / "b.csv", '"The" end,1\n"A, b",2\n')
    assert [record.text for record in read_records(path, columns=[Column(asked="1")], stats=stats)] == [
        "The end",
        "A, b",
    ]
    assert stats.odd_quotes == 1 and "--quote" in next(iter(stats.damage()))


def test_quotes_behind_backslashes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '"She said \\"now\\", then left",1\n"C:\\dir, or so",2\n"both \\\\ here",3\n')
    assert texts(path, "1") == ['She said "now", then left', "C:\\dir, or so", "both \\ here"]


def test_quoting_that_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '"a"\n"b"\n')
    assert texts(path, "1", quote="none") == ['"a"', '"b"']
    assert texts(path, "1", quote='"') == ["a", "b"]
    with pytest.raises(ConfigError, match="--quote '"):
        texts(path, "1", quote="'")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    assert labelled(write(tmp_path / "a.csv", "text,label\nété,1\n".encode(encoding))) == [("1", "été")]


def test_encodings(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label\nété à Nîmes – déjà où,1\nété à Nîmes déjà,2\n".encode("cp1252"))
    assert labelled(path, encoding="cp1252")[0] == ("1", "été à Nîmes – déjà où")
    with pytest.raises(
        DataError, match=r"line 2 has the byte 0xE9 in b'.xe9t.xe9 .*--encoding names its encoding, e.g. cp1"
    ):
        labelled(path)
    with pytest.raises(DataError, match=r"is not utf-8 text: .*--encoding"):
        labelled(path, encoding="utf-8")
    with pytest.raises(ConfigError, match="--encoding latin-99: unknown encoding"):
        labelled(path, encoding="latin-99")


# -- what is no text


def test_lists_as_python_writes_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label\n\"['We', 'rowed']\",1\n")
    with pytest.raises(DataError, match=r"line 2: .*is a list as Python writes it; expected text"):
        texts(path)
    path = write(tmp_path / "b.csv", "text,label\nWe rowed,\"['cars', 'daily']\"\n")
    with pytest.raises(DataError, match=r"line 2: .*is a list as Python writes it"):
        labelled(path)


# -- what programs write comes back

CELL = st.text(st.sampled_from("ab é東\"',;|\t\\\n\r.1 "), max_size=6)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
)
DELIMITERS = st.sampled_from([(".csv", ","), (".csv", ";"), (".tsv", "\t"), (".csv", "\t"), (".csv", "|")])


def read_back(path: Path, width: int) -> list[list[str]]:
    columns = [Column(f"c{place}", "--column", f"name{place}") for place in range(width)]
    return [
        [str(record.fields.get(column.name, "")) for column in columns]
        for record in read_records(path, columns=columns)
    ]


@settings(max_examples=60, deadline=None)
@given(rows=TABLES, kind=DELIMITERS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
def test_what_pandas_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], kind: tuple[str, str], quoting: Any
) -> None:
    assume(quoting != csv.QUOTE_MINIMAL or not ends_with_return(rows))
    path = tmp_path_factory.mktemp("pandas") / f"a{kind[0]}"
    names = [f"name{place}" for place in range(len(rows[0]))]
    pd.DataFrame(rows, columns=names).to_csv(path, sep=kind[1], index=False, quoting=quoting)
    compare(path, rows)


@settings(max_examples=60, deadline=None)
@given(rows=TABLES, kind=DELIMITERS, end=st.sampled_from(["\n", "\r\n"]), doubled=st.booleans())
def test_what_the_csv_module_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], kind: tuple[str, str], end: str, doubled: bool
) -> None:
    assume(doubled or any('"' in cell for row in rows for cell in row))  # else an escaped backslash is a plain one
    assume(end == "\r\n" or not ends_with_return(rows))
    path = tmp_path_factory.mktemp("csv") / f"a{kind[0]}"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(
            file, delimiter=kind[1], lineterminator=end, doublequote=doubled, escapechar=None if doubled else "\\"
        )
        writer.writerow([f"name{place}" for place in range(len(rows[0]))])
        writer.writerows(rows)
    compare(path, rows)


def ends_with_return(rows: list[list[str]]) -> bool:
    r"""Python 3.11 writes a last cell that ends with a lone `\r` without quotes: `\r\n` is then the end of its row."""
    return any(row[-1].endswith("\r") for row in rows)


def compare(path: Path, rows: list[list[str]]) -> None:
    """Every row equal, or the file refused, or a warning."""
    log = logging.getLogger("elmokit.text.tables")
    warned: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = warned.append  # type: ignore[method-assign, assignment]
    log.addHandler(handler)
    try:
        found = read_back(path, len(rows[0]))
    except DataError:
        return
    finally:
        log.removeHandler(handler)
    assert found == rows or any(record.levelno >= logging.WARNING for record in warned)


# -- columns that a model was trained with


def remembered(path: Path, text: str | None, label: str | None) -> list[tuple[str, str]]:
    columns = [replace(TEXT, remembered=text), replace(LABEL, remembered=label)]
    return [(str(record.fields["label"]), record.text) for record in read_records(path, columns=columns)]


def test_remembered_names_come_before_known_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label,Satz,Urteil\nx,1,Es taut,froh\n")
    assert remembered(path, "Satz", "Urteil") == [("froh", "Es taut")]
    assert remembered(path, "Text", "Urteil") == [("froh", "x")]  # one that is not there is not looked for
    path = write(tmp_path / "b.csv", "Satz;Urteil\nEs taut;froh\nEs friert;matt\n")
    assert remembered(path, "Satz", "Urteil") == [("froh", "Es taut"), ("matt", "Es friert")]


def test_remembered_numbers_are_for_tables_that_have_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "7,Es taut,froh\n8,Es friert,matt\n")
    assert remembered(path, "2", "3") == [("froh", "Es taut"), ("matt", "Es friert")]
    named = write(tmp_path / "b.csv", "label,text,more\nfroh,Es taut,7\nmatt,Es friert,8\n")
    assert remembered(named, "2", "3") == [("froh", "Es taut"), ("matt", "Es friert")]  # names tell more
    short = write(tmp_path / "c.csv", "froh,Es taut\nmatt,Es friert\n")
    assert remembered(short, "9", "8") == [("froh", "Es taut"), ("matt", "Es friert")]


def test_what_is_asked_comes_before_what_is_remembered(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b,label\nx,y,1\n")
    asked = Column("text", "--text-column", "b", remembered="a")
    assert [record.text for record in read_records(path, columns=[asked])] == ["y"]
    with pytest.raises(DataError, match="has no column 'gone'"):
        list(read_records(path, columns=[Column("text", "--text-column", "gone", remembered="a")]))


def test_options_are_filled_where_they_say_nothing() -> None:
    trained = FileOptions(header=False, delimiter=";", encoding="cp1252")
    assert FileOptions().filled(trained) == trained
    assert FileOptions(header=True, quote="none").filled(trained) == FileOptions(True, ";", "none", "cp1252")


def test_commas_of_a_file_with_one_column_belong_to_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Hello there.\nGood morning, my friend, how are you?\n"Bye, then."\n')
    texts = [record.text for record in read_records(path, columns=[Column()])]
    assert texts == ["Hello there.", "Good morning, my friend, how are you?", "Bye, then."]


def test_text_beyond_the_last_column_is_told_of_unless_all_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,a b\n2,c,d\n")
    for asked, found, told in (("2", ["a b", "c"], 1), ("2-", ["a b", "c d"], 0)):
        stats = SourceStats()
        assert [record.text for record in read_records(path, columns=[Column(asked=asked)], stats=stats)] == found
        assert stats.long_rows == told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_may_end_with_returns_alone(tmp_path: Path, encoding: str) -> None:
    for name, content in (("a.txt", "One two.\rThree four.\r"), ("a.csv", 'text,label\r"One, two",a\rThree,b')):
        (tmp_path / name).write_bytes(content.encode(encoding))
    assert [record.text for record in read_records(tmp_path / "a.txt", columns=[Column()])] == [
        "One two.",
        "Three four.",
    ]
    assert [record.text for record in read_records(tmp_path / "a.csv", columns=[Column()])] == ["One, two", "Three"]
