"""From finished cells to `results.json`: the one thing the report, and any other reader, needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from elmokit.experiments.cells import DONE, Cell, right
from elmokit.experiments.config import STATIC, CompareConfig, RowConfig
from elmokit.experiments.plan import WHOLE, Plan
from elmokit.experiments.statistics import bounded, compare_pair, interval
from elmokit.run_folder import versions

SPLITS = ("train", "validation", "test")
COMPARED = 4  # the best rows that are compared pairwise


def collect(config: CompareConfig, plan: Plan, failures: Mapping[Path, str]) -> dict[str, Any]:
    """All figures of a study.

    Returns:
        `title`, `labels`, `data` (rows of each split), `seeds`, `classifier` (settings that all rows share), `rows` (a
        list with `name`, `kind`, `note`, `settings`, `parameters`, `seconds`, `words_per_second`,
        `metrics.<split>.<metric>` = {`mean`, `low`, `high`, `seeds`}, `confusion`, `history`, `lambdas`, `gamma`, and
        `failed` for a row with cells that failed), `pairs`, `efficiency`, `map` and `versions`.
    """
    rows = [_row(row, config, plan, failures) for row in config.rows]
    counted = [row for row in rows if row["metrics"]]
    trained = next((row for row in counted if row["kind"] != "tfidf"), None) or next(iter(counted), None)
    first = _metrics(_first_done(config, plan, trained["name"])) if trained else {}
    return {
        "title": config.title,
        "labels": first.get("labels", []),
        "data": first.get("rows", {}),
        "files": {"train": _names(config.data.train), "test": _names(config.data.test), "text": _names(config.text)},
        "left_out": first.get("left_out", {}),
        "seen_in_training": first.get("test_texts_seen_in_training"),
        "seeds": config.seeds,
        "classifier": config.classifier,
        "rows": rows,
        "pairs": _pairs(config, plan, counted),
        "efficiency": _efficiency(config, plan),
        "map": _map(config, plan, failures),
        "versions": versions(),
    }


def _first_done(config: CompareConfig, plan: Plan, name: str) -> Cell:
    cells = [plan.trained[name, seed, WHOLE] for seed in _seeds(config, config.row(name))]
    return next(cell for cell in cells if cell.done)


def _map(config: CompareConfig, plan: Plan, failures: Mapping[Path, str]) -> dict[str, Any] | None:
    """The uses of a word on a plane, by row."""
    if not plan.maps:
        return None
    planes = {name: json.loads((cell.folder / "map.json").read_text()) for name, cell in plan.maps.items() if cell.done}
    failed = [failures[cell.folder] for cell in plan.maps.values() if cell.folder in failures]
    return {"word": config.word_map.word, "planes": planes, **({"failed": failed[0]} if failed else {})}


def _names(files: list[str]) -> list[str]:
    return [Path(name).name for name in files]


def _seeds(config: CompareConfig, row: RowConfig) -> list[int]:
    return row.seeds or config.seeds


def _metrics(cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((cell.folder / "metrics.json").read_text(encoding="utf-8"))
    return found


def _about(cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((cell.folder / DONE).read_text(encoding="utf-8"))
    return found


def _row(row: RowConfig, config: CompareConfig, plan: Plan, failures: Mapping[Path, str]) -> dict[str, Any]:
    cells = [plan.trained[row.name, seed, WHOLE] for seed in _seeds(config, row)]
    done = [cell for cell in cells if cell.done]
    shown: dict[str, Any] = {
        "name": row.name, "kind": row.kind, "note": row.note, "start": row.start, "settings": row.settings,
        "metrics": {},
    }  # fmt: skip
    failed = [failures[cell.folder] for cell in cells if cell.folder in failures]
    if failed:
        shown["failed"] = f"{len(failed)} of {len(cells)} seeds: {failed[0]}"
    if not done:
        return shown
    runs = [_metrics(cell) for cell in done]
    shown["metrics"] = {split: _scores([run[split] for run in runs]) for split in SPLITS if split in runs[0]}
    shown |= {
        "parameters": runs[0]["parameters"]["total"],
        "trained_parameters": runs[0]["parameters"]["trained"],
        "seconds": float(np.mean([run["seconds"]["train"] for run in runs])),
        "words_per_second": float(np.median([_about(cell)["words_per_second"] for cell in done])),
        "confusion": {split: runs[0][split]["confusion"] for split in SPLITS if split in runs[0]},
        "per_class": runs[0]["test"]["per_class"],
        "history": runs[0].get("history", []),
        "epochs": [run["epochs"] for run in runs if "epochs" in run],
    }
    if row.name in plan.made:
        shown["preparation_seconds"] = _about(plan.made[row.name])["seconds"]
    if "lambdas" in runs[0]:
        shown["lambdas"] = [interval(values) for values in zip(*(run["lambdas"] for run in runs), strict=True)]
        shown["gamma"] = interval([run["gamma"] for run in runs])
    return shown


def _scores(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Accuracy and macro averages; `rows` of the split as in every run."""
    scores = {"accuracy": bounded([run["accuracy"] for run in runs])}
    for name in ("precision", "recall", "f1"):
        scores[name] = bounded([run["macro"][name] for run in runs])
    return scores


