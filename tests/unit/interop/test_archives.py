from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from elmokit.errors import ModelError
from elmokit.interop.archives import unpack


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_files_and_folders_come_out(tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "a.zip", {"m/options.json": b"{}", "m/": b"", "README": b"x"}), tmp_path / "out")
    assert (tmp_path / "out" / "m" / "options.json").read_bytes() == b"{}"
    assert (tmp_path / "out" / "README").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../evil", "m/../../evil", "/etc/evil", "C:evil", "m\\..\\evil"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="leads out of its folder"):
        unpack(zipped(tmp_path / "a.zip", {"fine": b"x", name: b"x"}), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "evil").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(ModelError, match="contains a link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_bombs_are_refused(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"zeros": bytes(120 << 20)})
    with pytest.raises(ModelError, match="over 100 times its size"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damage_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"weights": bytes(range(256)) * 400})
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out")
    (tmp_path / "b.zip").write_bytes(b"no zip at all")
    with pytest.raises(ModelError, match="cannot be unpacked"):
        unpack(tmp_path / "b.zip", tmp_path / "out")
