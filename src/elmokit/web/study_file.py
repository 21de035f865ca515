"""The `results.json` of `elmo compare`, checked and reduced to what can be shown."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from elmokit.errors import DataError

FILE = "results.json"
Count = Annotated[int, Field(ge=0, lt=2**53)]
Label = Annotated[str, Field(max_length=500)]
Matrix = Annotated[list[Annotated[list[Count], Field(max_length=500)]], Field(max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Interval(_Part):
    """A figure over seeds; of a single seed there is no interval."""

    mean: float
    low: float | None = None
    high: float | None = None
    seeds: list[float] = []


class Epoch(_Part):
    """A point of a learning curve."""

    epoch: float
    validation_accuracy: float | None = None
    validation_loss: float | None = None
    train_loss: float | None = None


class ClassScores(_Part):
    """Of one class; `rows` gold ones."""

    precision: float
    recall: float
    f1: float
    rows: Count


class StudyRow(_Part):
    """A method: its scores by split and metric, confusion matrices by split (gold down, predicted across)."""

    name: Label
    kind: Label
    note: str = ""
    failed: str | None = None
    metrics: dict[str, dict[str, Interval]] = {}
    parameters: Count | None = None
    trained_parameters: Count | None = None
    seconds: float | None = None
    words_per_second: float | None = None
    confusion: dict[str, Matrix] = {}
    per_class: dict[str, ClassScores] = {}
    history: list[Epoch] = []
    lambdas: list[Interval] | None = None
    gamma: Interval | None = None


class StudyPair(_Part):
    """Two methods on the same test rows."""

    first: Label
    second: Label
    difference: float
    low: float
    high: float
    mcnemar: float | None = None
    only_first: Count | None = None
    only_second: Count | None = None


class Gain(_Part):
    """The best model less the best static vectors at one share of the labels."""

    share: float
    model: Label
    static: Label
    mean: float
    low: float | None = None
    high: float | None = None


class Efficiency(_Part):
    """Test accuracy by the share of labels; a curve has a value a share."""

    shares: list[float] = []
    curves: dict[str, list[Interval | None]] = {}
    gains: list[Gain | None] = []


class Plane(_Part):
    """Uses of a word under one method."""

    points: list[Annotated[list[float], Field(min_length=2, max_length=2)]]
    classes: list[int]
    explained: list[float] = []


class WordMap(_Part):
    """The uses of one word under each method."""

    word: Label
    planes: dict[str, Plane] = {}


class Study(_Part):
    """A comparison, as `elmo compare` writes it; what is not named here is left out."""

    title: Label
    labels: list[Label] = []
    data: dict[str, Count] = {}
    seeds: list[int] = []
    rows: Annotated[list[StudyRow], Field(min_length=1, max_length=200)]
    pairs: list[StudyPair] = []
    efficiency: Efficiency = Efficiency()
    map: WordMap | None = None
    versions: dict[str, str] = {}


def read_study(path: Path) -> Study:
    """A study's `results.json`, or the folder that contains one.

    Raises:
        DataError: It is missing, no JSON or no study.
    """
    file = path / FILE if path.is_dir() else path
    try:
        return Study.model_validate_json(file.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read the study {file}: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{file} is no study of elmo compare: {place or 'file'}: {first['msg']}") from error


def study_id(study: Study) -> str:
    """A checksum of its content."""
    content = json.dumps(study.model_dump(mode="json"), sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=6).hexdigest()
