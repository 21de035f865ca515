"""Tiny models behind a server that runs in the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from elmokit.encode.encoder import Encoder
from elmokit.tasks.classification.predict import Classifier
from elmokit.web.app import create_app
from elmokit.web.corpora import Corpus
from elmokit.web.limits import Limits
from elmokit.web.loaded import Loaded
from elmokit.web.study_file import Study
from helpers.web_models import CORPUS, HOST, save_bilm, save_classifier, static_vectors, study


@pytest.fixture(scope="session")
def bilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bilm(tmp_path_factory.mktemp("bilm"))


@pytest.fixture(scope="session")
def classifier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="session")
def encoder(bilm: Path) -> Encoder:
    return Encoder.from_pretrained(bilm)


@pytest.fixture(scope="session")
def classifier(classifier_folder: Path) -> Classifier:
    return Classifier.from_pretrained(classifier_folder)


@pytest.fixture
def loaded(encoder: Encoder, classifier: Classifier) -> Loaded:
    """Everything there can be."""
    found = Loaded(encoder, "tiny", classifier, "tiny-news", static_vectors(), "v.txt")
    found.add_corpus(Corpus("small", [line.split() for line in CORPUS]), most_uploaded=0)
    found.add_study(Study.model_validate(study()))
    return found


@pytest.fixture
def client(loaded: Loaded) -> Iterator[TestClient]:
    """The whole server with everything loaded."""
    with TestClient(create_app(loaded, limits=Limits()), base_url=HOST, raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def bare(encoder: Encoder) -> Iterator[TestClient]:
    """A server with an encoder alone, of the classifier's kind: no language model."""
    with TestClient(create_app(Loaded(Encoder(encoder.model))), base_url=HOST) as found:
        yield found
