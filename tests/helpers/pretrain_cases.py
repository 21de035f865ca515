"""Runs pretraining in processes of its own, some of which kill themselves: `python pretrain_cases.py cases.json`.

The libraries are loaded once; every process of every case is a fork. A case is
    config     settings of the run
    kill       null, or "step N", "flush N" or "save N": the N-th update or call kills the process
    save_at    a checkpoint after every step that this number divides, or null
    processes  how many, joined by gloo

After a run each process writes a digest of its weights to ``weights-<process>.txt`` in the run folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, Literal

import torch

from elmokit.pretrain import checkpoint
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.loop import TrainingStep, pretrain


def killing(work: Callable[..., Any], calls: int) -> Callable[..., Any]:
    """`work` whose N-th call is a kill -9."""
    made = 0

    def instead(*args: Any, **keywords: Any) -> Any:
        nonlocal made
        made += 1
        if made == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(*args, **keywords)

    return instead


def run(
    config: PretrainConfig, *, save_at: int | None, on_step: Callable[[TrainingStep], None] = lambda done: None
) -> None:
    """A run that saves after every step that `save_at` divides and leaves a digest of each process's weights."""
    last: list[TrainingStep] = []

    def watch(done: TrainingStep) -> Literal["save"] | None:
        last[:] = [done]
        on_step(done)
        return "save" if save_at and done.step % save_at == 0 else None

    pretrain(config, show_progress=False, on_step=watch)
    for done in last:
        digest = hashlib.sha256()
        for parameter in done.model.parameters():
            digest.update(parameter.detach().numpy().tobytes())
        (config.output / f"weights-{done.process}.txt").write_text(digest.hexdigest(), encoding="utf-8")


def run_case(case: dict[str, Any]) -> None:
    """The run of a case; what kills it is put in its place first."""
    place, number = case["kill"].split() if case["kill"] else ("", "0")
    if place == "flush":
        checkpoint._flush = killing(checkpoint._flush, int(number))
    elif place == "save":
        torch.save = killing(torch.save, int(number))

    def killed(done: TrainingStep) -> None:
        if place == "step" and done.step == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    run(PretrainConfig(**case["config"]), save_at=case["save_at"], on_step=killed)


def start(case: dict[str, Any], rank: int, port: int) -> int:
    """Fork one process of a case; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    if case["processes"] > 1:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(case["processes"])}
        os.environ |= {"LOCAL_WORLD_SIZE": str(case["processes"]), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    code = 1
    try:
        run_case(case)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        started = [start(case, rank, port) for rank in range(case["processes"])]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
        expected = -signal.SIGKILL if case["kill"] else 0
        if set(codes) != {expected}:
            sys.exit(f"{case}: exit codes {codes}, expected {expected}")


if __name__ == "__main__":
    main()
