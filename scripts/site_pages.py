"""Hooks of the documentation site (mkdocs.yml): which page stands where, and where links that leave docs/ go."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = "https://github.com/elmokit/elmokit/blob/main/"
SECTIONS = {
    "Start": [
        "index.md",
        "concepts.md",
        "pretrained.md",
        "embedding.md",
        "explorer.md",
        "languages.md",
        "course.md",
        "course_teachers.md",
        "data.md",
    ],
    "Language models": [
        "text.md",
        "pretraining.md",
        "surprisal.md",
        "published.md",
        "migrating.md",
        "static.md",
        "analysis.md",
    ],
    "Tasks": ["classification.md", "tagging.md", "question_answering.md", "translation.md", "comparing.md"],
    "Figures": ["results.md", "performance.md", "scale.md"],
    "Running and changing it": ["production.md", "architecture.md"],
}
"""Pages by section. One that does not exist is left out; one that no section names stands in the last."""

_REPORT = re.compile(r"(\]\([^)\s]*/report)\.md(\))")  # of `elmo compare`: the site has its HTML file
_LINK = re.compile(r"(\]\()(\.\./[^)\s#]+)(#[^)\s]*)?(\))")


def on_config(config: Any) -> Any:
    """The navigation, from the files there are."""
    docs = Path(config["docs_dir"])
    config["nav"] = navigation(sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md")))
    return config


def navigation(pages: list[str]) -> list[dict[str, list[str]]]:
    """Sections with their pages: those of SECTIONS, the API, and the others in the last section but the API."""
    named = {page for listed in SECTIONS.values() for page in listed}
    sections = {title: [page for page in listed if page in pages] for title, listed in SECTIONS.items()}
    for page in pages:
        folder = posixpath.dirname(page)
        if folder == "api":
            sections.setdefault("Python API", []).append(page)
        elif folder == "results":
            sections["Figures"].append(page)
        elif page not in named and not page.endswith("/report.md"):
            sections[next(reversed(SECTIONS))].append(page)
    return [{title: listed} for title, listed in sections.items() if listed]


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Links to files outside docs/ as addresses in the repository, to reports as HTML."""
    return with_repository_links(_REPORT.sub(r"\1.html\2", markdown), page.file.src_uri)


def with_repository_links(markdown: str, page: str) -> str:
    """`markdown` of docs/`page`, its links to other files of the repository made absolute.

    Raises:
        FileNotFoundError: A link leads to no file.
    """

    def absolute(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), found[2]))
        if target.startswith("docs/"):
            return found[0]
        if not (ROOT / target).exists():
            raise FileNotFoundError(f"docs/{page} links to {found[2]}, and there is no {target}")
        return f"{found[1]}{REPOSITORY}{target}{found[3] or ''}{found[4]}"

    return _LINK.sub(absolute, markdown)
