"""A table of one task: every method with every seed, mean and 95 % interval on the test files.

    python scripts/task_table.py configs/tables/conll2003.yaml [--processes 2] [--only "ELMo"] [--table]

The file names the task (`elmo train TASK`), the figure of `metrics.json` that counts, the seeds, settings that all rows
share, and the rows: `model` is a biLM, or `start` another row from whose heads, seed by seed, this one goes on. `$DATA`
in a path is $ELMOKIT_DATA. `scale` is what figures are multiplied by (100 without), and `intervals` names what
`metrics.json` has of a figure's interval over the test rows, for rows of one seed. Below the table stand the gains over
the rows that `baselines` names, without it over the first. Runs go several at a time, one thread each; finished ones
are passed over and unfinished ones go on from their last epoch, so the script may be stopped and started again.
--table prints what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from task_gains import Gain, over_rows, over_seeds

from elmokit.experiments.statistics import interval


@dataclass
class Run:
    """One row with one seed."""

    row: str
    folder: Path
    task: str
    settings: dict[str, Any]
    after: Run | None = None

    @property
    def done(self) -> bool:
        return (self.folder / "metrics.json").is_file()

    def start(self) -> subprocess.Popen[bytes]:
        """Begin, or go on."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder.with_name(f".{self.folder.name}.partial").is_dir()
        config = self.folder.with_name(f"{self.folder.name}.yaml")
        config.write_text(yaml.safe_dump(self.settings, allow_unicode=True), encoding="utf-8")
        command = [sys.executable, "-m", "elmokit", "train", self.task, "--config", str(config)]
        with self.folder.with_name(f"{self.folder.name}.out").open("ab") as out:
            return subprocess.Popen(command + ["--resume"] * unfinished, stdout=out, stderr=subprocess.STDOUT)

    def value(self, path: str) -> Any:
        """What `metrics.json` has under a path such as `test.f1`."""
        found = json.loads((self.folder / "metrics.json").read_text(encoding="utf-8"))
        for key in path.split("."):
            found = found[key]
        return found


def planned(table: dict[str, Any], output: Path) -> list[Run]:
    """All runs, each behind the one it goes on from."""
    runs: dict[tuple[str, int], Run] = {}
    for row in table["rows"]:
        for seed in row.get("seeds", table["seeds"]):
            folder = output / row["name"].replace(" ", "-") / str(seed)
            settings = {"seed": seed, "threads": 1, **table["common"], **row.get("settings", {}), "output": str(folder)}
            after = runs[row["start"], seed] if "start" in row else None
            settings["model"] = row["model"] if after is None else str(after.folder)
            runs[row["name"], seed] = Run(row["name"], folder, table["task"], settings, after)
    return list(runs.values())


def work(runs: list[Run], *, processes: int) -> list[Run]:
    """Keep `processes` runs going until none is left; returns those that failed."""
    waiting = [run for run in runs if not run.done]
    failed: list[Run] = []
    going: list[tuple[Run, subprocess.Popen[bytes]]] = []
    while waiting or going:
        ready = [run for run in waiting if run.after is None or run.after.done]
        while ready and len(going) < processes:
            run = ready.pop(0)
            waiting.remove(run)
            going.append((run, run.start()))
            print(f"{time.strftime('%H:%M:%S')}  {run.folder} begins; {len(waiting)} wait", flush=True)
        if not going:
            return failed + waiting  # what they go on from has failed
        time.sleep(1)
        for run, process in [pair for pair in going if pair[1].poll() is not None]:
            going.remove((run, process))
            if process.returncode:
                failed.append(run)
            print(f"{time.strftime('%H:%M:%S')}  {run.folder} {'failed' if process.returncode else 'done'}", flush=True)
    return failed


def printed(table: dict[str, Any], runs: list[Run]) -> str:
    """The rows that have runs, as Markdown."""
    figures: dict[str, str] = table["figures"]
    lines = ["| | seeds | " + " | ".join(figures) + " |", "|---|" + "---|" * (len(figures) + 1)]
    for row in table["rows"]:
        found = [run for run in runs if run.row == row["name"] and run.done]
        if found:
            cells = [_cell(table, found, name) for name in figures]
            lines.append(f"| {row['name']} | {len(found)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gains(table: dict[str, Any], runs: list[Run]) -> list[str]:
    """A line for each row: what it gains in the first figure over the table's `baselines`, or over the first row."""
    name, path = next(iter(table["figures"].items()))
    rows = {row["name"]: {run.settings["seed"]: run for run in runs if run.row == row["name"] and run.done}
            for row in table["rows"]}  # fmt: skip
    baselines = table.get("baselines", [next(iter(rows))])
    lines = []
    for base in baselines:
        for row in (row for row in rows if row not in baselines):
            if seeds := sorted(rows[row].keys() & rows[base].keys()):
                gain = _gain(table, path, *([rows[name][seed] for seed in seeds] for name in (base, row)))
                lines.append(f"{row} over {base} in {name}: {gain}")
    return lines


def _gain(table: dict[str, Any], path: str, before: list[Run], after: list[Run]) -> Gain:
    if len(before) == 1 and table.get("intervals"):
        return over_rows(table["task"], before[0].settings, before[0].folder, after[0].folder)
    scale = table.get("scale", 100)
    return over_seeds(*([scale * run.value(path) for run in some] for some in (before, after)))


def _cell(table: dict[str, Any], runs: list[Run], figure: str) -> str:
    scale, ends = table.get("scale", 100), table.get("intervals", {}).get(figure)
    found = interval([scale * run.value(table["figures"][figure]) for run in runs])
    if found["low"] is not None:
        return f"{found['mean']:.2f} ± {found['high'] - found['mean']:.2f}"
    if ends is None:
        return f"{found['mean']:.2f}"
    low, high = (scale * end for end in runs[0].value(ends))
    return f"{found['mean']:.2f} ({low:.2f}–{high:.2f})"


def main() -> None:
    """Run, then print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", action="append", help="rows by name; all without")
    parser.add_argument("--table", action="store_true", help="print what is there, run nothing")
    arguments = parser.parse_args()
    text = arguments.config.read_text(encoding="utf-8")
    if "$DATA" in text and "ELMOKIT_DATA" not in os.environ:
        sys.exit(f"set ELMOKIT_DATA to the folder of the data sets that {arguments.config} names as $DATA")
    table = yaml.safe_load(text.replace("$DATA", os.environ.get("ELMOKIT_DATA", "")))
    runs = planned(table, Path(table["output"]))
    failed = []
    if not arguments.table:
        failed = work(
            [run for run in runs if not arguments.only or run.row in arguments.only], processes=arguments.processes
        )
    print(printed(table, runs), *gains(table, runs), sep="\n")
    if failed:
        sys.exit("failed: " + ", ".join(f"{run.folder} (see {run.folder}.out)" for run in failed))


if __name__ == "__main__":
    main()
