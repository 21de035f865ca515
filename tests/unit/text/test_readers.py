"""Reading texts: every kind of file, small damage mended and counted, everything else one clear error."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elmokit.errors import DataError
from elmokit.text.conll import read_conll
from elmokit.text.files import SourceStats, expand_paths, opened, read_lines
from elmokit.text.formats import ending
from elmokit.text.readers import read_records, read_texts


def written(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def texts(path: Path, **options: object) -> list[str]:
    return [record.text.strip() for record in read_texts(path, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "content", "column", "expected"),
    [
        ("a.txt", "one line\n two \nlast", None, ["one line", "two", "last"]),
        ("a.anything", "one\r\ntwo\r\n", None, ["one", "two"]),
        ("a.txt", "\ufeffone\n", None, ["one"]),
        ("a.csv", 'text,label\nhello,1\n"a, b",2\n', None, ["hello", "a, b"]),
        ("a.csv", "title,description\nT,D\n", "title,description", ["T D"]),
        ("a.csv", "title,description\nT,D\n", "description, title", ["D T"]),
        ("a.csv", '"3","T","D"\n"4","U","""E"""\n', "2,3", ["T D", 'U "E"']),
        ("a.csv", '"3","T","D"\n"4","U"\n', "2-", ["T D", "U"]),
        ("a.csv", "a,b,c,d\n", "2-3", ["b c"]),
        ("a.csv", "a,b,c,d\n", "4,1", ["d a"]),
        ("a.csv", '1,"two\nlines"\n2,next\n', "2", ["two\nlines", "next"]),
        ("a.csv", "\n\n1,after blank lines\n", "2", ["after blank lines"]),
        ("a.tsv", 'id\ttext\n1\ta "lone quote\n2\tb\n', "text", ['a "lone quote', "b"]),
        ("a.jsonl", '{"text": "one", "n": 1}\n\n{"text": "two"}\n', None, ["one", "two"]),
        ("a.ndjson", '{"t": "one", "d": null, "n": 3}\n', "t,d,n", ["one 3"]),
    ],
)
def test_kinds_of_files(
    tmp_path: Path, suffix: str, name: str, content: str, column: str | None, expected: list[str]
) -> None:
    assert texts(written(tmp_path / (name + suffix), content), column=column) == expected


def test_gzip_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    assert texts(written(tmp_path / "plain.txt", gzip.compress(b"packed\n"))) == ["packed"]
    (tmp_path / "named.txt.gz").write_bytes(b"not packed\n")
    assert texts(tmp_path / "named.txt.gz") == ["not packed"]


def test_damage_is_mended_and_counted(tmp_path: Path) -> None:
    written(tmp_path / "a.txt", b"caf\xe9\n\n  \nN\0U\0L\nfine\n")
    written(tmp_path / "b.csv", "1,x\n2\n\n3,\n")
    written(tmp_path / "c.jsonl", '{"text": "a\\ud800b\\u0000"}\n{"other": 1}\n{"text": null}\n')
    stats = SourceStats()
    assert texts(tmp_path / "a.txt", stats=stats) == ["caf\ufffd", "NUL", "fine"]
    assert stats == SourceStats(files=1, lines=5, texts=3, blank=2, invalid_utf8=1, nul=1)
    stats = SourceStats()
    assert texts(tmp_path / "b.csv", column="2", stats=stats) == ["x"]
    assert stats == SourceStats(files=1, lines=4, texts=1, blank=2, short_rows=1)
    stats = SourceStats()
    assert texts(tmp_path / "c.jsonl", stats=stats) == ["a\ufffdb"]
    assert stats == SourceStats(files=1, lines=3, texts=1, blank=1, short_rows=1, invalid_utf8=1)


@pytest.mark.parametrize(
    ("name", "content", "column", "message"),
    [
        ("a.txt", "", None, "contains no text: it is empty"),
        ("a.txt", " \n\n", None, "contains no text"),
        ("a.csv", "", "1", "contains no text"),
        ("a.csv", "text,label\n", None, "contains no text"),
        ("a.csv", "a,label\nx,1\ny,2\n", None, "has the columns a, label: say which to take with --column"),
        (
            "a.csv",
            "x y,1\n",
            None,
            r"has 2 columns and no header; its first row is 1: 'x y', 2: '1': choose .*--column",
        ),
        ("a.csv", "title,label\nx,1\n", "title,body", "no column 'body'; it has title, label .--column"),
        ("a.csv", "1,x\n", "3", r"no column 3, only 2 \(1: '1', 2: 'x'\): choose with --column"),
        ("a.csv", "1,x\n", "0", "numbered from 1, got '0'.*--column"),
        ("a.csv", '1,fine\n2,"left open\n3,x\n', "2", "line 2: unclosed quote"),
        ("a.jsonl", '{"blob": "x", "n": 1}\n', None, "has the columns blob, n: say which to take with --column"),
        ("a.jsonl", '{"text": "x"}\n{"text": \n', None, "line 2 is no JSON"),
        ("a.jsonl", "[1, 2]\n", None, "line 1: expected a JSON object"),
        ("a.jsonl", "[" * 100_000 + "\n", None, "line 1 is no JSON"),
        ("a.txt", b"\x89PNG\r\n\x1a\n....", None, "is a PNG picture; expected text, CSV"),
        ("a.csv", b"PK\x03\x04....", "1", "is a zip archive"),
        ("a.txt", "no byte order mark".encode("utf-16-le"), None, "looks like UTF-16 without a byte order mark: --enc"),
        (
            "a.txt",
            "Кодировка другая, не UTF-8".encode("koi8-r"),
            None,
            "line 1 has the byte 0xEB in .*--encoding names",
        ),
        ("a.txt", "où\nété à Nîmes, là-bas, dès août\n".encode("latin-1"), None, "line 1 has the byte 0xF9 in b'o.xf9"),
        ("a.txt", bytes(range(256)) * 20, None, "is binary; expected text"),
    ],
)
def test_unusable_files(tmp_path: Path, name: str, content: str | bytes, column: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        texts(written(tmp_path / name, content), column=column)
    assert "\n" not in str(caught.value)


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected text, CSV"):
        texts(written(tmp_path / "a.txt", b"\xfe" + os.urandom(5000)))


def test_a_cut_off_gzip_file_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(300_000).hex().encode())
    (tmp_path / "a.txt.gz").write_bytes(whole[:-1000])
    with pytest.raises(DataError, match=r"a\.txt\.gz is a damaged or cut off gzip file"):
        texts(tmp_path / "a.txt.gz")


def test_paths_and_globs(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.txt", "odd[1].txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    relative = [
        path.relative_to(tmp_path).as_posix() for path in expand_paths([tmp_path / "b.txt", f"{tmp_path}/**/*.txt"])
    ]
    assert relative == ["b.txt", "a.txt", "odd[1].txt", "sub/c.txt"]
    assert expand_paths(tmp_path / "odd[1].txt") == [tmp_path / "odd[1].txt"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("none.txt", "matches no file"), ("*.csv", r"\*\.csv matches no file"), ("", "is a folder")],
)
def test_paths_that_give_no_file(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        expand_paths(str(tmp_path / pattern))


def test_no_path_at_all() -> None:
    with pytest.raises(DataError, match="no input file"):
        expand_paths([])


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    with pytest.raises(DataError, match=r"cannot read .*loop\.txt: Too many levels of symbolic links"):
        texts(tmp_path / "loop.txt")
    with pytest.raises(DataError, match=r"cannot read .*gone\.txt: No such file"), opened(tmp_path / "gone.txt"):
        pass


def test_words_of_ten_thousand_characters_pass(tmp_path: Path) -> None:
    word = "x" * 10_000
    assert texts(written(tmp_path / "a.csv", f"1,{word} {word}\n"), column="2") == [f"{word} {word}"]


@given(st.text(st.sampled_from("ab é東👍\n\t"), max_size=300), st.integers(8, 40))
def test_pieces_of_long_lines_lose_nothing(tmp_path_factory: pytest.TempPathFactory, text: str, size: int) -> None:
    path = written(tmp_path_factory.mktemp("pieces") / "a.txt", text)
    whole, stats = SourceStats(), SourceStats()
    with opened(path) as file:
        lines = list(read_lines(file, whole))
    with opened(path) as file:
        pieces = list(read_lines(file, stats, max_bytes=size))
    assert "".join(pieces) == "".join(lines) == text
    assert stats == whole
    assert all(len(piece.encode()) <= 2 * size for piece in pieces)
    if all(len(word.encode()) < size for word in text.split()):
        assert [word for piece in pieces for word in piece.split()] == text.split()


def test_a_book_on_one_line_is_read_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("seven w " * 250_000)
    tracemalloc.start()
    words = sum(len(record.text.split()) for record in read_texts(path, max_bytes=1 << 16))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert words == 500_000
    assert peak < 1 << 20


def test_kind_by_name() -> None:
    names = ["a.csv", "A.CSV.GZ", "b.tsv.gz", "c.jsonl", "c.ndjson", "d.txt", "e", "csv"]
    assert [ending(name) for name in names] == [".csv", ".csv", ".tsv", ".jsonl", ".ndjson", ".txt", ".e", ".csv"]


def test_json_and_csv_agree(tmp_path: Path) -> None:
    rows = ["plain", 'with "quotes"', "comma, and\nline end"]
    written(tmp_path / "a.jsonl", "".join(json.dumps({"text": row}) + "\n" for row in rows))
    written(tmp_path / "a.csv", "text\n" + "".join('"' + row.replace('"', '""') + '"\n' for row in rows))
    assert texts(tmp_path / "a.jsonl") == texts(tmp_path / "a.csv") == rows


@pytest.mark.parametrize("column", ["2-"])
def test_ag_news_whose_files_have_different_columns(elmokit_data: Path, column: str) -> None:
    stats = SourceStats()
    first = next(read_texts(elmokit_data / "ag_news" / "train.csv.gz", column=column))
    assert first.text.startswith("England-South Africa")
    assert sum(1 for _ in read_texts(f"{elmokit_data}/ag_news/train*.csv.gz", column=column, stats=stats)) == 86_431
    assert (stats.files, stats.short_rows, stats.blank) == (4, 0, 0)


def test_damage_is_told_where_nobody_counts_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "a.txt", b"good\nb\x00ad\n")
    stats = SourceStats()
    assert texts(path, stats=stats) == ["good", "bad"]
    assert (stats.nul, caplog.text) == (1, "")
    assert texts(path) == ["good", "bad"]
    assert len(list(read_records(path))) == 2
    assert caplog.messages == ["1 lines with NUL bytes, which were dropped"] * 2
    tagged = written(tmp_path / "a.conll", b"good O\nb\x00ad O\n")
    assert [[row[0] for row in rows] for rows in read_conll(tagged)] == [["good", "bad"]]
    assert caplog.messages == ["1 lines with NUL bytes, which were dropped"] * 3
