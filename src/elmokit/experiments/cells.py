"""The pieces of work a study is made of. Each leaves a folder that is named by the hash of all it depends on.

So an interrupted study goes on where it was, a changed setting costs only the cells it touches, and a finished study
costs nothing.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from elmokit.errors import DataError
from elmokit.experiments.config import Kind
from elmokit.run_folder import RunFolder, write_json
from elmokit.settings import load_settings, roles
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.text.words import split_words

FORMAT = 1  # raise when the same inputs would give other results
SPEED_TEXTS = 256
DONE = "cell.json"


@dataclass(frozen=True)
class Cell(ABC):
    """One piece of work.

    Attributes:
        folder: Where it leaves its results.
        label: For the progress.
        work: Texts it reads, for the time left.
        needs: Folders of cells that must be done before.
    """

    folder: Path
    label: str
    work: int
    needs: tuple[Path, ...] = field(default=(), kw_only=True)

    @property
    def done(self) -> bool:
        """Whether its results are there."""
        return (self.folder / DONE).is_file()

    @abstractmethod
    def run(self) -> None:
        """Compute, in the calling process. Raises what `elmokit.errors` names for what the user can mend."""


@dataclass(frozen=True)
class VectorsCell(Cell):
    """Static vectors, and a model of one layer made of them: `vectors.bin` and `model/`."""

    kind: Kind
    settings: dict[str, Any]
    file: Path | None = None

    def run(self) -> None:
        """See the class."""
        from elmokit.interop.loading import save
        from elmokit.interop.word_vectors import static_model
        from elmokit.static.training import VectorsConfig, train_vectors
        from elmokit.static.vectors import WordVectors

        began = time.perf_counter()
        run = RunFolder(self.folder)
        run.open(overwrite=True)
        target = run.work / "vectors.bin"
        if self.kind == "vectors":
            vectors = WordVectors.load(Path(str(self.file)))
            vectors.save(target)
        else:
            config = load_settings(VectorsConfig, output=target, method=self.kind, progress=False, **self.settings)
            vectors = train_vectors(config)
        save(static_model(vectors, text_steps=self.settings["normalize"] or None), run.work / "model")
        about = {"words": len(vectors), "dim": vectors.dim, "seconds": time.perf_counter() - began}
        write_json(run.work / DONE, about)
        run.finish()


@dataclass(frozen=True)
class PretrainCell(Cell):
    """A biLM: `model/`."""

    settings: dict[str, Any]

    def run(self) -> None:
        """See the class. An unfinished run is taken up."""
        from elmokit.pretrain.config import PretrainConfig
        from elmokit.pretrain.loop import pretrain

        began = time.perf_counter()
        output = self.folder / "model"
        config = load_settings(PretrainConfig, output=output, **self.settings)
        if not (output / "config.json").is_file():
            pretrain(config.model_copy(update={"resume": output.is_dir()}), show_progress=False)
        write_json(self.folder / DONE, {"seconds": time.perf_counter() - began})


@dataclass(frozen=True)
class LayersCell(Cell):
    """The layers of all texts in the cache, so that trainings that begin together do not compute them twice."""

    config: ClassifyConfig

    def run(self) -> None:
        """See the class."""
        from elmokit.tasks.classification.task import compute_layers

        began = time.perf_counter()
        compute_layers(self.config)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / DONE, {"seconds": time.perf_counter() - began})


@dataclass(frozen=True)
class ClassifyCell(Cell):
    """A trained classifier: what `elmo train classify` leaves, and how fast it predicts."""

    config: ClassifyConfig

    def run(self) -> None:
        """See the class. An unfinished run is taken up."""
        from elmokit.tasks.classification import train_classifier

        if not (self.folder / "metrics.json").is_file():
            partial = RunFolder(self.folder).work
            train_classifier(self.config.model_copy(update={"resume": partial.is_dir()}))
        write_json(self.folder / DONE, {"words_per_second": self._speed()})

    def _speed(self) -> float:
        """Words a second from raw text to labels, on one thread, after a warm-up."""
        from elmokit.tasks.classification.data import read_source
        from elmokit.tasks.classification.predict import Classifier

        classifier = Classifier.from_pretrained(self.folder)
        texts = read_source("test", self.config)[0][:SPEED_TEXTS]
        classifier.predict(texts[:8])
        began = time.perf_counter()
        classifier.predict(texts)
        seconds = time.perf_counter() - began
        return sum(len(classifier.tokenizer.words(text)[: classifier.max_words]) for text in texts) / seconds


@dataclass(frozen=True)
class TfidfCell(Cell):
    """TF-IDF and a linear SVM, with the files of a classifier that the results are read from."""

    config: ClassifyConfig

    def run(self) -> None:
        """See the class."""
        from elmokit.tasks.classification.baseline import tfidf_svm
        from elmokit.tasks.classification.data import load_data

        run = RunFolder(self.folder)
        run.open(overwrite=True)
        data = load_data(self.config)
        floor = tfidf_svm(data, seed=self.config.seed)
        about = {
            "labels": data.labels, "rows": {name: len(part.rows) for name, part in data.splits.items()},
            "parameters": {"total": floor.scores["parameters"], "trained": floor.scores["parameters"]},
            "seconds": {"train": floor.scores["seconds"], "total": floor.scores["seconds"]},
        }  # fmt: skip
        write_json(run.work / "metrics.json", {**floor.scores, **about})
        with (run.work / "test_predictions.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["row", "gold", "predicted"])
            for row, (gold, guess) in enumerate(zip(data.classes("test"), floor.predicted, strict=True)):
                writer.writerow([row + 1, data.labels[gold], data.labels[guess]])
        words = sum(len(split_words(text)) for text in data.texts("test"))
        write_json(run.work / DONE, {"words_per_second": words / floor.predict_seconds})
        run.finish()


@dataclass(frozen=True)
class MapCell(Cell):
    """The uses of a word in the test texts, by a row's vectors, on a plane: `map.json`.

    The vectors are what the trained mix makes of the layers; the plane is that of their two main components (PCA).
    """

    config: ClassifyConfig
    trained: Path
    word: str
    uses: int

    def run(self) -> None:
        """See the class."""
        from sklearn.decomposition import PCA

        from elmokit.encode.encoder import Encoder
        from elmokit.tasks.classification.data import load_data

        data = load_data(self.config)
        encoder = Encoder.from_pretrained(self.trained)
        wanted = self.word.lower()
        sentences: list[list[str]] = []
        places: list[int] = []
        classes: list[int] = []
        for text, number in zip(data.texts("test"), data.classes("test"), strict=True):
            words = encoder.words(text)[: self.config.max_words]
            place = next((place for place, word in enumerate(words) if word.lower() == wanted), None)
            if place is not None and len(places) < self.uses:
                sentences.append(words)
                places.append(place)
                classes.append(int(number))
        if len(places) < 3:
            raise DataError(f"{self.word!r} stands in {len(places)} test texts; a map needs 3 (word_map.word)")
        arrays = encoder.encode(sentences, layers="mix", is_split_into_words=True)
        vectors = np.stack([array[place] for array, place in zip(arrays, places, strict=True)])
        plane = PCA(2, random_state=0)
        points = plane.fit_transform(vectors)
        spread = float(vectors.std(axis=0).max())
        run = RunFolder(self.folder)
        run.open(overwrite=True)
        shares = [0.0, 0.0] if spread < 1e-6 else plane.explained_variance_ratio_.tolist()
        content = {"points": points.round(5).tolist(), "classes": classes, "explained": shares}
        write_json(run.work / "map.json", content)
        write_json(run.work / DONE, {"uses": len(places)})
        run.finish()


def named(folder: Path, name: str, *inputs: Any) -> Path:
    """The folder of a cell with these inputs: anything JSON can hold."""
    text = json.dumps([FORMAT, *inputs], sort_keys=True, default=str)
    return folder / f"{_slug(name)}-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


def identity(config: ClassifyConfig) -> dict[str, Any]:
    """The settings of a classifier that change what it learns, without the files: those go in by content."""
    left_out = {name for name, role in roles(type(config)).items() if not role.changes_result or role.files}
    left_out.add("threads")
    return config.model_dump(mode="json", exclude=left_out)


def digest(files: Iterable[str | Path]) -> list[str]:
    """A hash of the content of each file, of every file in it of a folder; the name itself of what is neither."""
    return [_digest(Path(file)) for file in files]


def _digest(path: Path) -> str:
    if path.is_dir():
        parts = [inner for inner in sorted(path.iterdir()) if inner.suffix in (".json", ".safetensors")]
        return " ".join(f"{inner.name}:{_digest(inner)}" for inner in parts)
    if not path.is_file():
        return str(path)
    about = path.stat()
    return _content(path, about.st_size, about.st_mtime_ns)


@cache
def _content(path: Path, size: int, changed: int) -> str:
    """`size` and `changed` only tell one state of the file from another."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=12)).hexdigest()


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")[:40]


def right(folder: Path) -> np.ndarray:
    """(N,) whether each test row got its label, of a trained cell."""
    with (folder / "test_predictions.csv").open(encoding="utf-8", newline="") as file:
        return np.array([row["gold"] == row["predicted"] for row in csv.DictReader(file)])
