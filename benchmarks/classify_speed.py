"""Training speed of the classifier in texts a second, with one ingredient switched off at a time, in one run.

    python benchmarks/classify_speed.py [--preset mini] [--texts 64] [--words 42] [--repeats 5] [--threads 1]
        [--precision float32]

Whole updates (forward, backward, clipping, AdamW) on one batch of made-up texts, as long as AG News has them: the four
ways to train, on stored layers with each mix, and with the biLM fine-tuned. The repeats of all rows are interleaved
and the median counts, because a shared machine is noisy.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import elmokit  # noqa: F401 (before torch: sets how OpenMP waits)

# isort: split
import numpy as np
import torch
from torch import Tensor, nn

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.dropout import Dropout
from elmokit.tasks.classification.config import ClassifyConfig
from elmokit.tasks.trainer import optimizer_for
from elmokit.text.char_ids import char_ids

Batch = dict[str, Tensor]


class PlainBiLSTM(nn.Module):
    """`torch.nn.LSTM` on a packed sequence, with the interface of ours."""

    def __init__(self, ours: BiLSTM, *, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        layers = len(ours.layers)
        self.lstm = nn.LSTM(input_dim, hidden_dim, layers, batch_first=True, bidirectional=True, dropout=0.3)

    def forward(self, words: Tensor, lengths: list[int]) -> tuple[Tensor, Tensor]:
        """As `BiLSTM`."""
        packed = nn.utils.rnn.pack_padded_sequence(words, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        states, (last, _) = self.lstm(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=words.shape[1])
        return padded, torch.cat([last[-2], last[-1]], dim=1)


@dataclass
class Way:
    """One row: a model and what of it is replaced."""

    task: str
    name: str
    change: Callable[[ElmoForSequenceClassification], None]
    config: ElmoConfig
    dtype: torch.dtype
    rates: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.model = ElmoForSequenceClassification(self.config)
        self.change(self.model)
        self.model.freeze_bilm(self.task != "fine-tuned")
        settings = ClassifyConfig(model="m", train=["a"], test=["b"], output=Path("o"))
        self.optimizer = optimizer_for(self.model, settings, learning_rate=1e-3)
        self.model.train()

    def measure(self, batch: Batch) -> None:
        """One update; the first is a warm-up and does not count."""
        started = time.perf_counter()
        with torch.autocast("cpu", dtype=self.dtype, enabled=self.dtype != torch.float32):
            loss = self.model(**batch).loss
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.rates.append(len(batch["labels"]) / (time.perf_counter() - started))

    @property
    def rate(self) -> float:
        return statistics.median(self.rates[1:])


def torch_dropout(model: ElmoForSequenceClassification) -> None:
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, Dropout):
                setattr(module, name, nn.Dropout(child.p))


def torch_lstm(model: ElmoForSequenceClassification) -> None:
    config = model.config
    ours: BiLSTM = model.classifier.lstm
    plain = PlainBiLSTM(ours, input_dim=config.hidden_size, hidden_dim=config.head_hidden_dim)
    model.classifier.lstm = cast(BiLSTM, plain)  # which has the interface of ours


def made_up(config: ElmoConfig, *, texts: int, words: int, task: str) -> Batch:
    """Texts of like length whose words repeat as words do (Zipf)."""
    random = np.random.default_rng(0)
    lengths = random.integers(max(1, words - 4), words + 5, texts)
    mask = torch.from_numpy((np.arange(lengths.max()) < lengths[:, None]).astype(np.int64))
    batch = {"attention_mask": mask, "labels": torch.from_numpy(random.integers(0, 4, texts))}
    if task != "fine-tuned":
        shape = (texts, config.n_layers + 1, mask.shape[1], config.hidden_size)
        return {**batch, "layers": torch.randn(shape).to(torch.float16) * mask[:, None, :, None].to(torch.float16)}
    numbers = np.minimum(random.zipf(1.3, mask.shape), 30_000)
    table = {
        number: "".join(random.choice(list("etaoins"), 1 + number % 11)) + str(number) for number in set(numbers.flat)
    }
    chars = [char_ids([table[number] for number in row], max_characters=50) for row in numbers]
    return {**batch, "char_ids": torch.from_numpy(np.stack(chars).astype(np.int64)) * mask.unsqueeze(2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--words", type=int, default=42)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{'':<12}{'':<18}{'texts/s':>8}  × ours  spread")
    for task in ("trainable", "frozen", "function", "fine-tuned"):
        combine = "trainable" if task == "fine-tuned" else task
        config = ElmoConfig.preset(arguments.preset, combine=combine, num_labels=4)
        batch = made_up(config, texts=arguments.texts, words=arguments.words, task=task)
        ways = [
            Way(task, name, change, config, getattr(torch, arguments.precision))
            for name, change in {"ours": lambda _: None, "nn.Dropout": torch_dropout, "nn.LSTM": torch_lstm}.items()
        ]
        for _ in range(arguments.repeats + 1):
            for way in ways:
                way.measure(batch)
        for way in ways:
            low, high = min(way.rates[1:]), max(way.rates[1:])
            print(f"{task:<12}{way.name:<18}{way.rate:>8,.0f}{way.rate / ways[0].rate:>8.2f}  {low:,.0f}–{high:,.0f}")


if __name__ == "__main__":
    main()
