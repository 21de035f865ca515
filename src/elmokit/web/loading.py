"""What `elmo serve` is started with, read into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from elmokit.encode.encoder import Encoder
from elmokit.pretrained import shipped_models
from elmokit.static.vectors import WordVectors
from elmokit.tasks.classification.predict import Classifier
from elmokit.web import bundled
from elmokit.web.corpora import corpus_of_file
from elmokit.web.loaded import Loaded
from elmokit.web.study_file import read_study

NONE = Path("none")
"""What an option is given to leave its part out."""


def load(
    model: str,
    *,
    classifier: Path,
    vectors: Path | None,
    corpora: Sequence[Path],
    studies: Sequence[Path],
    column: str | None = None,
    device: str | None = None,
    report: Callable[[str], None] = lambda what: None,
) -> Loaded:
    """Everything that was asked for; what is not named comes from `bundled`, and `none` leaves it out.

    `report` is called with a line on what is loaded next; `device` is that of the encoder.

    Raises:
        ElmokitError: Something cannot be read.
    """
    report(f"loading the model {model}")
    loaded = Loaded(Encoder.from_pretrained(model, backend="torch", device=device), name=Path(model).name)
    if classifier != NONE:
        report(f"loading the classifier {classifier}")
        loaded.classifier, loaded.classifier_name = Classifier.from_pretrained(classifier), classifier.name
        shipped = shipped_models().get(str(classifier))
        loaded.classifier_terms = None if shipped is None or classifier.exists() else shipped.terms
    vectors = vectors or bundled.VECTORS
    if vectors != NONE:
        report(f"loading the static vectors {vectors.name}")
        loaded.vectors, loaded.vectors_name = WordVectors.load(vectors), bundled.TITLES.get(vectors, vectors.name)
    for path in _asked(corpora, bundled.CORPUS):
        report(f"reading the corpus {path.name}")
        named = bundled.TITLES.get(path)
        own_column = None if named else column
        loaded.add_corpus(corpus_of_file(path, loaded.encoder, column=own_column, name=named), most_uploaded=0)
    for path in _asked(studies, bundled.STUDY):
        report(f"reading the study {path.name}")
        loaded.add_study(read_study(path))
    return loaded


def _asked(given: Sequence[Path], default: Path) -> list[Path]:
    return [path for path in given or [default] if path != NONE]
