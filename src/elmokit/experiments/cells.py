"""The pieces of work a comparison is made of. Each leaves a folder that is named by the hash of all it depends on.

So an interrupted comparison resumes where it was, a changed setting costs only the cells it touches, and a finished one
costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from elmokit.experiments.config import Kind
from elmokit.pretrained import ABOUT
from elmokit.run_folder import RunFolder, write_json
from elmokit.settings import SettingValues, load_settings, roles
from elmokit.tasks import TASKS
from elmokit.tasks.config import HeadConfig
from elmokit.text.files import expand_paths
from elmokit.whole_files import JsonObject

FORMAT = 2  # raise when the same inputs would give other results
DONE = "cell.json"


@dataclass(frozen=True)
class Cell(ABC):
    """One piece of work.

    Attributes:
        folder: Where its results are written.
        label: For the progress.
        work: Texts it reads, for the remaining time.
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
        """Compute, in the calling process. Raises what `elmokit.errors` names for what the user can fix."""


@dataclass(frozen=True)
class VectorsCell(Cell):
    """Static vectors, and a model of one layer made of them: `vectors.bin` and `model/`."""

    kind: Kind
    settings: SettingValues
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

    settings: SettingValues

    def run(self) -> None:
        """See the class. An interrupted run is resumed."""
        from elmokit.pretrain.config import PretrainConfig
        from elmokit.pretrain.loop import pretrain

        began = time.perf_counter()
        output = self.folder / "model"
        config = load_settings(PretrainConfig, output=output, **self.settings)
        if not (output / "metrics.json").is_file():  # written last; config.json comes with the first epoch
            pretrain(config.model_copy(update={"resume": output.is_dir()}), show_progress=False)
        write_json(self.folder / DONE, {"seconds": time.perf_counter() - began})


@dataclass(frozen=True)
class TrainCell(Cell):
    """A trained model of a task: the folder that `elmo train TASK` writes."""

    task: str
    config: HeadConfig

    def run(self) -> None:
        """See the class. An interrupted run is resumed."""
        from elmokit.tasks.run import run_task

        if not (self.folder / "metrics.json").is_file():
            partial = RunFolder(self.folder).work
            run_task(TASKS[self.task].load(), self.config.model_copy(update={"resume": partial.is_dir()}))
        write_json(self.folder / DONE, self.measured())

    def measured(self) -> JsonObject:
        """What is measured on the finished model in addition to its metrics."""
        return {}


def named(folder: Path, name: str, *inputs: Any) -> Path:
    """The folder of a cell with these inputs: anything JSON can represent."""
    text = json.dumps([FORMAT, *inputs], sort_keys=True, default=str)
    readable = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")[:40]
    return folder / f"{readable}-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


def identity(config: HeadConfig) -> JsonObject:
    """The settings of a run that change its result, without files: those are identified by content."""
    left_out = {name for name, role in roles(type(config)).items() if not role.changes_result or role.files}
    return config.model_dump(mode="json", exclude={*left_out, "threads"})


def data_files(config: HeadConfig) -> list[str | Path]:
    """The files of a run's data, without its model and vectors; a name that is no file stays a name."""
    found: list[str | Path] = []
    for name, role in roles(type(config)).items():
        given = getattr(config, name)
        if role.files and given is not None and name not in ("model", "vectors"):
            for entry in given if isinstance(given, list) else [given]:
                found += [entry] if not Path(entry).exists() else expand_paths(str(entry))
    return found


def digest(files: Iterable[str | Path]) -> list[str]:
    """A hash of the content of each file; of a folder, of the files in it that shape a result; else the name itself."""
    return [_digest(Path(file)) for file in files]


_SHAPING = (".json", ".safetensors")


def _digest(path: Path) -> str:
    if path.is_dir():
        # A shipped model's ABOUT has the checksum of its card, which shapes no result.
        parts = [inner for inner in sorted(path.glob("*.*")) if inner.suffix in _SHAPING and inner.name != ABOUT]
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
