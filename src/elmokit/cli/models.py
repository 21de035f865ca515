"""`elmo models`: what comes with the package."""

from __future__ import annotations

from typing import Annotated

import typer

from elmokit.cli.options import AsJson
from elmokit.errors import ModelError
from elmokit.pretrained import shipped_models
from elmokit.whole_files import json_text


def models(
    check: Annotated[bool, typer.Option("--check", help="Verify every file against its checksum.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the models that come with the package: parameters, size, SHA-256 of the weights, terms."""
    found = shipped_models().values()
    damaged = {model.name: model.damaged() for model in found} if check else {}
    if as_json:
        content = [
            {
                "name": model.name,
                "summary": model.summary,
                "terms": model.terms,
                "parameters": model.parameters,
                "bytes": model.size,
                "folder": str(model.folder),
                "sha256": model.sha256,
            }
            for model in found
        ]
        typer.echo(json_text(content))
    else:
        for model in found:
            weights = model.sha256["model.safetensors"]
            size = f"{model.parameters / 1e6:.1f} M parameters, {model.size / 1e6:.1f} MB"
            typer.echo(f"{model.name}: {model.summary}\n  {size}, sha256 {weights}\n  {model.terms}\n  {model.folder}")
    broken = [f"{name} ({', '.join(files)})" for name, files in damaged.items() if files]
    if broken:
        raise ModelError(f"files are missing or changed: {'; '.join(broken)}: install elmokit again")
    if check and not as_json:
        typer.echo("all files are as they were shipped")
