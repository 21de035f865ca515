"""What only comparisons of classifiers have: stored layers, TF-IDF, the pace of predictions, the map of a word."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from elmokit.errors import DataError
from elmokit.experiments.cells import DONE, Cell, TrainCell
from elmokit.run_folder import RunFolder, write_json
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.text.words import split_words
from elmokit.whole_files import JsonObject

SPEED_TEXTS = 256


@dataclass(frozen=True)
class LayersCell(Cell):
    """The layers of all texts in the cache, so that trainings that start together do not compute them twice."""

    config: ClassifyConfig

    def run(self) -> None:
        """See the class."""
        from elmokit.tasks.classification.task import compute_layers

        began = time.perf_counter()
        compute_layers(self.config)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / DONE, {"seconds": time.perf_counter() - began})


@dataclass(frozen=True)
class ClassifyCell(TrainCell):
    """A trained classifier, and how fast it predicts."""

    def measured(self) -> JsonObject:
        """Words per second from raw text to labels, on one thread, after a warm-up."""
        from elmokit.tasks.classification.data import read_source
        from elmokit.tasks.classification.predict import Classifier

        assert isinstance(self.config, ClassifyConfig)
        classifier = Classifier.from_pretrained(self.folder)
        texts = read_source("test", self.config)[0][:SPEED_TEXTS]
        classifier.predict(texts[:8])
        began = time.perf_counter()
        classifier.predict(texts)
        seconds = time.perf_counter() - began
        words = sum(len(classifier.tokenizer.words(text)[: classifier.max_words]) for text in texts)
        return {"words_per_second": words / seconds}


@dataclass(frozen=True)
class TfidfCell(TrainCell):
    """TF-IDF and a linear model, with the files of a classifier that the results are read from."""

    def run(self) -> None:
        """See the class."""
        from elmokit.tasks.classification.baseline import tfidf_svm
        from elmokit.tasks.classification.data import load_data
        from elmokit.tasks.classification.scores import write_predictions
        from elmokit.tasks.classification.task import PREDICTIONS

        assert isinstance(self.config, ClassifyConfig)
        run = RunFolder(self.folder)
        run.open(overwrite=True)
        data = load_data(self.config)
        target = self.config.target
        found = tfidf_svm(data, target=target, seed=self.config.seed)
        about = {
            "labels": data.labels,
            "rows": {name: len(part.rows) for name, part in data.splits.items()},
            "parameters": {"total": found.scores["parameters"], "trained": found.scores["parameters"]},
            "seconds": {"train": found.scores["seconds"], "total": found.scores["seconds"]},
        }
        write_json(run.work / "metrics.json", {**found.scores, **about})
        write_predictions(
            run.work / PREDICTIONS,
            found.predicted,
            data.targets("test"),
            target=target,
            labels=data.labels,
            thresholds=np.zeros(len(data.labels)),
            ids=data.ids("test"),
            texts=data.texts("test"),
        )
        words = sum(len(split_words(text)) for text in data.texts("test"))
        write_json(run.work / DONE, {"words_per_second": words / found.predict_seconds})
        run.finish()


@dataclass(frozen=True)
class MapCell(Cell):
    """The occurrences of a word in the test texts, by a row's vectors, on a plane: `map.json`.

    The vectors are what the trained mix makes of the layers; the plane is that of their two main components (PCA).
    """

    config: ClassifyConfig
    trained: Path
    word: str
    uses: int

    def run(self) -> None:
        """See the class."""
        from sklearn.decomposition import PCA

        from elmokit.analysis.occurrences import Occurrence, find_occurrences, occurrence_vectors
        from elmokit.encode.encoder import Encoder
        from elmokit.tasks.classification.data import load_data

        data = load_data(self.config)
        encoder = Encoder.from_pretrained(self.trained)
        found: list[Occurrence] = []
        classes: list[int] = []
        for text, number in zip(data.texts("test"), data.classes("test"), strict=True):
            words = encoder.words(text)[: self.config.max_words]
            here = find_occurrences(self.word, [words], longest=self.config.max_words, least=0)
            if here and len(found) < self.uses:
                found += here
                classes.append(int(number))
        if len(found) < 3:
            raise DataError(f"{self.word!r} occurs in {len(found)} test texts; a map needs 3 (word_map.word)")
        vectors = occurrence_vectors(encoder, found, layers="mix")  # (n, D)
        plane = PCA(2, random_state=0)
        points = plane.fit_transform(vectors)
        spread = float(vectors.std(axis=0).max())
        run = RunFolder(self.folder)
        run.open(overwrite=True)
        shares = [0.0, 0.0] if spread < 1e-6 else plane.explained_variance_ratio_.tolist()
        content = {"points": points.round(5).tolist(), "classes": classes, "explained": shares}
        write_json(run.work / "map.json", content)
        write_json(run.work / DONE, {"uses": len(found)})
        run.finish()
