"""Does a built site load anything from elsewhere, or work without a network? python scripts/check_site.py FOLDER"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

_LOADED = {"link": "href", **dict.fromkeys(("script", "img", "iframe", "source", "video", "audio"), "src")}
_NOT_LOADED = {"canonical", "alternate", "prev", "next", "edit"}
_CSS = re.compile(r"(?:url\(|@import )\s*['\"]?(https?:|//)")


class Loaded(HTMLParser):
    """The addresses a page loads by itself, links to click left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") in _NOT_LOADED:
            return
        address = values.get(_LOADED.get(tag, "")) or ""
        if re.match(r"(https?:)?//", address):
            self.found.append(address)


def loaded_from_elsewhere(site: Path) -> list[str]:
    """`file: address` of everything that a page or a style sheet of `site` loads from another host."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page = Loaded()
        page.feed(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(site)}: {address}" for address in page.found]
    for path in sorted(site.rglob("*.css")):
        found += [f"{path.relative_to(site)}: {match[1]}" for match in _CSS.finditer(path.read_text(encoding="utf-8"))]
    return found


def main() -> int:
    """Print what was found; 1 where there was something or no page at all."""
    site = Path(sys.argv[1])
    pages, found = len(list(site.rglob("*.html"))), loaded_from_elsewhere(site)
    print("\n".join([*found, f"{pages} pages in {site}; {len(found)} things are loaded from elsewhere"]))
    return int(bool(found) or not pages)


if __name__ == "__main__":
    sys.exit(main())
