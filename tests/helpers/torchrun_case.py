"""One process of a pretraining run under torchrun: `torchrun … torchrun_case.py case.json`.

A case is {config, save_at, kill: null or [process, step, mark]}: that process kills itself before that step, once; the
file `mark` says that it did. At the end each process writes a digest of its weights into the run folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from elmokit.pretrain import loop
from elmokit.pretrain.config import PretrainConfig
from helpers.pretrain_cases import leaving_digest


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        case = json.load(file)
    step = loop._Run._step

    def killed(self: Any, *args: Any) -> Any:
        if case["kill"]:
            process, number, mark = case["kill"]
            me = int(os.environ["RANK"]) == process
            if me and self.progress.step == number and not os.path.exists(mark):
                open(mark, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
        return step(self, *args)

    loop._Run._step = killed  # type: ignore[assignment, method-assign]
    loop._Run._agree = lambda self, due: (due or self.progress.step % case["save_at"] == 0, False)  # type: ignore[method-assign]
    loop._Run.train = leaving_digest(loop._Run.train)  # type: ignore[method-assign]
    loop.pretrain(PretrainConfig(**case["config"]), show_progress=False)


if __name__ == "__main__":
    main()
