"""Runs pretraining in processes of its own, some of which kill themselves: `python pretrain_cases.py cases.json`.

The libraries are loaded once; every process of every case is a fork. A case is
    config     settings of the run
    kill       null, or "step N", "flush N" or "save N": the N-th call kills the process
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
from typing import Any

import torch

from elmokit.pretrain import checkpoint, loop
from elmokit.pretrain.config import PretrainConfig


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


def run(case: dict[str, Any]) -> None:
    if case["kill"]:
        place, number = case["kill"].split()
        if place == "step":
            loop._Run._step = killing(loop._Run._step, int(number))  # type: ignore[method-assign]
        elif place == "flush":
            checkpoint._flush = killing(checkpoint._flush, int(number))
        else:
            torch.save = killing(torch.save, int(number))
    if case["save_at"]:
        loop._Run._agree = lambda self, due: (self.progress.step % case["save_at"] == 0, False)  # type: ignore[method-assign]
    loop._Run.train = leaving_digest(loop._Run.train)  # type: ignore[method-assign]
    loop.pretrain(PretrainConfig(**case["config"]), show_progress=False)


def leaving_digest(train: Callable[..., Any]) -> Callable[..., Any]:
    """`train` that writes down what the weights of this process are at the end."""

    def instead(self: Any, **keywords: Any) -> Any:
        result = train(self, **keywords)
        digest = hashlib.sha256()
        for parameter in self.bare_model.parameters():
            digest.update(parameter.detach().numpy().tobytes())
        file = self.config.output / f"weights-{self.accelerator.process_index}.txt"
        file.write_text(digest.hexdigest(), encoding="utf-8")
        return result

    return instead


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
        run(case)
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
