"""The scripts behind the documentation site and the workflows."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_stands_in_the_navigation_once_and_missing_ones_in_none() -> None:
    pages = ["api/encoder.md", "index.md", "results.md", "results/x/report.md", "unheard_of.md"]
    listed = [page for section in script("site_pages").navigation(pages) for part in section.values() for page in part]
    assert sorted(listed) == ["api/encoder.md", "index.md", "results.md", "unheard_of.md"]


def test_links_that_leave_the_docs_lead_to_the_repository() -> None:
    linked = script("site_pages").with_repository_links
    text = "[a](../configs/tag.yaml) [b](text.md) [c](../docs/text.md) [d](../README.md#start)"
    assert linked(text, "tagging.md") == (
        "[a](https://github.com/elmokit/elmokit/blob/main/configs/tag.yaml) [b](text.md) [c](../docs/text.md) "
        "[d](https://github.com/elmokit/elmokit/blob/main/README.md#start)"
    )
    with pytest.raises(FileNotFoundError, match=r"docs/tagging.md links to ../configs/none.yaml"):
        linked("[a](../configs/none.yaml)", "tagging.md")


def test_what_a_page_loads_from_elsewhere_is_found_and_links_to_click_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://x.org">x</a><script src="https://z.org/x.js"></script><img src="b.png">'
    )
    (tmp_path / "b.html").write_text(
        '<link rel="canonical" href="https://x.org"><link rel="stylesheet" href="//y.org/z">'
    )
    (tmp_path / "c.css").write_text("@import 'https://fonts.org/f.css'; a { background: url(d.png) }")
    assert script("check_site").loaded_from_elsewhere(tmp_path) == [
        "a.html: https://z.org/x.js", "b.html: //y.org/z", "c.css: https:",
    ]  # fmt: skip


def test_lowest_versions_are_the_lower_bounds() -> None:
    lowest = script("lowest_versions").lowest
    assert lowest(["torch>=2.6", "transformers[x]>=5.20,<6"], ["transformers", "torch"]) == [
        "transformers==5.20",
        "torch==2.6",
    ]
    with pytest.raises(ValueError, match="no lower bound"):
        lowest(["torch"], ["torch"])


def test_one_version_everywhere() -> None:
    (version,) = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version  # type: ignore[index]


def test_the_lock_has_the_versions_of_the_constraints_from_public_addresses() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    versions: dict[str, set[str]] = {}
    for package in lock:
        versions.setdefault(package["name"], set()).add(package["version"])
        assert package["source"] in ({"registry": "https://pypi.org/simple"}, {"editable": "."})
        for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]:
            assert file["url"].startswith("https://files.pythonhosted.org/packages/") and file["hash"][:7] == "sha256:"
    wanted = script("write_lock").constraints((ROOT / "constraints.txt").read_text())
    assert len(wanted) > 200
    for line in wanted:
        name, version, marker = re.fullmatch(r"([\w.-]+)==([^;]+)(;.*)?", line).groups()  # type: ignore[union-attr]
        found = versions[re.sub(r"[-_.]+", "-", name).lower()]
        assert version in found and (marker or len(found) == 1), line
