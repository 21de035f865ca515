"""`elmo serve`: the explorer, a server and a page, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from elmokit.cli.options import ANY_MODEL, Device, bound_memory
from elmokit.extras import needs
from elmokit.pretrained import DEFAULT_CLASSIFIER, DEFAULT_MODEL

_CLASSIFIER = Path(DEFAULT_CLASSIFIER)


def serve(
    model: Annotated[str, typer.Option(help=ANY_MODEL)] = DEFAULT_MODEL,
    classifier: Annotated[Path, typer.Option(help="Folder of elmo train classify, or none.")] = _CLASSIFIER,
    vectors: Annotated[
        Path | None, typer.Option(help="Static vectors to compare with, or none. Default: a small bundled file.")
    ] = None,
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="Text to search in; repeat for more; or none. Default: 300 bundled sentences."),
    ] = None,
    column: Annotated[str | None, typer.Option(help="Text column of the corpora: name, or number; '2-'.")] = None,
    study: Annotated[
        list[Path] | None,
        typer.Option(help="Folder or results.json of elmo compare; or none. Default: the study on AG News."),
    ] = None,
    device: Device = None,
    host: Annotated[str, typer.Option(help="Address to listen on; a non-local one needs --token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    token: Annotated[
        str | None, typer.Option(envvar="ELMOKIT_TOKEN", help="Access token that clients must send.")
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(help="info writes a line per request to standard error; debug also those for the page's files."),
    ] = "info",
) -> None:
    """Serve a page, and an API, to explore a model with: senses, neighbours, surprisal, labels, studies."""
    needs("the explorer", "fastapi", "uvicorn", "plotly", "torch")
    bound_memory()
    from elmokit.web.serving import checked_token, listening
    from elmokit.web.serving import serve as serve_loaded

    token = checked_token(token, host=host)
    listener = listening(host, port)
    from elmokit.web.loading import load

    loaded = load(
        model,
        classifier=classifier,
        vectors=vectors,
        corpora=corpus or [],
        studies=study or [],
        column=column,
        device=device,
        report=lambda what: typer.echo(what, err=True),
    )
    serve_loaded(loaded, listener=listener, host=host, token=token, log_level=log_level)
