"""`elmo serve`: the explorer, a server and a page, on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from elmokit.errors import ConfigError
from elmokit.pretrained import DEFAULT_CLASSIFIER, DEFAULT_MODEL


def serve(
    model: Annotated[
        str, typer.Option(help="Folder of any ELMo, .hdf5, .zip, http(s) address or hub id.")
    ] = DEFAULT_MODEL,
    classifier: Annotated[Path, typer.Option(help="Folder of elmo train classify.")] = Path(DEFAULT_CLASSIFIER),
    vectors: Annotated[Path | None, typer.Option(help="Static vectors to lay beside.")] = None,
    corpus: Annotated[list[Path] | None, typer.Option(help="Text to search in; again for more.")] = None,
    column: Annotated[str | None, typer.Option(help="Text column of the corpora: name, or number; '2-'.")] = None,
    study: Annotated[list[Path] | None, typer.Option(help="Folder or results.json of elmo compare.")] = None,
    host: Annotated[str, typer.Option(help="Address; one that others can reach needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    token: Annotated[str | None, typer.Option(envvar="ELMOKIT_TOKEN", help="Callers must know it.")] = None,
) -> None:
    """Serve a page, and an API, to explore a model with: senses, neighbours, surprisal, labels, studies."""
    if missing := [name for name in ("fastapi", "uvicorn", "plotly") if find_spec(name) is None]:
        raise ConfigError(f'the explorer needs {", ".join(missing)}: pip install -c constraints.txt ".[web]"')
    from elmokit.web.serving import checked_token, listening
    from elmokit.web.serving import serve as serve_loaded

    token = checked_token(token, host=host)
    listener = listening(host, port)
    from elmokit.encode.encoder import Encoder
    from elmokit.static.vectors import WordVectors
    from elmokit.tasks.classification.predict import Classifier
    from elmokit.web.corpora import corpus_of_file
    from elmokit.web.loaded import Loaded
    from elmokit.web.study_file import read_study

    loaded = Loaded(Encoder.from_pretrained(model), name=Path(model).name)
    loaded.classifier, loaded.classifier_name = Classifier.from_pretrained(classifier), classifier.name
    if vectors is not None:
        loaded.vectors, loaded.vectors_name = WordVectors.load(vectors), vectors.name
    for path in corpus or []:
        loaded.add_corpus(corpus_of_file(path, loaded.encoder, column=column), most_uploaded=0)
    for path in study or []:
        loaded.add_study(read_study(path))
    serve_loaded(loaded, listener=listener, host=host, token=token)
