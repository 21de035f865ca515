"""Milliseconds of one update by AdamW and by Muon, by preset and threads.

    python benchmarks/optimizer_step.py [--preset mini small] [--threads 1 2] [--filters 704] [--repeats 7]

Gradients are random, so that only the optimizer is measured; the shortest of the repeats is reported, because a
shared machine only adds time. `benchmarks/pretrain_speed.py` has the time of a whole training step.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from elmokit.machine import keep_freed_memory
from elmokit.models.configuration_elmo import PRESETS, ElmoConfig
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.precision import multiplies
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.optimizers import build_optimizer, hidden_matrices


def products(model: ElmoForPreTraining, steps: int = 5) -> float:
    """Floating-point operations of the Newton-Schulz steps of one update."""
    total = 0.0
    for found in hidden_matrices(model):
        for parameter in found.parameters:
            rows, columns = parameter.shape[-2] // found.blocks, parameter.shape[-1]
            small, large = sorted((rows, columns))
            count = parameter.numel() // (rows * columns)
            total += steps * count * (4 * small**2 * large + 2 * small**3)
    return total


def least_seconds(model: ElmoForPreTraining, optimizer: str, repeats: int) -> float:
    built = build_optimizer(PretrainConfig(train=["-"], output=Path("-"), optimizer=optimizer), model)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        built.step()
        times.append(time.perf_counter() - started)
    return min(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preset", nargs="+", default=["mini"], choices=[*PRESETS])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--filters", type=int, help="filters of one width instead of the preset's")
    parser.add_argument("--vocab-size", type=int, default=30_000)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    keep_freed_memory()
    units = "bfloat16" if multiplies(torch.bfloat16, "cpu") else "float32"
    print(f"Newton-Schulz in {units}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads by default\n")
    print("| preset | threads | AdamW, ms | Muon, ms | Newton-Schulz, GFLOP | GFLOP/s |\n|---|---|---|---|---|---|")
    for preset in given.preset:
        changed = {} if given.filters is None else {"filters": [[3, given.filters]]}
        model = ElmoForPreTraining(ElmoConfig.preset(preset, vocab_size=given.vocab_size, **changed))
        work = products(model) / 1e9
        for threads in given.threads:
            torch.set_num_threads(threads)
            adamw, muon = (least_seconds(model, name, given.repeats) for name in ("adam", "muon"))
            rate = work / muon
            print(
                f"| {preset} | {threads} | {1e3 * adamw:.1f} | {1e3 * muon:.0f} | {work:.1f} | {rate:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
