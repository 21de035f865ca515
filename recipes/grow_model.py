"""Make a larger language model out of a trained one, as the start of its own training.

    python recipes/grow_model.py elmo-mini --output runs/elmo_small/grown --set cell_dim=1024
    elmo pretrain --from runs/elmo_small/grown --train text.txt --output runs/elmo_small/long

The new model reads words by their characters alone and predicts the same vocabulary:

- **LSTMs** (`cell_dim` may be larger): the cells of the trained model, then new ones whose rows of the projection are
  zero. They change nothing at first, and learn from the first update on (function-preserving growth: Chen et al. 2016).
- **Token encoder**: a char CNN of any `filters`, taught to give each word the vector that the trained model gives it,
  a table of words included. Words are drawn by the square root of their counts. A spelling in another case, which the
  vocabulary does not have, is taught the vector of the word itself.
- **Head**: the adaptive softmax of the trained model with tails of full width, the same products in more columns.

Prints how close the token vectors came and the held-out perplexities, where `--valid` names a text.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from elmokit.errors import ConfigError, ElmokitError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import load, word_rows_of
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.quiet import quiet_transformers
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.nn.bilm import BiLM
from elmokit.nn.precision import faster_precision
from elmokit.nn.softmax import SoftmaxHead
from elmokit.nn.token_encoder import TokenEncoder
from elmokit.pretrain.optimizers import build_muon
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.pretrain.schedule import learning_rate_factor
from elmokit.pretrain.setup import load_vocabulary
from elmokit.progress import rate_bar
from elmokit.settings import Settings, load_settings
from elmokit.text.files import expand_paths
from elmokit.text.vocab import MARKERS, Vocabulary
from elmokit.text.word_rows import ByteRows, WordRows

_OTHER_CASE = 0.1  # of the weight of the word itself
_MUON_SIDE = 448  # larger matrices are orthogonalised in blocks
_AT_ONCE = 4096  # words whose vectors are computed together


class GrowConfig(Settings):
    """Settings of this recipe."""

    model: str
    """The trained model: a folder or a shipped model, with its head and a char CNN or a word table over one."""
    output: Path
    """Folder that gets the new model; it appears when it is complete."""
    valid: str | None = None
    """Held-out text, by which both are compared."""
    cell_dim: PositiveInt | None = None
    """Cells of each LSTM; default: as many as the trained model has."""
    filters: list[list[int]] | None = None
    """`[width, number]` of the new char CNN; default: those of the trained model."""
    updates: PositiveInt = 600
    """Updates in which the char CNN is taught."""
    batch_words: PositiveInt = 4096
    learning_rate: PositiveFloat = 2e-3
    """Of AdamW; the highways and the projection learn with Muon at ten times this rate. It falls in a line to zero."""
    seed: Annotated[int, Field(ge=0)] = 13
    threads: PositiveInt | None = None


@dataclass(frozen=True)
class Lesson:
    """What the char CNN is taught: spellings (U, 50), vectors (U, P), and how often each is drawn (U,)."""

    spellings: Tensor
    vectors: Tensor
    weights: Tensor


def main(arguments: list[str] | None = None) -> int:
    """Grow a model, print how close it is; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="the trained model")
    parser.add_argument("--output", type=Path, help="folder of the new model")
    parser.add_argument("--valid", help="held-out text")
    parser.add_argument("--config", type=Path, help="YAML file with settings")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("--overwrite", action="store_true", help="replace the output folder")
    given = vars(parser.parse_args(arguments))
    file, overrides, overwrite = (given.pop(name) for name in ("config", "overrides", "overwrite"))
    try:
        config = load_settings(GrowConfig, file, overrides=overrides, **given)
        if config.valid is not None:
            expand_paths([config.valid])  # a text that is missing is told before the work, not after it
        if config.output.exists() and not overwrite:
            raise ConfigError(f"--output {config.output} exists: --overwrite replaces it")
        partial = config.output.with_name(f".{config.output.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            grow(config, partial)
            shutil.rmtree(config.output, ignore_errors=True)
            partial.replace(config.output)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        if config.valid is not None:
            for name, folder in (("trained", config.model), ("grown", config.output)):
                found = evaluate_text(folder, config.valid)
                print(f"held-out perplexity, {name}: {found.perplexity.mean:.1f}")
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: cannot write {config.output}: {error.strerror or error} (--output)", file=sys.stderr)
        return 2
    print(f"written to {config.output}")
    return 0


def grow(config: GrowConfig, folder: Path) -> None:
    """Write the new model to a folder.

    Raises:
        ConfigError: Fewer cells than the trained model has, more where its LSTMs have no projection, or an encoder that
            reads no characters.
        ModelError: No model with a language-model head.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    vocabulary, rows = load_vocabulary(config.model), word_rows_of(config.model)
    trained = load(ElmoForPreTraining, config.model)
    if not rows.reads_spelling or trained.config.token_encoder not in ("char_cnn", "word_char"):
        raise ConfigError(f"{config.model} reads {trained.config.token_encoder}; expected char_cnn or word_char")
    cells = config.cell_dim or trained.config.cell_dim
    if cells < trained.config.cell_dim:
        raise ConfigError(f"cell_dim is {cells}; expected at least the {trained.config.cell_dim} of {config.model}")
    if cells > trained.config.cell_dim == trained.config.projection_dim:
        raise ConfigError(
            f"cell_dim is {cells}; expected the {trained.config.cell_dim} of {config.model}, whose LSTMs have no "
            "projection, through which new cells could say nothing at first"
        )
    grown = ElmoForPreTraining(grown_config(trained.config, cells=cells, filters=config.filters))
    add_cells(trained.bilm, grown.bilm)
    widen_head(trained.head, grown.head)
    lesson = make_lesson(trained.elmo.token_encoder, rows, vocabulary)
    left = teach(grown.elmo.token_encoder, lesson, config)
    print(f"token vectors: {left:.1%} of the variance over the text is left to learn")
    with quiet_transformers():
        grown.save_pretrained(folder)
    rows = ByteRows(grown.config.max_characters_per_token)
    ElmoTokenizer(word_rows=rows, split="whitespace" if grown.config.pre_split else "penn").save_pretrained(folder)
    vocabulary.save(folder / "vocab.txt")


def grown_config(trained: ElmoConfig, *, cells: int, filters: list[list[int]] | None) -> ElmoConfig:
    """The shape of the new model."""
    values = {name: value for name, value in trained.to_dict().items() if name in ElmoConfig.__dataclass_fields__}
    new = {"token_encoder": "char_cnn", "n_words": 0, "word_dim": 0, "marker_rows": None}
    new |= {"cell_dim": cells, "filters": filters or trained.filters, "adaptive_div_value": 1.0}
    return ElmoConfig.checked({**values, **new})


@torch.no_grad()
def add_cells(trained: BiLM, grown: BiLM) -> None:
    """The cells of a biLM into a larger one, whose other cells say nothing yet.

    Gates lie in four blocks: (D, 4 · C, inputs), a projection is (D, C, P).
    """
    wide = dict(grown.named_parameters())
    for name, weight in trained.named_parameters():
        target, cells = wide[name], weight.shape[1]
        if name.endswith("weight_projection"):
            target.zero_()[:, :cells] = weight
        else:
            gates = torch.unflatten(target, 1, (4, -1))
            gates[:, :, : cells // 4] = torch.unflatten(weight, 1, (4, -1))


@torch.no_grad()
def widen_head(trained: SoftmaxHead, grown: SoftmaxHead) -> None:
    """The same products in wider tails: what is added to the vectors of words is zero, not what they are added to."""
    wide = dict(grown.named_parameters())
    for name, weight in trained.named_parameters():
        target = wide[name]
        if name.endswith(".1.weight"):  # the vectors of a cluster's words
            target.zero_()
        target[tuple(slice(size) for size in weight.shape)] = weight


@torch.no_grad()
def make_lesson(encoder: TokenEncoder, rows: WordRows, vocabulary: Vocabulary) -> Lesson:
    """The words of a vocabulary and their spellings in other cases that it lacks, with the vectors of the words."""
    words, counts = vocabulary.words[len(MARKERS) :], vocabulary.counts[len(MARKERS) :]
    spelled: dict[str, tuple[int, float]] = {
        word: (number, count**0.5) for number, (word, count) in enumerate(zip(words, counts, strict=True))
    }
    for number, (word, count) in enumerate(zip(words, counts, strict=True)):  # the most frequent one first
        for other in (word.upper(), word.lower(), word.title()):
            spelled.setdefault(other, (number, _OTHER_CASE * count**0.5))
    vectors = torch.cat([
        encoder(torch.from_numpy(rows(words[start : start + _AT_ONCE]))) for start in range(0, len(words), _AT_ONCE)
    ])  # fmt: skip
    places, weights = zip(*spelled.values(), strict=True)
    markers, reads = ByteRows(rows.max_characters).markers(), ByteRows(rows.max_characters)
    often = max(weights)
    return Lesson(
        torch.cat([torch.from_numpy(markers), torch.from_numpy(reads(list(spelled)))]),
        torch.cat([encoder(torch.from_numpy(rows.markers())), vectors[list(places)]]),
        torch.tensor([often, often, *weights]),
    )


def teach(encoder: nn.Module, lesson: Lesson, config: GrowConfig) -> float:
    """Train a char CNN to give the vectors of a lesson; returns the share of their variance that it misses."""
    optimizer = build_muon(encoder, lr=10 * config.learning_rate, adamw_lr=config.learning_rate, max_side=_MUON_SIDE)
    dtype = torch.bfloat16 if faster_precision(lesson.vectors.device) == "bfloat16" else torch.float32
    mean = (lesson.weights @ lesson.vectors) / lesson.weights.sum()
    variance = float((lesson.weights @ (lesson.vectors - mean).square().sum(1)) / lesson.weights.sum())
    encoder.train()
    with rate_bar("teaching the char CNN", config.updates * config.batch_words, unit="words", show=True) as advance:
        for update in range(config.updates):
            rate = config.learning_rate * learning_rate_factor(
                update, total=config.updates, warmup=config.updates // 20, shape="linear", final=0.0
            )
            for group in optimizer.param_groups:
                group["lr"] = 10 * rate if group["kind"] == "muon" else rate
            drawn = torch.multinomial(lesson.weights, config.batch_words)
            with torch.autocast(lesson.vectors.device.type, dtype=dtype, enabled=dtype != torch.float32):
                found = encoder(lesson.spellings[drawn])
            loss = (found.float() - lesson.vectors[drawn]).square().sum(1).mean() / variance
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            advance(config.batch_words)
    encoder.eval()
    with torch.no_grad():
        parts = [encoder(part) for part in torch.split(lesson.spellings, _AT_ONCE)]
    missed = (torch.cat(parts) - lesson.vectors).square().sum(1)
    return float(lesson.weights @ missed / lesson.weights.sum() / variance)


if __name__ == "__main__":
    sys.exit(main())
