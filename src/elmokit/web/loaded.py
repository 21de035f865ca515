"""What the server holds in memory: the encoder, and next to it a classifier, static vectors, corpora, studies."""

from __future__ import annotations

from dataclasses import dataclass, field

from elmokit.encode.encoder import Encoder
from elmokit.errors import ModelError
from elmokit.static.vectors import WordVectors
from elmokit.tasks.classification.attribution import each_layer_alone, integrated_gradients
from elmokit.tasks.classification.predict import Classifier
from elmokit.web.corpora import Corpus
from elmokit.web.errors import ApiError
from elmokit.web.examples import opening
from elmokit.web.responses import Opening
from elmokit.web.study_file import Study, study_id


@dataclass
class Loaded:
    """Everything that can be asked.

    Attributes:
        encoder, name: The encoder, and the name it was loaded by.
        classifier, classifier_name: A classifier, if there is one.
        classifier_terms: Under which it may be used, if it comes with the package.
        vectors, vectors_name: Static vectors, if there are any.
        corpora: By id, the oldest first.
        studies: By id.
        language_model: Whether the encoder's folder has a language-model head.
        opening: The example to open with.
    """

    encoder: Encoder
    name: str = "model"
    classifier: Classifier | None = None
    classifier_name: str = ""
    vectors: WordVectors | None = None
    vectors_name: str = ""
    corpora: dict[str, Corpus] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    language_model: bool = False
    classifier_terms: str | None = None
    opening: Opening | None = None

    def warm(self) -> None:
        """Run every part once, so that the first request is no slower than the others."""
        self.encoder.encode(["A word ."])
        try:
            self.encoder.score(["A word ."])
            self.language_model = True
        except ModelError:
            self.language_model = False
        self.opening = opening(self.encoder)
        if self.classifier is not None:
            integrated_gradients(self.classifier, "A word .")
            each_layer_alone(self.classifier, "A word .")

    def add_corpus(self, corpus: Corpus, *, most_uploaded: int) -> None:
        """Keep a corpus; of uploaded ones the oldest goes when there are more than `most_uploaded`."""
        self.corpora.pop(corpus.id, None)
        self.corpora[corpus.id] = corpus
        uploaded = [each.id for each in self.corpora.values() if each.uploaded]
        for old in uploaded[: max(0, len(uploaded) - most_uploaded)]:
            del self.corpora[old]

    def add_study(self, study: Study) -> None:
        """Keep a study."""
        self.studies[study_id(study)] = study

    def corpus(self, id: str | None) -> Corpus:
        """A corpus, by default the first. Raises ApiError (404)."""
        found = next(iter(self.corpora.values()), None) if id is None else self.corpora.get(id)
        if found is None:
            which = "No corpus is loaded." if id is None else "There is no such corpus."
            raise ApiError(404, which, hint="POST one to /api/corpora, or start elmo serve with --corpus FILE.")
        return found

    def a_classifier(self) -> Classifier:
        """Raises ApiError (409) where none is loaded."""
        if self.classifier is None:
            raise ApiError(409, "No classifier is loaded.", hint="Start elmo serve with --classifier FOLDER.")
        return self.classifier

    def a_language_model(self) -> Encoder:
        """The encoder. Raises ApiError (409) where its folder has no language-model head."""
        if not self.language_model:
            raise ApiError(
                409, "The model has no language-model head.", hint="Start elmo serve with --model of elmo pretrain."
            )
        return self.encoder
