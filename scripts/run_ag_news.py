"""Train the eighteen classifiers of the study on AG News: three mixes, three seeds, the biLM frozen and fine-tuned.

    python scripts/run_ag_news.py runs/ag_news [--processes 2] [--seeds 1 2 3] [--modes …] [--only frozen]

Runs several at a time, one thread each. Finished runs are passed over and unfinished ones go on from their last epoch,
so the script may be stopped and started again. A fine-tuned run starts from the head of the frozen run of its mix and
seed. What each prints stands in FOLDER/{frozen,finetuned}/MODE-SEED.out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "configs"


@dataclass
class Run:
    """One classifier."""

    folder: Path
    config: str
    arguments: list[str]
    after: Path | None = None  # a folder that must be there first

    @property
    def done(self) -> bool:
        return (self.folder / "metrics.json").is_file()

    @property
    def ready(self) -> bool:
        return self.after is None or (self.after / "metrics.json").is_file()

    @property
    def has_layers(self) -> bool:
        """Whether the run has come to its training."""
        return "word vectors are scaled" in self.log.read_text(encoding="utf-8", errors="replace") or bool(self.after)

    @property
    def log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.out")

    def start(self, cache: Path) -> subprocess.Popen[bytes]:
        """Begin, or go on."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder.with_name(f".{self.folder.name}.partial").is_dir()
        command = [sys.executable, "-m", "elmokit", "train", "classify", "--config", CONFIGS / self.config]
        command += ["--cache", cache, "--output", self.folder, "--threads", "1", *self.arguments]
        command += ["--resume"] if unfinished else []
        with self.log.open("ab") as out:
            return subprocess.Popen(list(map(str, command)), stdout=out, stderr=subprocess.STDOUT)


def planned(root: Path, modes: list[str], seeds: list[int], only: str | None) -> list[Run]:
    """The frozen runs, then the fine-tuned ones that build on them."""
    runs = []
    for kind in ("frozen", "finetuned"):
        for seed in seeds:
            for mode in modes:
                arguments = ["--combine", mode, "--seed", str(seed)]
                frozen = root / "frozen" / f"{mode}-{seed}"
                if kind == "frozen":
                    runs.append(Run(frozen, "ag_news_classify.yaml", arguments))
                else:
                    arguments = ["--model", str(frozen), "--finetune", *arguments]
                    folder = root / kind / frozen.name
                    runs.append(Run(folder, "ag_news_finetune_classify.yaml", arguments, after=frozen))
    return [run for run in runs if only in (None, run.folder.parent.name)]


def main() -> None:
    """Keep `--processes` runs going until none is left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--modes", nargs="+", default=["trainable", "frozen", "function"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--only", choices=["frozen", "finetuned"])
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    waiting = [run for run in planned(arguments.root, arguments.modes, arguments.seeds, arguments.only) if not run.done]
    going: dict[Path, subprocess.Popen[bytes]] = {}
    failed = []
    while waiting or going:
        for folder, process in list(going.items()):
            if process.poll() is not None:
                del going[folder]
                state = "done" if process.returncode == 0 else f"failed, see {folder}.out"
                failed += [folder] if process.returncode else []
                print(f"{time.strftime('%H:%M')}  {folder}  {state}", flush=True)
        for run in [run for run in waiting if run.ready][: arguments.processes - len(going)]:
            waiting.remove(run)
            going[run.folder] = run.start(arguments.root / "cache")
            print(f"{time.strftime('%H:%M')}  {run.folder}  begins", flush=True)
            while going[run.folder].poll() is None and not run.has_layers:
                time.sleep(2)  # the first computes the layers of all texts; the others read them
        if not going:
            print(f"not begun, because a run they build on is missing: {[str(run.folder) for run in waiting]}")
            break
        time.sleep(2)
    sys.exit(1 if failed or waiting else 0)


if __name__ == "__main__":
    main()
