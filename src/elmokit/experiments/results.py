"""From finished cells to `results.json`: the one thing the report, and any other reader, needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np

from elmokit.experiments.cells import DONE, Cell, TrainCell
from elmokit.experiments.config import STATIC, CompareConfig, RowConfig
from elmokit.experiments.plan import WHOLE, Plan
from elmokit.experiments.statistics import compare_pair, interval, limits_of
from elmokit.report.study import Efficiency, Gain, Interval, RowResult, ShareGain, Study, WordMap
from elmokit.run_folder import versions
from elmokit.tasks import TASKS
from elmokit.tasks.report import SPLITS, Scores
from elmokit.tasks.row_scores import RowScored, RowScores, difference_interval
from elmokit.whole_files import JsonObject, read_json_object

COMPARED = 4  # the best rows that are compared pairwise


def collect(config: CompareConfig, plan: Plan, failures: Mapping[Path, str]) -> Study:
    """All figures of a comparison; `failures` say why a cell failed, by its folder."""
    return _Collector(config, plan, failures).collect()


class _Collector:
    def __init__(self, config: CompareConfig, plan: Plan, failures: Mapping[Path, str]) -> None:
        self.config, self.plan, self.failures = config, plan, failures
        self.task = TASKS[config.task].load()
        self.scored = self.task if isinstance(self.task, RowScored) else None
        self.highest = None if self.scored is None else self.scored.highest
        self.figure = next(iter(plan.trained.values())).config.figure

    def collect(self) -> Study:
        rows = [self._row(row) for row in self.config.rows]
        counted = [row for row in rows if row["metrics"]]
        trained = next((row for row in counted if row["kind"] != "tfidf"), None) or next(iter(counted), None)
        first = _metrics(self._done(trained["name"])[0]) if trained else {}
        files: dict[str, list[str]] = {"train": [], "valid": [], "test": [], "text": list(self.config.text)}
        for setting, given in self.config.data.items():
            part = setting.partition("_")[0]
            if part in ("train", "valid", "test") and isinstance(given, list):
                files[part] += given
        word_map: WordMap | None = None  # the occurrences of a word on a plane, by row
        if maps := self.plan.maps:
            planes = {
                name: json.loads((cell.folder / "map.json").read_text()) for name, cell in maps.items() if cell.done
            }
            word_map = {"word": self.config.word_map.word, "planes": planes}
            if failed := [self.failures[cell.folder] for cell in maps.values() if cell.folder in self.failures]:
                word_map["failed"] = failed[0]
        study: Study = {
            "title": self.config.title,
            "task": self.config.task,
            "figure": self.figure,
            "highest": self.highest,
            "unit": self.task.unit,
            "labels": first.get("labels", []),
            "data": first.get("rows", {}),
            "files": {part: [Path(name).name for name in names] for part, names in files.items()},
            "left_out": first.get("left_out", {}),
            "seen_in_training": first.get("test_texts_seen_in_training"),
            "seeds": self.config.seeds,
            "settings": self.config.settings,
            "rows": rows,
            "gains": self._gains(counted),
            "pairs": self._pairs(counted),
            "efficiency": self._efficiency(),
            "map": word_map,
            "versions": versions(),
        }
        if self.config.task == "classify":
            study["classifier"] = self.config.settings
        return study

    def _cells(self, name: str, share: float = WHOLE) -> dict[int, TrainCell]:
        """The cells of a row, by seed."""
        return {seed: self.plan.trained[name, seed, share] for seed in self.config.seeds_of(self.config.row(name))}

    def _done(self, name: str) -> list[TrainCell]:
        return [cell for cell in self._cells(name).values() if cell.done]

    def _row(self, row: RowConfig) -> RowResult:
        cells = list(self._cells(row.name).values())
        done = [cell for cell in cells if cell.done]
        shown: RowResult = {
            "name": row.name,
            "kind": row.kind,
            "note": row.note,
            "start": row.start,
            "settings": row.settings,
            "metrics": {},
        }
        failed = [self.failures[cell.folder] for cell in cells if cell.folder in self.failures]
        if failed:
            shown["failed"] = f"{len(failed)} of {len(cells)} seeds: {failed[0]}"
        if not done:
            return shown
        runs = [_metrics(cell) for cell in done]
        about = [_about(cell) for cell in done]
        shown["metrics"] = {split: self._scores([run[split] for run in runs]) for split in SPLITS if split in runs[0]}
        shown |= {
            "parameters": runs[0]["parameters"]["total"],
            "trained_parameters": runs[0]["parameters"]["trained"],
            "seconds": float(np.mean([run["seconds"]["train"] for run in runs])),
            "history": runs[0].get("history", []),
            "epochs": [run["epochs"] for run in runs if "epochs" in run],
        }
        if all("words_per_second" in each for each in about):
            shown["words_per_second"] = float(np.median([each["words_per_second"] for each in about]))
        if "confusion" in runs[0]["test"]:
            shown["confusion"] = {split: runs[0][split]["confusion"] for split in SPLITS if split in runs[0]}
            shown["per_class"] = runs[0]["test"]["per_class"]
        if len(done) == 1 and self.scored is not None:
            low, high = difference_interval([self._row_scores(done[0])])
            shown["over_rows"] = {"low": low, "high": high}
        if row.name in self.plan.made:
            shown["preparation_seconds"] = _about(self.plan.made[row.name])["seconds"]
        if "lambdas" in runs[0]:
            shown["lambdas"] = [interval(values) for values in zip(*(run["lambdas"] for run in runs), strict=True)]
            shown["gamma"] = interval([run["gamma"] for run in runs])
        return shown

    def _scores(self, runs: list[JsonObject]) -> dict[str, Interval]:
        """The figures of a split without the loss, and macro averages where there are some, over seeds."""
        scores = [Scores.from_json(run) for run in runs]
        found = [{**each.figures, **dict(each.details.get("macro", {}))} for each in scores]
        names = [name for name in found[0] if name != "loss"]
        return {name: interval([each[name] for each in found], limits=limits_of(name, self.highest)) for name in names}

    def _row_scores(self, cell: TrainCell) -> RowScores:
        assert self.scored is not None
        return self.scored.row_scores(cell.config, cell.folder)

    def _gains(self, rows: list[RowResult]) -> list[Gain]:
        """What each row gains over the baselines on the test rows: seed by seed, or of one seed over test rows."""
        there = [row["name"] for row in rows]
        baselines = [name for name in self.config.baselines or there[:1] if name in there]
        gains: list[Gain] = []
        for name, base in ((name, base) for base in baselines for name in there if name not in baselines):
            ours, theirs = (
                {seed: cell for seed, cell in self._cells(row).items() if cell.done} for row in (name, base)
            )
            seeds = [seed for seed in ours if seed in theirs]
            if not seeds:
                continue
            found = interval([self._score(ours[seed]) - self._score(theirs[seed]) for seed in seeds])
            gain: Gain = {"row": name, "baseline": base, "over": "seeds", **found}
            if len(seeds) == 1 and self.scored is not None:
                one, other = (self._row_scores(cells[seeds[0]]) for cells in (ours, theirs))
                low, high = difference_interval([one], [other])
                gain |= {"over": "rows", "low": low, "high": high}
            gains.append(gain)
        return gains

    def _score(self, cell: Cell) -> float:
        """The main figure on the test rows."""
        return Scores.from_json(_metrics(cell)["test"]).figure(self.figure)

    def _pairs(self, rows: list[RowResult]) -> list[JsonObject]:
        """The best rows pairwise, and the best model against the best static vectors and every baseline kind."""
        if self.scored is None:
            return []
        ranked = sorted(rows, key=lambda row: -row["metrics"]["test"][self.figure]["mean"])
        kinds = {row["name"]: row["kind"] for row in ranked}
        wanted = list(combinations([row["name"] for row in ranked[:COMPARED]], 2))
        best = next((name for name, kind in kinds.items() if kind == "model"), None)
        static = next((name for name, kind in kinds.items() if kind in STATIC and kind != "random"), None)
        others = [static, *(name for name, kind in kinds.items() if kind in ("tfidf", "random"))]
        wanted += [(best, other) for other in others if best is not None and other is not None]
        found = {}
        for first, second in wanted:
            if (second, first) not in found:
                sides = [[self._row_scores(cell) for cell in self._done(name)] for name in (first, second)]
                found[first, second] = compare_pair((first, second), *sides).as_json()
        return list(found.values())

    def _efficiency(self) -> Efficiency:
        """The test score by share of the labels, and the best model minus the best static vectors at each share.

        These are the best by their mean at this share; they are compared seed by seed.
        """
        names = self.config.efficiency.rows
        shares = [*self.config.efficiency.fractions, WHOLE] if names else []
        curves: dict[str, list[Interval | None]] = {name: [] for name in names}
        gains: list[ShareGain | None] = []
        for share in shares:
            scores: dict[str, dict[int, float]] = {}
            best: dict[str, str] = {}  # of the models and of the static vectors
            for name in names:
                cells = self._cells(name, share)
                scores[name] = found = {seed: self._score(cell) for seed, cell in cells.items() if cell.done}
                curves[name].append(
                    interval(list(found.values()), limits=limits_of(self.figure, self.highest)) if found else None
                )
                kind = self.config.row(name).kind
                side = "static" if kind in STATIC and kind != "random" else kind
                if found and (side not in best or _mean(found) > _mean(scores[best[side]])):
                    best[side] = name
            model, static = (scores.get(best.get(side, ""), {}) for side in ("model", "static"))
            both = [model[seed] - static[seed] for seed in model if seed in static]
            gains.append(
                {"share": share, "model": best["model"], "static": best["static"], **interval(both)} if both else None
            )
        return {"shares": shares, "curves": curves, "gains": gains}


def _mean(scores: Mapping[int, float]) -> float:
    return float(np.mean(list(scores.values())))


def _metrics(cell: Cell) -> JsonObject:
    return read_json_object(cell.folder / "metrics.json")


def _about(cell: Cell) -> JsonObject:
    return read_json_object(cell.folder / DONE)
