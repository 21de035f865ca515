"""Tiny models behind a server that runs in the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient
from web_models import CORPUS, HOST, WORDS, static_vectors, study

from elmokit.encode.encoder import Encoder
from elmokit.models import ElmoConfig, ElmoForPreTraining, ElmoForSequenceClassification, ElmoTokenizer
from elmokit.tasks.classification.predict import Classifier
from elmokit.text.vocab import Vocabulary
from elmokit.web.app import create_app
from elmokit.web.corpora import Corpus
from elmokit.web.limits import Limits
from elmokit.web.loaded import Loaded
from elmokit.web.study_file import Study


@pytest.fixture(scope="session")
def bilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as of `elmo pretrain`."""
    path = tmp_path_factory.mktemp("bilm")
    torch.manual_seed(3)
    vocabulary = Vocabulary.from_counts(dict.fromkeys(WORDS, 9))
    model = ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=len(vocabulary)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # far from uniform
    model.save_pretrained(path)
    vocabulary.save(path / "vocab.txt")
    ElmoTokenizer().save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def classifier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as of `elmo train classify`."""
    path = tmp_path_factory.mktemp("classifier")
    torch.manual_seed(5)
    labels = {0: "money", 1: "water", 2: "<b>odd</b>"}
    config = ElmoConfig.preset("tiny", num_labels=3, head_hidden_dim=8, id2label=labels)
    model = ElmoForSequenceClassification(config)
    with torch.no_grad():
        model.mix.w.copy_(torch.linspace(-1, 1, len(model.mix.w)))
        for parameter in model.parameters():
            parameter.mul_(2)
    model.save_pretrained(path)
    ElmoTokenizer().save_pretrained(path)
    return path


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
