"""Files and folders by path and by address."""

from __future__ import annotations

from pathlib import Path

import pytest

from elmokit.errors import ConfigError, DataError
from elmokit.places import Place, is_address, local_copy


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(str(tmp_path / "f")) if request.param == "local" else Place(f"memory://{tmp_path.name}/f")


def test_what_is_written_is_read(folder: Place) -> None:
    assert folder.names() == []
    (folder / "b.txt").write_bytes(b"0123456789")
    (folder / "a.txt").write_bytes(b"")
    assert folder.names() == ["a.txt", "b.txt"]
    assert (folder / "b.txt").read_bytes() == b"0123456789"
    assert (folder / "b.txt").read_range(3, 5) == b"34"
    assert (folder / "b.txt").read_range(8, 50) == b"89"
    assert (folder / "b.txt").read_range(50, 60) == b""
    assert (folder / "b.txt").size() == 10
    with (folder / "b.txt").open() as file:
        file.seek(4)
        assert file.read() == b"456789"
    assert folder.is_folder() and (folder / "a.txt").exists() and not (folder / "c").exists()
    (folder / "a.txt").remove()
    (folder / "a.txt").remove()
    assert folder.names() == ["b.txt"]


def test_a_failed_write_leaves_what_was_there(folder: Place) -> None:
    (folder / "a").write_bytes(b"before")
    with pytest.raises(RuntimeError, match="stop"), (folder / "a").written() as file:
        file.write_bytes(b"half")
        raise RuntimeError("stop")
    assert (folder / "a").read_bytes() == b"before"
    assert folder.names() == ["a"]


def test_another_content_is_another_version(folder: Place) -> None:
    (folder / "a").write_bytes(b"one")
    before = (folder / "a").version()
    (folder / "a").write_bytes(b"four")
    assert (folder / "a").version() != before


def test_globs_of_addresses() -> None:
    for name in ("x1.txt", "x2.txt", "y.txt"):
        (Place("memory://globs") / name).write_bytes(b"a")
    assert [place.name for place in Place("memory://globs/x*.txt").matches()] == ["x1.txt", "x2.txt"]
    assert Place("memory://globs/x*.txt").matches()[0].read_bytes() == b"a"


def test_a_local_copy_follows_the_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMOKIT_CACHE", str(tmp_path))
    model = Place("memory://copies/model")
    (model / "config.json").write_bytes(b"{}")
    (model / "sub" / "weights").write_bytes(b"1")
    copy = local_copy("memory://copies/model")
    assert copy.name == "model"
    assert {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()} == {"config.json", "sub/weights"}
    assert local_copy("memory://copies/model/") == copy
    (model / "sub" / "weights").write_bytes(b"22")
    assert (local_copy("memory://copies/model") / "sub" / "weights").read_bytes() == b"22"
    with pytest.raises(DataError, match="does not exist"):
        local_copy("memory://copies/nothing")


def test_connections_that_break_off_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    (Place("memory://retries") / "a").write_bytes(b"1")
    store = fsspec.filesystem("memory")
    original, calls = store.cat_file, []

    def broken(path: str, *args: object, **options: object) -> object:
        calls.append(path)
        if len(calls) < 3:
            raise ConnectionResetError("gone")
        return original(path, *args, **options)

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(store, "cat_file", broken)
    assert (Place("memory://retries") / "a").read_bytes() == b"1"
    assert len(calls) == 3
    monkeypatch.setattr(store, "cat_file", lambda *args, **options: (_ for _ in ()).throw(ConnectionResetError("gone")))
    with pytest.raises(OSError, match="cannot read memory://retries/a: ConnectionResetError"):
        (Place("memory://retries") / "a").read_bytes()


def test_what_is_an_address() -> None:
    assert is_address("s3://bucket/key") and is_address("https://host/x")
    assert not is_address("/a/b") and not is_address("c:/x") and not is_address("x.txt")
    with pytest.raises(ConfigError, match="nonsense"):
        Place("nonsense://x").exists()
