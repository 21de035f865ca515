"""Whether a card computes what the CPU computes, and how many words a second each embeds, in one run.

    python benchmarks/gpu.py [--model FOLDER] [--device cuda] [--words 200000] [--output FILE.json]

Checked in float32, the largest difference beside its bound: word and sentence vectors of several layers, short, long
and empty texts, carried states, the surprisal of words, and a classifier whose biLM is fine-tuned on generated
sentences: its first gradients, its losses, its logits in the end. Then the words per second of `Encoder.encode`, top
layer, on generated text, on both devices. Without a card it says so and ends with 0; a difference above its bound
ends it with 1. `--device cpu` compares the CPU with itself: a trial of the script.
"""

# ruff: noqa: E402 (a checkout that is not installed is put on the path before its modules are imported)
from __future__ import annotations

import argparse
import copy
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if find_spec("elmokit") is None:  # not installed: the checkout itself
    sys.path.insert(0, str(ROOT / "src"))

import elmokit  # noqa: F401 (before torch: sets how OpenMP waits)

# isort: split
import numpy as np
import torch
import transformers
from torch import Tensor

from elmokit import ElmoForSequenceClassification, Encoder
from elmokit.demo.synthetic import generate
from elmokit.machine import processor_name
from elmokit.models.loading import word_rows_of
from elmokit.models.quiet import quiet_transformers
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.nn.native.library import status

BOUND = 1e-5
"""Largest difference of a vector, or of a surprisal or a loss relative to its size (to 1 where it is smaller)."""
TRAINED_BOUND = 1e-4
"""The same after updates by Adam, which divides by the size of a gradient and enlarges what differs in small ones."""
LONG_BOUND = 1e-4
"""The same after a recurrence of 12,000 steps, along which rounding adds up."""
UPDATES, ROWS = 10, 32
SECONDS = 4.0
"""Spent at least on each row of the table of rates."""


@dataclass
class Check:
    """A comparison: what, the largest difference, its bound."""

    what: str
    difference: float
    bound: float

    @property
    def holds(self) -> bool:
        """False for NaN, too."""
        return self.difference <= self.bound


@dataclass
class Rate:
    """Words per second of a way to embed."""

    device: str
    dtype: str
    batch_size: int
    memory: str
    words_per_second: float


@dataclass
class Report:
    """All that is printed."""

    facts: dict[str, Any] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)

    def check(self, what: str, one: Any, other: Any, *, bound: float = BOUND) -> None:
        """Compare arrays, or lists of arrays, of two devices."""
        pairs = zip(one, other, strict=True) if isinstance(one, list | tuple) else [(one, other)]
        found = Check(what, max(apart(np.asarray(left), np.asarray(right)) for left, right in pairs), bound)
        self.checks.append(found)
        print(f"{what:<64}{found.difference:>12.1e}{bound:>10.0e}{'' if found.holds else '  TOO FAR'}", flush=True)