def _pairs(config: CompareConfig, plan: Plan, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The best rows pairwise, and the best model against the best static vectors and every floor."""
    ranked = sorted(rows, key=lambda row: -row["metrics"]["test"]["accuracy"]["mean"])
    kinds = {row["name"]: row["kind"] for row in ranked}
    wanted = list(combinations([row["name"] for row in ranked[:COMPARED]], 2))
    best = next((name for name, kind in kinds.items() if kind == "model"), None)
    static = next((name for name, kind in kinds.items() if kind in STATIC and kind != "random"), None)
    floors = [name for name, kind in kinds.items() if kind in ("tfidf", "random")]
    wanted += [(best, other) for other in (static, *floors) if best is not None and other is not None]
    found = {}
    for first, second in wanted:
        if (second, first) in found:
            continue
        sides = [_right(config, plan, name) for name in (first, second)]
        found[first, second] = compare_pair((first, second), *sides).as_json()
    return list(found.values())


def _right(config: CompareConfig, plan: Plan, name: str) -> list[Any]:
    cells = [plan.trained[name, seed, WHOLE] for seed in _seeds(config, config.row(name))]
    return [right(cell.folder) for cell in cells if cell.done]


def _efficiency(config: CompareConfig, plan: Plan) -> dict[str, Any]:
    """Test accuracy by share of the labels, and the best model less the best static vectors at each share."""
    names = config.efficiency.rows
    shares = [*config.efficiency.fractions, WHOLE] if names else []
    curves: dict[str, list[Any]] = {name: [] for name in names}
    by_seed: dict[tuple[str, float], dict[int, float]] = {}
    for name in names:
        for share in shares:
            cells = {seed: plan.trained[name, seed, share] for seed in _seeds(config, config.row(name))}
            scores = {seed: _metrics(cell)["test"]["accuracy"] for seed, cell in cells.items() if cell.done}
            by_seed[name, share] = scores
            curves[name].append(bounded(list(scores.values())) if scores else None)
    return {"shares": shares, "curves": curves, "gains": [_gain(config, names, share, by_seed) for share in shares]}


def _gain(
    config: CompareConfig, names: list[str], share: float, by_seed: Mapping[tuple[str, float], dict[int, float]]
) -> dict[str, Any] | None:
    """Best model less best static vectors, seed by seed; both by their mean at this share."""

    def best(wanted: tuple[str, ...]) -> str | None:
        there = [name for name in names if config.row(name).kind in wanted and by_seed[name, share]]
        return max(there, key=lambda name: np.mean(list(by_seed[name, share].values())), default=None)

    model, static = best(("model",)), best(tuple(kind for kind in STATIC if kind != "random"))
    if model is None or static is None:
        return None
    seeds = [seed for seed in by_seed[model, share] if seed in by_seed[static, share]]
    if not seeds:
        return None
    gains = [by_seed[model, share][seed] - by_seed[static, share][seed] for seed in seeds]
    return {"share": share, "model": model, "static": static, **interval(gains)}
