"""`elmo cache`: what is kept between runs, and how to be rid of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from elmokit.cache import KINDS, LIMIT, Entry, cache_folder, entries, shrink
from elmokit.cli.options import AsJson
from elmokit.errors import ConfigError
from elmokit.machine import size_in_bytes
from elmokit.whole_files import json_text

Kind = Literal["layers", "downloads", "models", "remote", "unpacked", "runs", "all"]


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove everything of KIND.")] = False,
    limit: Annotated[
        str | None, typer.Option(help="Remove the least recently used of KIND until it fits, as 20GB.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option(help="[default: all to list, layers to remove]")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="A folder of layers given to elmo train --cache. [default: ~/.cache/elmokit]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what elmokit keeps between runs: biLM layers of training texts, downloads, copies from object stores.

    Everything but unfinished runs (kind runs) is computed or fetched again when it is needed.
    """
    if clear and limit is not None:
        raise ConfigError("--clear and --limit cannot be used together")
    if folder is not None and kind not in (None, "layers"):
        raise ConfigError(f"--folder works only with --kind layers, got --kind {kind}")
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder (--folder)")
    removing = clear or limit is not None
    chosen = kind or ("layers" if removing or folder is not None else "all")
    folders = {name: folder or cache_folder(name) for name in (KINDS if chosen == "all" else (chosen,))}
    most = 0 if limit is None else size_in_bytes(limit, name="--limit")
    removed = {name: shrink(place, limit=most) if removing else [] for name, place in folders.items()}
    if as_json:
        content = {
            name: {
                "folder": str(place),
                "entries": [_about(entry) for entry in entries(place)],
                "removed": [_about(entry) for entry in removed[name]],
            }
            for name, place in folders.items()
        }
        typer.echo(json_text(content))
        return
    for name, place in folders.items():
        held, gone = entries(place), removed[name]
        if gone:
            typer.echo(f"{name}: {len(gone)} removed, {_size(sum(entry.bytes for entry in gone))} freed")
        typer.echo(f"{name}: {len(held)} entries, {_size(sum(entry.bytes for entry in held))} in {place}")
        for entry in held:
            used = datetime.fromtimestamp(entry.used)
            typer.echo(f"  {entry.path.name}  {_size(entry.bytes)}  last used {used:%Y-%m-%d %H:%M}")
    if not removing:
        typer.echo(f"elmo cache --clear removes the layers, --limit 20GB the least recently used; {LIMIT}=20GB does so")


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _about(entry: Entry) -> dict[str, str | int]:
    return {"name": entry.path.name, "bytes": entry.bytes, "last_used": datetime.fromtimestamp(entry.used).isoformat()}