def apart(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """The largest difference, relative to the size of a number where that is above 1; infinite for other shapes."""
    if left.shape != right.shape:
        return float("inf")
    difference = np.abs(left.astype(np.float64) - right) / np.maximum(1.0, np.abs(right))
    return float(difference.max()) if difference.size else 0.0


def spelled(number: int) -> str:
    """A word of its own for every number."""
    word = ""
    while number or not word:
        number, place = divmod(number, 20)
        word += "bcdfghjklmnprstvwxyz"[place] + "aeiou"[place % 5]
    return word


def text(words: int, seed: int = 1) -> list[list[str]]:
    """Sentences of made-up words by Zipf's law, 3 to 60 words each (23 on average), `words` or a few more in all."""
    rng = np.random.default_rng(seed)
    sentences: list[list[str]] = []
    while words > 0:
        length = int(np.clip(rng.lognormal(3.0, 0.5), 3, 60))
        sentences.append([spelled(int(number) % 10**7) for number in rng.zipf(1.35, length)])
        words -= length
    return sentences


def compare_vectors(report: Report, cpu: Encoder, card: Encoder) -> None:
    """`encode` in several layers and levels, `score`, a carried state."""
    split = text(6000)
    texts = [example.text for example in generate(200, 1)]
    texts += ["", "One.", "Ærøskøbing naïve 北京 🙂 " * 5, "supercalifragilisticexpialidocious" * 3]
    long = [[word for words in text(12_000, seed=2) for word in words]]

    def both(what: str, run: Callable[[Encoder], Any], *, bound: float = BOUND) -> None:
        report.check(what, run(cpu), run(card), bound=bound)

    def encoded(what: str, sentences: list[Any], *, bound: float = BOUND, **options: Any) -> None:
        both(f"encode, {what}", lambda encoder: encoder.encode(sentences, **options), bound=bound)

    for layers in ("all", "top", "average", "concat", [0, 2]):
        encoded(f"words, layers={layers!r}", texts, layers=layers)
    encoded("6,000 made-up words, batches of 7", split, batch_size=7, is_split_into_words=True)
    encoded("one text of 12,000 words", long, bound=LONG_BOUND, is_split_into_words=True)
    encoded("words at given positions", split[:9], positions=[[0, -1]] * 9, is_split_into_words=True)
    for pooling in ("mean", "max", "mean+max", None):
        encoded(f"sentences, pooling={pooling!r}", texts, level="sentence", pooling=pooling)
    whole: dict[str, Any] = {"level": "sentence", "convert_to_tensor": True, "normalize_embeddings": True}
    both("encode, convert_to_tensor", lambda encoder: encoder.encode(texts, **whole).cpu().numpy())
    both("score, bits of each word", lambda encoder: [np.stack([s.forward, s.backward]) for s in encoder.score(texts)])
    both("substitutes", lambda encoder: [s.score for s in encoder.substitutes(["He", "sat", "down", "."], 1, k=20)])


def compare_carried(report: Report, model: str, device: str) -> None:
    """Three calls in which each sentence starts where the one before it ended."""
    found = []
    for place in ("cpu", device):
        encoder = Encoder.from_pretrained(model, backend="torch", device=place, state="carry")
        parts = [text(300, seed=number)[:8] for number in range(3)]
        found.append([array for part in parts for array in encoder.encode(part, is_split_into_words=True)])
    report.check("encode, state='carry', three calls", *found)


@dataclass
class Trained:
    """What a short training leaves on the CPU."""

    gradients: list[np.ndarray[Any, Any]]
    losses: list[float]
    logits: np.ndarray[Any, Any]


def trained(model: ElmoForSequenceClassification, batches: Sequence[dict[str, Tensor]], device: str) -> Trained:
    """A copy of `model` after an update by AdamW per batch on `device`, the biLM fine-tuned."""
    model = copy.deepcopy(model).to(torch.device(device)).train()  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    gradients: list[np.ndarray[Any, Any]] = []
    losses = []
    for batch in batches:
        loss = model(**{name: tensor.to(device) for name, tensor in batch.items()}).loss
        loss.backward()
        if not gradients:
            largest = max(float(each.grad.abs().max()) for each in model.parameters() if each.grad is not None)
            gradients = [(p.grad / largest).cpu().numpy() for p in model.parameters() if p.grad is not None]
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    model.train(False)
    with torch.inference_mode():
        logits = model(**{name: tensor.to(device) for name, tensor in batches[0].items()}).logits
    return Trained(gradients, losses, logits.float().cpu().numpy())


def compare_training(report: Report, model: str, device: str) -> None:
    """A text classifier of four topics, without dropout, which draws other numbers on another device."""
    examples = generate(UPDATES * ROWS, 3)
    topics = sorted({example.topic for example in examples})
    torch.manual_seed(1)
    with quiet_transformers():
        start = ElmoForSequenceClassification.from_pretrained(
            model, num_labels=len(topics), dropout=0.0, head_dropout=0.0, mix_dropout=0.0
        )
    tokenizer = ElmoTokenizer(word_rows=word_rows_of(model))
    batches = []
    for begin in range(0, len(examples), ROWS):
        rows = examples[begin : begin + ROWS]
        batch = dict(tokenizer([row.text for row in rows], padding=True, return_tensors="pt"))
        batches.append({**batch, "labels": torch.tensor([topics.index(row.topic) for row in rows])})
    on_cpu, on_card = trained(start, batches, "cpu"), trained(start, batches, device)
    report.facts["training"] = {"losses_cpu": on_cpu.losses, "losses_device": on_card.losses}
    report.check("training, gradients of the first update / the largest", on_cpu.gradients, on_card.gradients)
    report.check("training, loss of the first update", on_cpu.losses[:1], on_card.losses[:1])
    report.check(f"training, losses of {UPDATES} updates", on_cpu.losses, on_card.losses, bound=TRAINED_BOUND)
    report.check("training, logits after them", on_cpu.logits, on_card.logits, bound=TRAINED_BOUND)


def rate(model: str, sentences: list[list[str]], way: Rate) -> Rate:
    """`way` with its rate: the best pass, each without vectors of words from before, until `SECONDS` are over."""
    encoder = Encoder.from_pretrained(
        model, backend="torch", device=way.device, dtype=way.dtype, memory=way.memory or None
    )
    if way.device == "cpu":
        sentences = sentences[: max(1, len(sentences) // 16)]
    words = sum(map(len, sentences))
    encoder.encode(sentences[:500], layers="top", batch_size=way.batch_size, is_split_into_words=True)  # warms up
    began = time.perf_counter()
    while (now := time.perf_counter()) < began + SECONDS or not way.words_per_second:
        encoder.clear_cache()
        encoder.encode(sentences, layers="top", batch_size=way.batch_size, is_split_into_words=True)
        way.words_per_second = max(way.words_per_second, words / (time.perf_counter() - now))
    print(
        f"{way.device:<10}{way.dtype:<10}{way.batch_size:>12,}{way.memory or 'default':>12}"
        f"{way.words_per_second:>12,.0f}",
        flush=True,
    )
    del encoder
    gc.collect()
    return way


def circumstances(device: str) -> dict[str, Any]:
    """Versions, processor, card, and what decides how floats are multiplied."""
    facts: dict[str, Any] = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "numpy": np.__version__,
        "python": sys.version.split()[0],
        "processor": processor_name(),
        "threads": torch.get_num_threads(),
        "kernels": status(),
        "tf32": torch.backends.cuda.matmul.allow_tf32,
    }
    if device.startswith("cuda"):
        facts["card"] = torch.cuda.get_device_name(torch.device(device))
    return facts


def main() -> int:
    """Compare, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default=str(ROOT / "src/elmokit/pretrained/elmo-mini"))
    parser.add_argument("--device", default="cuda", help="what is compared with the CPU")
    parser.add_argument("--words", type=int, default=200_000, help="of the text embedded; a sixteenth on the CPU")
    parser.add_argument("--output", type=Path, help="JSON file for facts, differences and rates")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        print(f"No card: torch {torch.__version__} finds no CUDA device here. Nothing was compared or measured.")
        return 0
    began = time.perf_counter()
    report = Report(circumstances(given.device))
    print("\n".join(f"{name:<13}{value}" for name, value in report.facts.items()))
    print(f"\n{'largest difference to the CPU, float32':<64}{'found':>12}{'bound':>10}")
    cpu, card = (Encoder.from_pretrained(given.model, backend="torch", device=at) for at in ("cpu", given.device))
    compare_vectors(report, cpu, card)
    compare_carried(report, given.model, given.device)
    compare_training(report, given.model, given.device)
    print(f"\n{'device':<10}{'dtype':<10}{'batch_size':>12}{'memory':>12}{'words/s':>12}")
    sentences = text(given.words)
    for way in (
        Rate("cpu", "float32", 256, "", 0.0),
        Rate(given.device, "float32", 256, "", 0.0),
        Rate(given.device, "float32", 4096, "4GB", 0.0),
        Rate(given.device, "bfloat16", 4096, "4GB", 0.0),
    ):
        report.rates.append(rate(given.model, sentences, way))
    report.facts["seconds"] = round(time.perf_counter() - began, 1)
    if given.output is not None:
        given.output.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    failed = [check.what for check in report.checks if not check.holds]
    print(f"\n{len(report.checks) - len(failed)} of {len(report.checks)} comparisons hold; {report.facts['seconds']} s")
    if failed:
        print(f"too far from the CPU: {'; '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
