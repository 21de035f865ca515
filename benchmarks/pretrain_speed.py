"""Training speed of the biLM in tokens a second, against a plain implementation of the same shape, in one run.

    python benchmarks/pretrain_speed.py [--preset mini] [--tokens 6144] [--repeats 3] [--threads 2] [--output F.json]

The plain implementation is what one would write first: the char CNN on all 50 characters of every position of a padded
batch, `torch.nn.LSTM(proj_size=…)` a direction, a full softmax, float32; the same sentences, the same optimiser. Both
make whole updates (forward, backward, clipping, Adam). Every row below ours switches one ingredient off.

The repeats of all rows are interleaved and the median counts, because a shared machine is noisy. The text is AG News
when ELMOKIT_DATA names the folder of the data sets, else the synthetic corpus.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import elmokit.nn.lstm as lstm
from elmokit.demo.synthetic import generate
from elmokit.machine import keep_freed_memory, processor_name
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.char_cnn import CharCNN
from elmokit.nn.native import library
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.stream import PackedBatch, SentenceBatches, pack_sentences


class PlainBiLM(nn.Module):
    """The same network without any of our ingredients. Clips, which nn.LSTM lacks, are left out."""

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__()
        size = config.projection_dim
        self.embedding = nn.Embedding(config.n_characters, config.char_embedding_dim, padding_idx=0)
        filters = config.filters or []
        self.convolutions = nn.ModuleList(nn.Conv1d(config.char_embedding_dim, n, width) for width, n in filters)
        total = sum(n for _, n in filters)
        self.highways = nn.ModuleList(nn.Linear(total, 2 * total) for _ in range(config.n_highway))
        self.projection = nn.Linear(total, size)
        self.layers = nn.ModuleList(
            nn.ModuleList(nn.LSTM(size, config.cell_dim, proj_size=size, batch_first=True) for _ in range(2))
            for _ in range(config.n_layers)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.softmax = nn.Linear(size, config.vocab_size)

    def tokens(self, chars: Tensor) -> Tensor:
        """(N, 50) to (N, P)."""
        x = self.embedding(chars.long()).transpose(1, 2)
        x = functional.relu(torch.cat([convolution(x).amax(dim=2) for convolution in self.convolutions], dim=1))
        for highway in self.highways:
            transform, gate = highway(x).chunk(2, dim=1)
            x = torch.lerp(x, functional.relu(transform), torch.sigmoid(gate))
        return self.projection(x)  # type: ignore[no-any-return]

    def forward(self, chars: Tensor, targets: Tensor) -> Tensor:
        """chars (2, B, T, 50), each direction in its own reading order, and targets (2, B, T), -100 in the padding."""
        words = self.tokens(chars.flatten(0, 2)).view(*chars.shape[:3], -1)  # (2, B, T, P)
        hidden = []
        for direction in range(2):
            x = words[direction]
            for number, layer in enumerate(self.layers):
                y, _ = layer[direction](self.dropout(x))  # type: ignore[index]
                x = y + x if number else y
            hidden.append(self.dropout(x))
        logits = self.softmax(torch.stack(hidden)).flatten(0, 2)
        return functional.cross_entropy(logits, targets.flatten())


@dataclass(frozen=True)
class Batch:
    """The same sentences packed, and padded."""

    packed: PackedBatch
    chars: Tensor  # (2, B, T, 50)
    targets: Tensor  # (2, B, T)


def make_batches(corpus: Corpus, count: int, tokens: int) -> list[Batch]:
    """Batches of like length out of the middle of a shuffled epoch."""
    order = SentenceBatches(corpus, corpus.train, tokens=tokens, seed=1)
    plan = order._plan(0)
    chosen = [plan[len(plan) * (2 * i + 1) // (2 * count)] for i in range(count)]
    batches = []
    for ids in chosen:
        sentences = [torch.from_numpy(corpus.train[int(i)].astype("int64")) for i in ids]
        packed = pack_sentences(corpus, [corpus.train[int(i)] for i in ids])
        longest = max(len(s) for s in sentences) + 1
        words = torch.ones(2, len(ids), longest, dtype=torch.long)
        targets = torch.full((2, len(ids), longest), -100)
        for row, sentence in enumerate(sentences):
            marked = torch.cat([torch.tensor([0]), sentence, torch.tensor([1])])
            for direction, read in enumerate((marked, marked.flip(0))):
                words[direction, row, : len(read) - 1] = read[:-1]
                targets[direction, row, : len(read) - 1] = torch.where(read[1:] < len(corpus.vocab), read[1:], 2)
        chars = torch.from_numpy(corpus.inputs[words.numpy().ravel()]).view(2, len(ids), longest, -1)
        batches.append(Batch(packed, chars, targets))
    return batches


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def nothing_changed() -> Iterator[None]:
    yield


def without_kernels() -> AbstractContextManager[None]:
    return replaced(library, "_found", lambda: (None, "PyTorch"))


def one_after_the_other(work: Callable[[int], Any], directions: int, device: torch.device) -> list[Any]:
    return [work(direction) for direction in range(directions)]


def pooled_whole(self: CharCNN, chars: Tensor) -> Tensor:
    return self._pooled(chars, self._kernel(self._filters), longest=chars.shape[1])  # all 50 columns for every word


@dataclass
class Way:
    """One row of the table: a model, how a batch goes through it, and what is changed meanwhile."""

    name: str
    model: nn.Module
    loss: Callable[[nn.Module, Batch], Tensor]
    dtype: torch.dtype
    change: Callable[[], Any] = nothing_changed

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, fused=True)
        self.rates: list[float] = []

    def measure(self, batches: list[Batch]) -> None:
        """Tokens a second of one pass over the batches; a token counts once, though both directions predict it."""
        with self.change():
            started = time.perf_counter()
            for batch in batches:
                with torch.autocast("cpu", dtype=self.dtype, enabled=self.dtype != torch.float32):
                    loss = self.loss(self.model, batch)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
                self.optimizer.zero_grad()
            seconds = time.perf_counter() - started
        self.rates.append(sum(batch.packed.predictions for batch in batches) / seconds)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def packed_loss(model: nn.Module, batch: Batch) -> Tensor:
    packed = batch.packed
    return model(packed.chars, packed.index, packed.targets, packed.batch_sizes).loss  # type: ignore[no-any-return]


def every_position_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The char CNN on every position instead of every distinct word."""
    packed = batch.packed
    index = torch.arange(packed.index.numel()).view_as(packed.index)
    chars = packed.chars[packed.index.flatten()]
    return model(chars, index, packed.targets, packed.batch_sizes).loss  # type: ignore[no-any-return]


