"""What a pretraining run stands on: its folder, corpus, model, number format and memory settings."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import time
from pathlib import Path

import torch
from accelerate import Accelerator

from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.models.configuration_elmo import PRESETS, ElmoConfig
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.text.vocab import Vocabulary

_RUN_FILES = ("config.yaml", "log.jsonl", "checkpoints", "corpus", "model.safetensors")


def prepare_folder(config: PretrainConfig) -> None:
    """Make the run folder; refuse one in use unless a flag says what to do with it."""
    folder = config.output
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--output {folder} is a file; expected a folder")
    used = folder.is_dir() and any(folder.iterdir())
    if used and not (config.resume or config.overwrite):
        raise ConfigError(f"--output {folder} is not empty; --resume goes on with the run in it, --overwrite starts anew")
    if used and config.overwrite and not config.resume:
        if not any((folder / name).exists() for name in _RUN_FILES):
            raise ConfigError(f"--output {folder} holds no earlier run; it is not overwritten, name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def prepare_corpus(config: PretrainConfig, accelerator: Accelerator) -> Corpus:
    """Tokenise once, on the first process; the others open what it made."""
    vocabulary = None if config.from_model is None else load_vocabulary(Path(config.from_model))
    if accelerator.is_main_process:
        build_corpus(
            config.train, config.valid, config.output / "corpus", column=config.column, pre_split=config.pre_split,
            normalize=config.normalize, min_count=config.min_count, max_vocab=config.max_vocab,
            max_words=config.max_words, max_characters=_max_characters(config), from_vocab=vocabulary,
        )  # fmt: skip
    accelerator.wait_for_everyone()
    corpus = Corpus.open(config.output / "corpus")
    if len(corpus.train) == 0:
        raise DataError(f"--train {' '.join(config.train)}: no words in it")
    return corpus


def _max_characters(config: PretrainConfig) -> int:
    if config.from_model is not None:
        return ElmoConfig.from_pretrained(config.from_model).max_characters_per_token
    return int(config.model.get("max_characters_per_token", ElmoConfig().max_characters_per_token))


def load_vocabulary(folder: Path) -> Vocabulary:
    """The words a saved model predicts."""
    path = folder / "vocab.txt"
    if not path.is_file():
        raise ModelError(f"{folder} has no vocab.txt: it is no model pretrained here, or one without a language-model head")
    return Vocabulary.load(path)


def build_model(config: PretrainConfig, vocab_size: int) -> ElmoForPreTraining:
    """A new model of the preset's shape, or the one to go on with."""
    if config.from_model is not None:
        model = ElmoForPreTraining.from_pretrained(config.from_model)
        if model.config.vocab_size != vocab_size:
            raise ModelError(f"{config.from_model} predicts {model.config.vocab_size} words, its vocab.txt has {vocab_size}")
        return model
    if config.preset not in PRESETS:
        raise ConfigError(f"--preset {config.preset}: unknown; there are {', '.join(PRESETS)}")
    if "vocab_size" in config.model:
        raise ConfigError("model.vocab_size comes from the text; use max_vocab and min_count")
    return ElmoForPreTraining(ElmoConfig.preset(config.preset, **{**config.model, "vocab_size": vocab_size}))


def save_model(model: ElmoForPreTraining, corpus: Corpus, folder: Path) -> None:
    """Put the model's files into ``folder`` one by one by renaming, the weights last: there is never half a model."""
    partial = folder / ".model.partial"
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    ElmoTokenizer(max_characters=model.config.max_characters_per_token).save_pretrained(partial)
    corpus.vocab.save(partial / "vocab.txt")
    for path in sorted(partial.iterdir(), key=lambda path: path.name == "model.safetensors"):
        os.replace(path, folder / path.name)
    partial.rmdir()


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """The number format of the products: bfloat16 where it is wanted, or where it is measured to be the faster one."""
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bfloat16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return min((torch.float32, torch.bfloat16), key=_product_seconds)


def _product_seconds(dtype: torch.dtype) -> float:
    """Best of five products of the shape of one LSTM step."""
    left, right = torch.ones(64, 256, dtype=dtype), torch.ones(256, 2048, dtype=dtype)
    times = []
    for _ in range(6):
        started = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - started)
    return min(times[1:])


def keep_freed_memory() -> None:
    """Let the allocator of glibc reuse large blocks instead of returning each to the system.

    Every training step allocates and frees the same hundred megabytes; without this each step pays for its page faults.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    trim_threshold, mmap_threshold = -1, -3
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(mmap_threshold, 2**30)
