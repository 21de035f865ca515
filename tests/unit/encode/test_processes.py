"""An encoder in other processes: pickled, copied, forked while a thread computes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from elmokit.encode.encoder import Encoder
from elmokit.models import ElmoConfig, ElmoModel

TEXTS = ["the boat was wet", "rain fell on the river"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(ElmoModel(ElmoConfig.preset("tiny")))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda encoder: pickle.loads(pickle.dumps(encoder))])
def test_a_copy_gives_the_same_vectors(encoder: Encoder, again: object) -> None:
    before = encoder.encode(TEXTS)
    other = again(encoder)  # type: ignore[operator]
    for one, two in zip(before, other.encode(TEXTS), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


SCRIPT = """
import multiprocessing, os, sys, torch
from elmokit.encode.encoder import Encoder
from elmokit.models import ElmoConfig, ElmoModel

TEXTS = ["the boat was wet"] * 40

def first(encoder):
    return encoder.encode(TEXTS + ["rain"])[0].sum()

def in_child():
    return first(encoder)

if __name__ == "__main__":
    torch.set_num_threads(2)
    torch.manual_seed(0)
    encoder = Encoder(ElmoModel(ElmoConfig.preset("tiny")))
    expected = first(encoder)  # the threads of the parent are there now
    if sys.argv[1] == "locked":
        encoder._backend.engine.table._lock.acquire()  # as a thread that computes while the process forks
    if sys.argv[1] == "joblib":
        from joblib import Parallel, delayed
        found = Parallel(n_jobs=2)(delayed(first)(encoder) for _ in range(2))[0]
    else:
        method = "spawn" if sys.argv[1] == "spawn" else "fork"
        with multiprocessing.get_context(method).Pool(1) as pool:
            # a pickled encoder in a new process, the inherited one in a forked one
            found = pool.apply(first, (encoder,)) if method == "spawn" else pool.apply(in_child)
    print(abs(found - expected) < 1e-3)
"""


@pytest.mark.parametrize("way", ["fork", "locked", "spawn", "joblib"])
def test_other_processes_compute(way: str, tmp_path: Path) -> None:
    file = tmp_path / "job.py"
    file.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(file), way], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "True", done.stderr[-2000:]