def padded_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Every sentence as long as the longest: what packing saves."""
    packed, (rows, longest) = batch.packed, batch.targets.shape[1:]
    starts = torch.tensor([0, *packed.batch_sizes]).cumsum(0)
    index = torch.zeros(2, longest, rows, dtype=torch.long)
    targets = torch.full((2, longest, rows), 2)
    for step, size in enumerate(packed.batch_sizes):
        place = slice(int(starts[step]), int(starts[step]) + size)
        index[:, step, :size], targets[:, step, :size] = packed.index[:, place], packed.targets[:, place]
    return model(packed.chars, index.flatten(1), targets.flatten(1), [rows] * longest).loss  # type: ignore[no-any-return]


def plain_loss(model: nn.Module, batch: Batch) -> Tensor:
    return model(batch.chars, batch.targets)  # type: ignore[no-any-return]


def ways(config: ElmoConfig) -> list[Way]:
    def ours(**changes: Any) -> ElmoForPreTraining:
        torch.manual_seed(1)
        values = {k: v for k, v in config.to_dict().items() if k in ElmoConfig.__dataclass_fields__}
        return ElmoForPreTraining(ElmoConfig.checked({**values, **changes})).train()

    torch.manual_seed(1)
    best, other = sorted((torch.float32, torch.bfloat16), key=lambda dtype: -gemm_rate(dtype))  # as precision=auto does
    return [
        Way("elmokit", ours(), packed_loss, best),
        Way(f"in {str(other).removeprefix('torch.')}", ours(), packed_loss, other),
        Way("without compiled kernels", ours(), packed_loss, best, without_kernels),
        Way("without a thread per direction", ours(), packed_loss,
            best, lambda: replaced(lstm, "each_direction", one_after_the_other)),
        Way("without distinct words", ours(), every_position_loss, best),
        Way("without grouping words by length", ours(), packed_loss,
            best, lambda: replaced(CharCNN, "_pooled_by_length", pooled_whole)),
        Way("without packing", ours(), padded_loss, best),
        Way("without adaptive softmax (full)", ours(softmax="full"), packed_loss, best),
        Way("plain implementation", PlainBiLM(config).train(), plain_loss, torch.float32),
    ]  # fmt: skip


def multiplications(model: ElmoForPreTraining, batch: PackedBatch) -> float:
    """Floating-point operations of the products in one update of ours (forward, and twice that backward)."""
    config, words, rows = model.config, len(batch.chars), batch.index.numel()
    filters = config.filters or []
    total = sum(n for _, n in filters)
    lengths = (batch.chars != 261).sum(dim=1).float().mean().item() + max(width for width, _ in filters)
    cnn = words * (sum(lengths * width * config.char_embedding_dim * n for width, n in filters))
    cnn += words * (config.n_highway * 2 * total * total + total * config.projection_dim)
    inner = 4 * config.cell_dim * 2 * config.projection_dim + config.cell_dim * config.projection_dim
    return 3 * 2 * (cnn + rows * config.n_layers * inner)  # the head left out: it depends on the words


def gemm_rate(dtype: torch.dtype) -> float:
    """Best rate of a square product within half a second, in operations a second."""
    a, b = torch.randn(1024, 1024).to(dtype), torch.randn(1024, 1024).to(dtype)
    best, began = 0.0, time.perf_counter()
    while best == 0.0 or time.perf_counter() - began < 0.5:
        started = time.perf_counter()
        torch.mm(a, b)
        best = max(best, 2 * 1024**3 / (time.perf_counter() - started))
    return best


def write_text(folder: Path, sentences: int) -> tuple[Path, str]:
    """Training text and its name."""
    file, data = folder / "text.txt", os.environ.get("ELMOKIT_DATA")
    source = None if data is None else Path(data) / "ag_news" / "train.csv.gz"
    if source is None or not source.is_file():
        lines = [example.text for example in generate(sentences, 0)]
        name = "synthetic corpus"
    else:
        with gzip.open(source, "rt", encoding="utf-8", newline="") as packed:
            lines = [" ".join(row[1:]) for row, _ in zip(csv.reader(packed), range(sentences), strict=False)]
        name = "AG News"
    file.write_text("".join(f"{' '.join(line.split())}\n" for line in lines), encoding="utf-8")
    return file, name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--sentences", type=int, default=20_000)
    parser.add_argument("--tokens", type=int, default=6144, help="predictions per batch")
    parser.add_argument("--batches", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--min-count", type=int, default=3)
    parser.add_argument("--rows", default=None, help="only rows whose name holds this")
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as scratch:
        file, name = write_text(Path(scratch), options.sentences)
        corpus = build_corpus([file], None, Path(scratch) / "corpus", min_count=options.min_count)
        batches = make_batches(corpus, options.batches, options.tokens)
    config = ElmoConfig.preset(options.preset, vocab_size=len(corpus.vocab))
    rows = [way for way in ways(config) if options.rows is None or options.rows in way.name]
    for way in rows:
        way.measure(batches[:1])  # warm-up, not counted
        way.rates.clear()
    ceilings: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for _ in range(options.repeats):
        for way in rows:
            way.measure(batches)
        for kind, found in ceilings.items():
            found.append(gemm_rate(getattr(torch, kind)))
    report(rows, batches, name, len(corpus.vocab), {kind: max(found) for kind, found in ceilings.items()}, options)


def report(
    rows: list[Way], batches: list[Batch], name: str, vocabulary: int, ceilings: dict[str, float],
    options: argparse.Namespace,
) -> None:  # fmt: skip
    plain = next((way.rate for way in rows if way.name.startswith("plain")), None)
    tokens = sum(batch.packed.predictions for batch in batches)
    print(f"{options.preset}, {name}, vocabulary {vocabulary:,}, {tokens:,} tokens in {len(batches)} batches,")
    print(f"{torch.get_num_threads()} threads, median of {options.repeats} interleaved repeats")
    print(f"{processor_name()}; kernels: {library.status()}")
    print(f"{'':<36}{'tokens/s':>10}{'× plain':>9}{'spread':>14}")
    for way in rows:
        ratio = f"{way.rate / plain:>9.2f}" if plain else ""
        print(f"{way.name:<36}{way.rate:>10,.0f}{ratio}{f'{min(way.rates):,.0f}–{max(way.rates):,.0f}':>14}")
    reached = None
    first = rows[0]
    if isinstance(first.model, ElmoForPreTraining):
        work = sum(multiplications(first.model, batch.packed) for batch in batches) / tokens * first.rate
        kind = str(first.dtype).removeprefix("torch.")
        reached = work / ceilings[kind]
        speeds = ", ".join(f"{kind} {rate / 1e9:,.0f} GFLOP/s" for kind, rate in ceilings.items())
        print(f"GEMM ceiling (1024³): {speeds}")
        print(f"{first.name}: {work / 1e9:,.1f} GFLOP/s, the softmax not counted: {reached:.1%} of the {kind} ceiling")
    if options.output:
        found = {
            "preset": options.preset, "text": name, "vocabulary": vocabulary, "threads": torch.get_num_threads(),
            "tokens_per_second": {way.name: way.rates for way in rows}, "gemm": ceilings, "share_of_gemm": reached,
            "torch": torch.__version__, "processor": processor_name(), "kernels": library.status(),
        }  # fmt: skip
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
