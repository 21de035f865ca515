"""A small softmax for a finished biLM: an adaptive head fitted afterwards to what the large head predicts.

Training is better with a large head, whose words reach the LSTM through vectors of full width; a model that is passed
on is mostly head then. So the biLM is frozen and a smaller head learns the large one's distribution over its top layer
(Hinton et al. 2015), or the words of the text. It begins with the closest products of its rank.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional

from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import load, word_rows_of
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.cross_entropy import rows_at_once
from elmokit.nn.precision import faster_precision
from elmokit.nn.softmax import SoftmaxHead
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.journal import write_json
from elmokit.pretrain.perplexity import Perplexity, evaluate_batches
from elmokit.pretrain.schedule import learning_rate_factor
from elmokit.pretrain.setup import load_vocabulary, save_model
from elmokit.pretrain.stream import SentenceBatches
from elmokit.progress import rate_bar
from elmokit.settings import Settings
from elmokit.whole_files import JsonObject

FIGURES_FILE = "head_fitting.json"
_CHUNK = 1 << 16  # rows of the top layer held and shuffled together: 64 MB of 256 numbers
_START_ROWS = 1 << 14  # rows that the first guess is made on
_BATCH_TOKENS = 4096


class FitHeadConfig(Settings):
    """Settings of `recipes/fit_head.py`."""

    model: str
    """Folder of a model that `elmo pretrain` made, with its head."""
    train: Annotated[list[str], Field(min_length=1)]
    """Text for the top layers that the head learns on: files or globs, as in `elmo pretrain`."""
    valid: str
    """Held-out text, by which both heads are compared."""
    output: Path
    """Folder that gets the model with the small head; it appears when it is complete."""
    column: str | None = None
    cutoffs: Annotated[list[PositiveInt], Field(min_length=1)] = Field(default=[2000, 10_000])
    div_value: Annotated[float, Field(ge=1)] = 4.0
    """Each cluster's vectors are smaller by this factor than those of the one before."""
    objective: Literal["distribution", "text"] = "distribution"
    """What the head learns: the large head's distribution over all words, or the next word of the text (faster)."""
    train_words: PositiveInt = 1_000_000
    """Words read in all; a shorter text is read again."""
    batch_rows: PositiveInt = 2048
    """Rows of the top layer in an update; a word is one row in each direction."""
    learning_rate: PositiveFloat = 1e-3
    """Of AdamW, after a warm-up of a twentieth; it falls in a line to zero."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: Annotated[int, Field(ge=0)] = 13
    threads: PositiveInt | None = None


@dataclass(frozen=True)
class HeadFit:
    """Held-out perplexities with the large head, with the small one as it began and as it ended, and their sizes."""

    large: Perplexity
    start: Perplexity
    small: Perplexity
    large_parameters: int
    small_parameters: int

    @property
    def loss(self) -> float:
        """The small head's perplexity over the large one's: 1.02 is 2 % more."""
        return self.small.mean / self.large.mean

    def as_dict(self) -> JsonObject:
        return {**asdict(self), "loss": self.loss}


def fit_head(config: FitHeadConfig, *, show_progress: bool = True) -> HeadFit:
    """Fit the head and write the model with it; the figures are next to it in ``head_fitting.json``.

    Raises:
        ConfigError: Cutoffs that do not fit the vocabulary, or an output folder in use.
        ModelError: No model with a language-model head.
        DataError: Unusable text, or a disk that refuses.
    """
    if config.output.exists() and (not config.output.is_dir() or any(config.output.iterdir())):
        raise ConfigError(f"--output {config.output} is in use; name a folder that is empty or not there")
    vocabulary = load_vocabulary(config.model)
    large = load(ElmoForPreTraining, config.model)
    small = _with_small_head(large, config)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    with tempfile.TemporaryDirectory(prefix="elmokit-") as scratch:
        corpus = build_corpus(
            config.train,
            config.valid,
            Path(scratch) / "corpus",
            column=config.column,
            pre_split=large.config.pre_split,
            normalize=large.config.text_steps or [],
            max_words=200,
            max_characters=large.config.max_characters_per_token,
            from_vocab=vocabulary,
        )
        if len(corpus.valid) == 0 or len(corpus.train) == 0:
            raise DataError("no words in the text: expected some in --train and in --valid")
        rows = word_rows_of(config.model)
        start = _fit(large, small, corpus.read_by(rows), config, show_progress=show_progress)
        found = HeadFit(
            large=_held_out(large, corpus.read_by(rows)),
            start=start,
            small=_held_out(small, corpus.read_by(rows)),
            large_parameters=_size(large.head),
            small_parameters=_size(small.head),
        )
        partial = config.output.with_name(f".{config.output.name}.partial")
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            save_model(small, corpus, rows, partial)
            write_json(partial / FIGURES_FILE, {**found.as_dict(), "settings": config.model_dump(mode="json")})
            partial.replace(config.output)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise DataError(f"cannot write {config.output}: {error.strerror or error}") from error
    return found


def _with_small_head(large: ElmoForPreTraining, config: FitHeadConfig) -> ElmoForPreTraining:
    """A model of the same biLM, the very same parameters, under a new head."""
    values = {name: value for name, value in large.config.to_dict().items() if name in ElmoConfig.__dataclass_fields__}
    head = {"softmax": "adaptive", "adaptive_cutoffs": config.cutoffs, "adaptive_div_value": config.div_value}
    small = ElmoForPreTraining(ElmoConfig.checked({**values, **head}))
    small.elmo = large.elmo
    small.train(False)
    return small


def _fit(
    large: ElmoForPreTraining, small: ElmoForPreTraining, corpus: Corpus, config: FitHeadConfig, *, show_progress: bool
) -> Perplexity:
    """Train the small head in place; returns the held-out perplexity that it began with."""
    wanted = faster_precision(large.device) if config.precision == "auto" else config.precision
    dtype = torch.bfloat16 if wanted == "bfloat16" else torch.float32
    total = config.train_words * large.config.directions
    steps, step = -(-total // config.batch_rows), 0
    optimizer = torch.optim.AdamW(small.head.parameters(), weight_decay=0.0, betas=(0.9, 0.99), fused=True)
    chunks = _chunks(large, corpus, config, total, dtype)
    first = next(chunks)
    begin = first[0][:_START_ROWS]
    small.head.start_from(*large.head.scores(begin), begin)
    start = _held_out(small, corpus)
    order = torch.Generator().manual_seed(config.seed)
    with rate_bar("fitting the head", total, unit="rows", show=show_progress) as advance:
        for hidden, targets in chain([first], chunks):
            for rows in torch.split(torch.randperm(len(hidden), generator=order), config.batch_rows):
                factor = learning_rate_factor(step, total=steps, warmup=steps // 20, shape="linear", final=0.0)
                optimizer.param_groups[0]["lr"] = config.learning_rate * factor
                with torch.autocast(hidden.device.type, dtype=dtype, enabled=dtype != torch.float32):
                    loss = _backward(large.head, small.head, hidden[rows], targets[rows], config.objective)
                if not math.isfinite(loss):
                    lower = f"--set learning_rate={config.learning_rate / 4:g}"
                    raise ModelError(f"the loss became {loss} in update {step + 1}: lower the learning rate ({lower})")
                optimizer.step()
                optimizer.zero_grad()
                step += 1
                advance(len(rows))
    return start


def _chunks(
    model: ElmoForPreTraining, corpus: Corpus, config: FitHeadConfig, total: int, dtype: torch.dtype
) -> Iterator[tuple[Tensor, Tensor]]:
    """`total` rows of the frozen top layer (n, H) and their targets (n,), many batches of the text at a time."""
    directions = model.config.directions
    batches = SentenceBatches(corpus, corpus.train, tokens=_BATCH_TOKENS, seed=config.seed, directions=directions)
    size = config.batch_rows * max(_CHUNK // config.batch_rows, 1)  # so that only the last update is smaller
    waiting: list[tuple[Tensor, Tensor]] = []
    held = 0
    for batch in (batch for epoch in count() for batch in batches.read(epoch)):
        batch = batch.to(model.device)
        with torch.no_grad(), torch.autocast(model.device.type, dtype=dtype, enabled=dtype != torch.float32):
            hidden, _ = model.hidden(batch.chars, batch.index, batch.batch_sizes)
        waiting.append((hidden.flatten(0, 1).float(), batch.targets.flatten()))
        held += batch.targets.numel()
        while held >= min(size, total):
            taken = min(size, total)
            rows, targets = (torch.cat(parts) for parts in zip(*waiting, strict=True))
            yield rows[:taken], targets[:taken]
            waiting, held, total = [(rows[taken:], targets[taken:])], held - taken, total - taken
            if total == 0:
                return


def _backward(
    large: SoftmaxHead, small: SoftmaxHead, hidden: Tensor, targets: Tensor, objective: Literal["distribution", "text"]
) -> float:
    """Add the gradient of the mean loss of rows (n, H) to the small head, some logits at a time; returns the loss."""
    total = 0.0
    at_once = rows_at_once(small.vocab_size)
    for part, wanted in zip(torch.split(hidden, at_once), torch.split(targets, at_once), strict=True):
        if objective == "text":
            losses = small.loss(part, wanted)
        else:
            with torch.no_grad():
                known = large.log_probs(part)
            losses = functional.kl_div(small.log_probs(part), known, reduction="none", log_target=True).sum(1)
        loss = losses.sum() / len(hidden)
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    return total


def _held_out(model: ElmoForPreTraining, corpus: Corpus) -> Perplexity:
    batches = SentenceBatches(
        corpus, corpus.valid, tokens=_BATCH_TOKENS, shuffle=False, directions=model.config.directions
    )
    return evaluate_batches(model, batches.read(0))[0]


def _size(head: SoftmaxHead) -> int:
    return sum(parameter.numel() for parameter in head.parameters())
