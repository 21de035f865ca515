"""Pretraining under torchrun: a process is killed, and the run ends, bit for bit, as one never stopped."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow
ALONE = ["--standalone", "--nproc-per-node", "2", "--max-restarts", "2"]
SCRIPT = Path(__file__).parents[1] / "helpers" / "torchrun_case.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torchrun")
    generator = np.random.default_rng(1)
    lines = (" ".join(f"w{n}" for n in generator.zipf(1.6, generator.integers(2, 14)) % 50) for _ in range(80))
    (folder / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def torchrun(folder: Path, output: str, *options: str, kill: list[Any] | None = None) -> subprocess.Popen[str]:
    config = {
        "train": [str(folder / "train.txt")], "output": str(folder / output), "preset": "tiny",
        "model": {"filters": [[1, 4], [2, 8]], "softmax": "full"}, "min_count": 1, "batch_tokens": 100, "epochs": 2,
        "precision": "float32", "checkpoint_minutes": 1000, "resume": True, "log_steps": 3,
    }  # fmt: skip
    case = folder / f"{output}-{len(list(folder.glob(f'{output}-*.json')))}.json"
    case.write_text(json.dumps({"config": config, "save_at": 4, "kill": kill}))
    command = [sys.executable, "-m", "torch.distributed.run", *options, str(SCRIPT), str(case)]
    # A store that torchrun shares between attempts has addresses of processes that are gone.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        said, _ = process.communicate(timeout=900)
        assert process.returncode == 0, said


def digests(folder: Path, output: str) -> list[str]:
    return [path.read_text() for path in sorted((folder / output).glob("weights-*.txt"))]


@pytest.fixture(scope="module")
def whole(folder: Path) -> list[str]:
    """Weights of a run that nothing happens to."""
    finish(torchrun(folder, "whole", *ALONE))
    return digests(folder, "whole")


def test_two_agents_start_again_together(folder: Path, whole: list[str]) -> None:
    """As on two hosts, which meet at a c10d store."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    agents = ["--nnodes", "2", "--nproc-per-node", "1", "--max-restarts", "2", "--rdzv-backend", "c10d",
              "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-id", "run"]  # fmt: skip
    mark = folder / "killed-two"
    finish(*[torchrun(folder, "agents", *agents, kill=[1, 10, str(mark)]) for _ in range(2)])
    assert mark.exists()
    assert digests(folder, "agents") == whole
