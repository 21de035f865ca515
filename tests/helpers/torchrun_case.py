"""One process of a pretraining run under torchrun: `torchrun … torchrun_case.py case.json`.

A case is {config, save_at, kill: null or [process, step, mark]}: that process kills itself in that step, once; the
file `mark` says that it did. At the end each process writes a digest of its weights into the run folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.loop import TrainingStep
from helpers.pretrain_cases import run


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        case = json.load(file)

    def killed(done: TrainingStep) -> None:
        if case["kill"]:
            process, number, mark = case["kill"]
            if done.process == process and done.step == number and not os.path.exists(mark):
                open(mark, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)

    run(PretrainConfig(**case["config"]), save_at=case["save_at"], on_step=killed)


if __name__ == "__main__":
    main()
