"""Write what is made from tables of the package: the commented YAML files in configs/, docs/settings.md, and the
formats in docs/files.md.

    python scripts/write_settings.py

A test says when they are stale.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from elmokit.settings import Settings, default_of, groups, roles
from elmokit.tasks import TASKS
from elmokit.text.formats import FORMATS, written_endings

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 26  # where comments begin
_WRITTEN = "Tables of results (`elmo score`, `elmo predict --output`) are written as"


def as_yaml(name: str, kind: type[Settings], output: str) -> str:
    """Every setting of `elmo train NAME` with its default; what may be set and is not is commented out."""
    needed = ", ".join(key for key, field in kind.model_fields.items() if field.is_required())
    blocks = [
        f"# Every setting of `elmo train {name}`, with its default. Needed: {needed}.\n"
        f"#   elmo train {name} --config configs/{name}.yaml --output {output}\n"
        "# Options override this file, --set key=value overrides both. Lines with # show what may be set and is not.\n"
        "# Made by scripts/write_settings.py."
    ]
    for heading, fields in groups(kind).items():
        blocks.append("\n".join([f"# {heading}", *(_line(key, field) for key, field in fields.items())]))
    return "\n\n".join(blocks) + "\n"


def _line(name: str, field: FieldInfo) -> str:
    default = default_of(field)
    shown = (field.examples or [None])[0] if default is None else default
    value = yaml.safe_dump(shown, default_flow_style=True, width=200).removesuffix("\n...\n").strip()
    setting = f"{name}: {value}" if default is not None or field.is_required() else f"# {name}: {value}"
    return f"{setting:<{WIDTH - 2}}  # {field.description}"


def as_markdown(kinds: dict[str, type[Settings]]) -> str:
    """The reference page."""
    blocks = [
        "# Settings of the tasks",
        "A setting is a key of the `--config` file, an option of `elmo train TASK` (`--max-words` for `max_words`), "
        "and a key of `--set` (`--set max_words=64`). A run is resumed with the same settings; those marked `*` may "
        "differ. Made by `python scripts/write_settings.py`.",
    ]
    shared = _shared(list(kinds.values()))
    blocks += ["## All tasks", *_sections(next(iter(kinds.values())), shared)]
    for name, kind in kinds.items():
        blocks += [f"## elmo train {name}", *_sections(kind, [key for key in kind.model_fields if key not in shared])]
    return "\n\n".join(blocks) + "\n"


def _shared(kinds: list[type[Settings]]) -> list[str]:
    """Settings that every task has, with the same default and meaning."""

    def fact(kind: type[Settings], name: str) -> Any:
        field = kind.model_fields.get(name)
        return field and (field.description, field.default)

    return [name for name in kinds[0].model_fields if all(fact(k, name) == fact(kinds[0], name) for k in kinds)]


def _sections(kind: type[Settings], names: list[str]) -> list[str]:
    blocks = []
    for heading, fields in groups(kind).items():
        rows = [_row(kind, key, field) for key, field in fields.items() if key in names]
        if rows:
            blocks += [f"### {heading}", "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])]
    return blocks


def _row(kind: type[Settings], name: str, field: FieldInfo) -> str:
    default = default_of(field)
    shown = "needed" if field.is_required() else "—"
    if default is not None:
        shown = f"`{yaml.safe_dump(default).splitlines()[0]}`"
    bounds = [bound for part in field.metadata for bound in [_bound(part)] if bound]
    meaning = (field.description or "") + (f" ({', '.join(bounds)})" if bounds else "")
    meaning = meaning.replace("|", "\\|")
    return f"| `{name}`{'*' if roles(kind)[name].may_change else ''} | {shown} | {meaning} |"


def _bound(part: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "at least"}
    return next((f"{sign} {getattr(part, name)}" for name, sign in signs.items() if hasattr(part, name)), "")


def with_formats(page: Path) -> str:
    """A page with a row for each format under the head of its table of endings, and the endings that are written."""
    before, head, after = page.read_text(encoding="utf-8").partition("| ending | read as |\n|---|---|\n")
    others = "".join(line for line in after.splitlines(keepends=True) if not line.startswith("| `."))
    rows = [f"| {', '.join(f'`{each}`' for each in one.endings)} | {one.reads} |\n" for one in FORMATS]
    written = f"{_WRITTEN} {', '.join(f'`{each}`' for each in written_endings())}."
    return re.sub(rf"^{re.escape(_WRITTEN)}.*$", written, "".join([before, head, *rows, others]), flags=re.MULTILINE)


def pages() -> dict[Path, str]:
    """Every page that is made, by its place."""
    kinds = {name: entry.settings() for name, entry in TASKS.items()}
    found = {ROOT / "configs" / f"{name}.yaml": as_yaml(name, kind, f"runs/{name}") for name, kind in kinds.items()}
    docs = ROOT / "docs"
    return {**found, docs / "settings.md": as_markdown(dict(kinds)), docs / "files.md": with_formats(docs / "files.md")}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
