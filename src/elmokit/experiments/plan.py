"""From a study's settings to its cells, in an order in which each comes behind what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elmokit.errors import ConfigError, ModelError
from elmokit.experiments.cells import (
    Cell,
    ClassifyCell,
    LayersCell,
    MapCell,
    PretrainCell,
    TfidfCell,
    VectorsCell,
    digest,
    identity,
    named,
)
from elmokit.experiments.config import STATIC, CompareConfig, RowConfig
from elmokit.pretrained import located
from elmokit.settings import load_settings
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.classification.data import load_data
from elmokit.tasks.plan import schedule_for
from elmokit.text.files import expand_paths
from elmokit.whole_files import write_text

WHOLE = 1.0

# The work of a text, measured in texts whose layers are stored (benchmarks/classify_speed.py).
_FINETUNED, _PRETRAINED, _LAYERS, _COUNTED = 10, 6, 1 / 4, 1 / 10

Place = tuple[str, int, float]  # row, seed, share of the labels


@dataclass(frozen=True)
class Plan:
    """All cells of a study.

    Attributes:
        cells: By folder; those that others need come first.
        trained: The cell of a row, a seed and a share of the labels.
        made: The cell of a row's vectors or biLM, where it has one.
        maps: The cell of a row's map of a word.
    """

    cells: dict[Path, Cell]
    trained: dict[Place, Cell]
    made: dict[str, Cell]
    maps: dict[str, Cell]


def plan_study(config: CompareConfig) -> Plan:
    """Every cell of a study; reads the labelled rows once, so that data that cannot be used is told before any work.

    Raises:
        DataError, ModelError, ConfigError: Data, a model or a setting cannot be used.
    """
    return _Planner(config).plan()


class _Planner:
    def __init__(self, config: CompareConfig) -> None:
        self.config = config
        self.home = config.output / "cells"
        self.cells: dict[Path, Cell] = {}
        self.trained: dict[Place, Cell] = {}
        self.made: dict[str, Cell] = {}
        self.maps: dict[str, Cell] = {}
        data = load_data(self._classify(config.rows[0], seed=config.seeds[0], share=WHOLE, model="", output=self.home))
        self.rows = {name: len(part.rows) for name, part in data.splits.items()}
        named_files = [name for part in (config.data.train, config.data.test, config.data.valid) for name in part]
        files = [path for name in named_files for path in ([name] if not Path(name).exists() else expand_paths(name))]
        names = [config.data.label_names] if config.data.label_names else []
        self.data_digest = digest([*files, *names])
        self.text = config.text or [str(self._training_text(data.sources["train"].texts))]
        self.text_digest = digest(path for name in self.text for path in expand_paths(name))

    def plan(self) -> Plan:
        for row in self.config.rows:
            self._plan_row(row, WHOLE)
        for share in self.config.efficiency.fractions if self.config.efficiency.rows else []:
            for name in self.config.efficiency.rows:
                self._plan_row(self.config.row(name), share)
        for row in self.config.rows if self.config.word_map.word else []:
            if row.kind != "tfidf" and row.name in (self.config.word_map.rows or [row.name]):
                self._plan_map(row, self.config.word_map.word or "")
        return Plan(self.cells, self.trained, self.made, self.maps)

    def _plan_map(self, row: RowConfig, word: str) -> None:
        trained = self.trained[row.name, (row.seeds or self.config.seeds)[0], WHOLE]
        assert isinstance(trained, ClassifyCell)
        uses = self.config.word_map.uses
        folder = named(self.home, f"{row.name}-map", word, uses, trained.folder.name)
        self.maps[row.name] = MapCell(
            folder, f"{row.name}: map of {word!r}", uses, needs=(trained.folder,), config=trained.config,
            trained=trained.folder, word=word, uses=uses,
        )  # fmt: skip
        self.cells.setdefault(folder, self.maps[row.name])

    def _training_text(self, texts: list[str]) -> Path:
        """The texts of the training rows, one a line, for vectors to learn from."""
        path = self.config.output / "cells" / "training_texts.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "".join(f"{' '.join(text.split())}\n" for text in texts))
        return path

    def _plan_row(self, row: RowConfig, share: float) -> None:
        if row.kind in STATIC and row.start is None and row.name not in self.made:
            self._add_made(row, self._vectors(row))
        if row.pretrain is not None and row.name not in self.made:
            self._add_made(row, self._pretrain(row))
        for seed in row.seeds or self.config.seeds:
            if (row.name, seed, share) not in self.trained:
                self._plan_training(row, seed, share)

    def _add_made(self, row: RowConfig, cell: Cell) -> None:
        self.cells.setdefault(cell.folder, cell)
        self.made[row.name] = cell

    def _add_trained(self, row: RowConfig, seed: int, share: float, cell: Cell) -> None:
        self.cells.setdefault(cell.folder, cell)
        self.trained[row.name, seed, share] = cell

    def _vectors(self, row: RowConfig) -> Cell:
        settings = {**self.config.vectors, "train": self.text, "normalize": self.config.data.clean or []}
        if self.config.text_column is not None:
            settings["column"] = self.config.text_column
        inputs = digest([row.file]) if row.file else self.text_digest
        kept = {name: value for name, value in settings.items() if name != "train"}
        folder = named(self.home, f"{row.kind}-vectors", kept, inputs)  # rows of the same vectors share them
        return VectorsCell(folder, f"{row.name}: vectors", self.rows["train"], kind=row.kind, settings=settings,
                           file=row.file)  # fmt: skip

    def _pretrain(self, row: RowConfig) -> Cell:
        settings = {"train": self.text, "normalize": self.config.data.clean or [], "threads": 1, **(row.pretrain or {})}
        if self.config.text_column is not None:
            settings["column"] = self.config.text_column
        kept = {name: value for name, value in settings.items() if name not in ("train", "threads")}
        folder = named(self.home, row.name, kept, self.text_digest)
        epochs = int(settings.get("epochs", 5))
        return PretrainCell(
            folder, f"{row.name}: pretraining", _PRETRAINED * epochs * self.rows["train"], settings=settings
        )

    def _plan_training(self, row: RowConfig, seed: int, share: float) -> None:
        label = f"{row.name}, seed {seed}" + (f", {share:.0%} of the labels" if share < WHOLE else "")
        model, inputs, needs = self._model_of(row, seed, share)
        config = self._classify(row, seed=seed, share=share, model=model, output=self.home)
        if row.vectors is not None:
            beside = self.made[row.vectors].folder
            needs = (*needs, beside)
            inputs = [*inputs, beside.name]
            config = config.model_copy(update={"vectors": beside / "vectors.bin"})
        folder = named(self.home, f"{row.name}-{seed}-{share:g}", row.kind, identity(config), self.data_digest, inputs)
        config = config.model_copy(update={"output": folder})
        texts = max(1, round(share * self.rows["train"]))
        each = (
            _COUNTED
            if row.kind == "tfidf"
            else schedule_for(config, texts).epochs * (_FINETUNED if config.finetune else 1)
        )
        work = round(texts * each) + self.rows["test"]
        if row.kind == "tfidf":
            self._add_trained(row, seed, share, TfidfCell(folder, label, work, config=config))
        else:
            if row.kind == "model" and not config.finetune:
                needs = (*needs, self._layers(row, config, inputs[0], needs))
            self._add_trained(row, seed, share, ClassifyCell(folder, label, work, config=config, needs=needs))

    def _layers(self, row: RowConfig, config: ClassifyConfig, model: str, needs: tuple[Path, ...]) -> Path:
        """The cell that computes the layers of a frozen biLM."""
        folder = named(self.home, "layers", model, config.max_words, config.clean, config.precision, self.data_digest)
        work = round(_LAYERS * (self.rows["train"] + self.rows["validation"] + self.rows["test"]))
        self.cells.setdefault(folder, LayersCell(folder, f"{row.name}: layers", work, config=config, needs=needs))
        return folder

    def _model_of(self, row: RowConfig, seed: int, share: float) -> tuple[str, list[str], tuple[Path, ...]]:
        """The model a row's classifier stands on, what tells it from others, and the cells it comes from."""
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

    def _classify(self, row: RowConfig, *, seed: int, share: float, model: str, output: Path) -> ClassifyConfig:
        config = self.config
        settings: dict[str, Any] = {**config.classifier, **row.settings}
        if share < WHOLE:
            settings |= config.efficiency.settings.get(share, {})
        try:
            return load_settings(
                ClassifyConfig,
                **{
                    **config.data.model_dump(), **settings, "model": model, "output": output, "seed": seed,
                    "train_fraction": share, "threads": 1, "cache": config.cache, "progress": False,
                    "baseline": False,
                },
            )  # fmt: skip
        except ConfigError as error:
            raise ConfigError(f"row {row.name!r}: {error}") from error
