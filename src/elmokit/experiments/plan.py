"""From the settings of a comparison to its cells, each after those it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from elmokit.errors import ConfigError, ModelError
from elmokit.experiments.cells import Cell, PretrainCell, TrainCell, VectorsCell, data_files, digest, identity, named
from elmokit.experiments.classification import ClassifyCell, LayersCell, MapCell, TfidfCell
from elmokit.experiments.config import STATIC, CompareConfig, RowConfig
from elmokit.pretrained import located
from elmokit.settings import SettingValues, load_settings
from elmokit.tasks import TASKS
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.plan import schedule_for
from elmokit.text.files import expand_paths
from elmokit.whole_files import write_text

WHOLE = 1.0

# The work of a text, measured in texts whose layers are stored (benchmarks/classify_speed.py).
_FINETUNED, _PRETRAINED, _LAYERS, _COUNTED = 10, 6, 1 / 4, 1 / 10

Place = tuple[str, int, float]  # row, seed, share of the labels


@dataclass(frozen=True)
class Plan:
    """All cells of a comparison.

    Attributes:
        cells: By folder; those that others need come first.
        trained: The cell of a row, a seed and a share of the labels.
        made: The cell of a row's vectors or biLM, where it has one.
        maps: The cell of a row's map of a word.
    """

    cells: dict[Path, Cell]
    trained: dict[Place, TrainCell]
    made: dict[str, Cell]
    maps: dict[str, Cell]


def plan_study(config: CompareConfig) -> Plan:
    """Every cell of a comparison; reads the data once, so that data that cannot be used is refused before any work.

    Raises:
        DataError, ModelError, ConfigError: Data, a model or a setting cannot be used.
    """
    return _Planner(config).plan()


class _Planner:
    def __init__(self, config: CompareConfig) -> None:
        self.config = config
        self.home = config.output / "cells"
        self.cells: dict[Path, Cell] = {}
        self.trained: dict[Place, TrainCell] = {}
        self.made: dict[str, Cell] = {}
        self.maps: dict[str, Cell] = {}
        first = self._run_settings(config.rows[0], seed=config.seeds[0], share=WHOLE, model="", output=self.home)
        texts: Iterable[str] = ()  # of the training rows, where vectors may learn from them
        if isinstance(first, ClassifyConfig):
            from elmokit.tasks.classification.data import load_data

            data = load_data(first)
            self.rows, texts = data.counts, data.sources["train"].texts
        else:
            readable = next((row.model for row in config.rows if row.model is not None), "elmo-mini")
            with TemporaryDirectory() as work:
                task = TASKS[config.task].load()
                self.rows = task.load(first.model_copy(update={"model": readable}), Path(work)).counts
        self.data_digest = digest(data_files(first))
        self.text = config.text
        if not self.text:  # vectors are trained on the texts of the training rows, one per line
            path = self.home / "training_texts.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, "".join(f"{' '.join(text.split())}\n" for text in texts))
            self.text = [str(path)]
        self.text_digest = digest(path for name in self.text for path in expand_paths(name))

    def plan(self) -> Plan:
        for row in self.config.rows:
            self._plan_row(row, WHOLE)
        for share in self.config.efficiency.fractions if self.config.efficiency.rows else []:
            for name in self.config.efficiency.rows:
                self._plan_row(self.config.row(name), share)
        word, uses = self.config.word_map.word, self.config.word_map.uses
        for row in self.config.rows if word else []:
            if row.kind == "tfidf" or row.name not in (self.config.word_map.rows or [row.name]):
                continue
            trained = self.trained[row.name, self.config.seeds_of(row)[0], WHOLE]
            assert isinstance(trained.config, ClassifyConfig) and word
            self.maps[row.name] = cell = MapCell(
                named(self.home, f"{row.name}-map", word, uses, trained.folder.name),
                f"{row.name}: map of {word!r}",
                uses,
                needs=(trained.folder,),
                config=trained.config,
                trained=trained.folder,
                word=word,
                uses=uses,
            )
            self.cells.setdefault(cell.folder, cell)
        return Plan(self.cells, self.trained, self.made, self.maps)

    def _plan_row(self, row: RowConfig, share: float) -> None:
        if row.kind in STATIC and row.start is None and row.name not in self.made:
            settings = {**self.config.vectors, **self._text_settings()}
            inputs = digest([row.file]) if row.file else self.text_digest
            kept = {name: value for name, value in settings.items() if name != "train"}
            folder = named(self.home, f"{row.kind}-vectors", kept, inputs)  # rows of the same vectors share them
            label, work = f"{row.name}: vectors", self.rows["train"]
            self._add_made(row, VectorsCell(folder, label, work, kind=row.kind, settings=settings, file=row.file))
        if row.pretrain is not None and row.name not in self.made:
            settings = {**self._text_settings(), "threads": 1, **row.pretrain}
            kept = {name: value for name, value in settings.items() if name not in ("train", "threads")}
            folder = named(self.home, row.name, kept, self.text_digest)
            work = _PRETRAINED * int(settings.get("epochs", 5)) * self.rows["train"]
            self._add_made(row, PretrainCell(folder, f"{row.name}: pretraining", work, settings=settings))
        for seed in self.config.seeds_of(row):
            if (row.name, seed, share) not in self.trained:
                self._plan_training(row, seed, share)

    def _add_made(self, row: RowConfig, cell: Cell) -> None:
        self.cells.setdefault(cell.folder, cell)
        self.made[row.name] = cell

    def _text_settings(self) -> SettingValues:
        """What vectors and biLMs are trained on, and how it is cleaned."""
        settings: SettingValues = {"train": self.text, "normalize": self.config.data.get("clean") or []}
        if self.config.text_column is not None:
            settings["column"] = self.config.text_column
        return settings

    def _plan_training(self, row: RowConfig, seed: int, share: float) -> None:
        """The cell that trains a row, and for a frozen biLM the one that computes its layers."""
        label = f"{row.name}, seed {seed}" + (f", {share:.0%} of the labels" if share < WHOLE else "")
        model, inputs, needs = self._model_of(row, seed, share)
        config = self._run_settings(row, seed=seed, share=share, model=model, output=self.home)
        beside = None if row.vectors is None else Path(row.vectors)  # of a model's layers
        if row.vectors in self.made:
            made = self.made[row.vectors].folder
            needs, inputs, beside = (*needs, made), [*inputs, made.name], made / "vectors.bin"
        elif beside is not None:
            if not beside.is_file():
                raise ConfigError(f"there is no file of vectors {beside} (rows.vectors)")
            inputs = [*inputs, *digest([beside])]
        if beside is not None:
            config = config.model_copy(update={"vectors": beside})
        folder = named(self.home, f"{row.name}-{seed}-{share:g}", row.kind, identity(config), self.data_digest, inputs)
        config = config.model_copy(update={"output": folder})
        texts = max(1, round(share * self.rows["train"]))
        epochs = schedule_for(config, texts).epochs
        each = _COUNTED if row.kind == "tfidf" else epochs * (_FINETUNED if config.finetune else 1)
        work, task = round(texts * each) + self.rows["test"], self.config.task
        if not isinstance(config, ClassifyConfig):
            cell = TrainCell(folder, label, work, task=task, config=config, needs=needs)
        elif row.kind == "tfidf":
            cell = TfidfCell(folder, label, work, task=task, config=config)
        else:
            if row.kind == "model" and not config.finetune:
                read = (config.max_words, config.clean, config.precision)
                layers = named(self.home, "layers", inputs[0], *read, self.data_digest)
                cost = round(_LAYERS * sum(self.rows.values()))
                self.cells.setdefault(
                    layers, LayersCell(layers, f"{row.name}: layers", cost, config=config, needs=needs)
                )
                needs = (*needs, layers)
            cell = ClassifyCell(folder, label, work, task=task, config=config, needs=needs)
        self.cells.setdefault(folder, cell)
        self.trained[row.name, seed, share] = cell

    def _model_of(self, row: RowConfig, seed: int, share: float) -> tuple[str, list[str], tuple[Path, ...]]:
        """The model a row is trained from, what distinguishes it from others, and the cells it comes from."""
        if row.kind == "tfidf":
            return "", [], ()
        if row.start is not None:
            start = self.config.row(row.start)
            if (start.name, seed, share) not in self.trained:
                self._plan_training(start, seed, share)
            folder = self.trained[start.name, seed, share].folder
            return str(folder), [folder.name], (folder,)
        if row.name in self.made:
            folder = self.made[row.name].folder
            return str(folder / "model"), [folder.name], (folder,)
        model = str(row.model)
        if not (located(model) / "config.json").is_file():
            raise ModelError(f"row {row.name!r}: there is no model folder {model} (rows.model)")
        return model, digest([located(model)]), ()

    def _run_settings(self, row: RowConfig, *, seed: int, share: float, model: str, output: Path) -> HeadConfig:
        """The settings of one run."""
        config = self.config
        settings: SettingValues = {**config.data, **config.settings, **row.settings}
        if share < WHOLE:
            settings |= config.efficiency.settings.get(share, {})
        settings |= {"model": model, "output": output, "seed": seed, "threads": 1}
        settings["train_fraction"] = share * settings.get("train_fraction", WHOLE)
        kind = TASKS[config.task].settings()
        if "baseline" in kind.model_fields:
            settings["baseline"] = False  # a row of its own
        try:
            return load_settings(kind, **{**settings, "cache": config.cache, "progress": False})
        except ConfigError as error:
            raise ConfigError(f"row {row.name!r}: {error}") from error
