"""What a pretraining run needs: its folder, corpus, model, number format and memory settings."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Set
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import yaml
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import load, load_config, word_rows_of
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.quiet import quiet_transformers
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.nn.precision import faster_precision
from elmokit.nn.token_kinds import kind_of, names_where
from elmokit.places import is_address, local_copy
from elmokit.pretrain.augment import NEEDS_SPELLING
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.corpus import Corpus, build_corpus, length_percentile
from elmokit.pretrain.mirror import Mirror
from elmokit.pretrain.new_words import take_over_words
from elmokit.pretrained import located
from elmokit.run_folder import refuse_other_files, sums_of
from elmokit.saved_model import VOCABULARY_FILE, language_model_folder
from elmokit.static.vectors import WordVectors
from elmokit.text.files import expand_paths
from elmokit.text.normalize import check_steps
from elmokit.text.vocab import Vocabulary
from elmokit.text.word_rows import WordRows

log = logging.getLogger(__name__)

_RUN_FILES = ("config.yaml", "log.jsonl", "metrics.json", "learning_curve.png", "checkpoints", "tensorboard")
_MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "lexicon.json",
)
_BESIDES = ("corpus", "corpus.partial", "corpus.old", ".model.partial")

_UPDATES_PER_EPOCH, _SMALLEST_BATCH, _LARGEST_BATCH = 400, 512, 6144

# What may change when a model is trained on, and what else when it gets another vocabulary.
_DROPOUT = {"dropout", "locked_dropout", "weight_dropout"}
_SOFTMAX = {"softmax", "n_negative_samples", "adaptive_cutoffs", "adaptive_div_value"}

# What a run may be resumed with other values of; everything else would make it another run.
_MAY_CHANGE = frozenset(
    {
        "output",
        "copy_to",
        "resume",
        "overwrite",
        "threads",
        "workers",
        "checkpoint_minutes",
        "log_steps",
        "valid_batch_tokens",
        "precision",
        "epochs",
        "patience",
        "learning_rate",
        "muon_learning_rate",
        "final_learning_rate",
        "warmup_steps",
        "schedule",
        "clip_norm",
        "weight_decay",
        "decay_steps",
        "max_steps",
        "max_train_words",
        "evaluate_steps",
    }
)


def check_settings(config: PretrainConfig) -> None:
    """Find what is wrong with the settings before any work is done or any file touched.

    Raises:
        ConfigError, DataError, ModelError: An unknown preset, step or model field, missing files, an unusable model.
    """
    check_steps(config.normalize)
    with_table = kind_of(config).vector_field is not None and config.from_model is None
    if config.initial_vectors is not None and not with_table:
        raise ConfigError(
            "initial_vectors fill the word table of a new model: "
            f"--set token_encoder={names_where('vector_field')}, no --from"
        )
    if config.decay_steps is not None and config.schedule != "wsd" and config.decay_from is None:
        raise ConfigError(
            f"decay_steps is set, the schedule is {config.schedule}; expected --set schedule=wsd, or --decay-from"
        )
    if config.evaluate_steps is not None and config.valid is None and config.corpus is None:
        raise ConfigError("evaluate_steps is set; expected held-out text to evaluate: --valid FILE")
    augmented = config.case_augmentation or config.typo_augmentation
    if augmented and not kind_of(config).reads_spelling and config.from_model is None:
        raise ConfigError(NEEDS_SPELLING)
    if config.new_vocabulary and config.from_model is None:
        raise ConfigError("new_vocabulary needs --from MODEL: a new model always takes its vocabulary from the text")
    model_config(config, vocab_size=0)
    if config.corpus is None:
        expand_paths(config.train)
    if config.valid is not None:
        expand_paths([config.valid])
    start = _start(config)
    if start is not None and not config.new_vocabulary:
        load_vocabulary(start)


def refuse_used(config: PretrainConfig, mirror: Mirror) -> None:
    """Refuse a run folder at an address that contains a run, unless a flag says what to do with it."""
    if mirror.exists() and not (config.resume or config.overwrite):
        raise ConfigError(
            f"--output {config.copy_to} contains a run; --resume continues with the run in it, --overwrite starts anew"
        )


def prepare_folder(config: PretrainConfig) -> None:
    """Make the run folder; refuse one in use unless a flag says what to do with it."""
    folder = config.output
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--output {folder} is a file; expected a folder")
    used = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if used and not (config.resume or config.overwrite):
        hint = "--resume continues with the run in it, --overwrite starts anew"
        raise ConfigError(f"--output {folder} is not empty; {hint}")
    if config.resume and not config.overwrite and "metrics.json" in used and "checkpoints" not in used:
        raise ConfigError(
            f"--resume: the run in {folder} is finished and has no checkpoint: --from continues with its model, "
            "--overwrite starts anew"
        )
    if used and not used & {*_RUN_FILES, *_BESIDES}:
        raise ConfigError(f"--output {folder} holds files but no earlier run; name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output {folder} cannot be made: {error.strerror}") from error


def clear_folder(folder: Path) -> None:
    """Remove an earlier run, but for its corpus and what is no file of ours."""
    for name in (*_RUN_FILES, *_MODEL_FILES, ".model.partial"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def check_same(config: PretrainConfig, run: Path, *, option: str, may_change: Set[str] = frozenset()) -> None:
    """What continues with a run's checkpoint has the settings of that run.

    Raises:
        ConfigError: A setting differs from the run's ``config.yaml`` that would make it another run.
    """
    file = run / "config.yaml"
    if not file.is_file():
        return
    before: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    now = config.model_dump(mode="json")
    for name in PretrainConfig.model_fields:
        left_open = name == "batch_tokens" and now[name] is None
        if name not in _MAY_CHANGE | may_change and name in before and before[name] != now[name] and not left_open:
            raise ConfigError(
                f"{option}: {name} is {_short(now[name])}, the run in {run} has {_short(before[name])}: "
                f"give the same{', or --overwrite to start anew' if option == '--resume' else ''}"
            )


def settle_batch(config: PretrainConfig, corpus: Corpus, *, began: bool) -> PretrainConfig:
    """The settings with ``batch_tokens``: as given, as in the run that ``began``, or by the size of the text."""
    if config.batch_tokens is not None:
        return config
    tokens = default_batch_tokens(corpus.train.n_tokens)
    for run in (config.output, config.decay_from):
        if began and run is not None and (run / "config.yaml").is_file():
            before: Any = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8")) or {}
            tokens = before.get("batch_tokens") or tokens
            break
    return config.model_copy(update={"batch_tokens": tokens})


def default_batch_tokens(words: int) -> int:
    """Predictions an update for a text of so many words: 400 updates an epoch, within what pays on a processor.

    Products of fewer than 512 rows are slow; above 6,144 rows they gain nothing (`benchmarks/pretrain_speed.py`).
    """
    return max(_SMALLEST_BATCH, min(_LARGEST_BATCH, words // _UPDATES_PER_EPOCH))


def files_read(config: PretrainConfig) -> dict[str, dict[str, Any]]:
    """Size and checksum of every file of text that a run reads; a prepared corpus has a fingerprint of its own."""
    if config.corpus is not None:
        return {}
    return sums_of(expand_paths([*config.train, *([] if config.valid is None else [config.valid])]))


def check_same_files(config: PretrainConfig, run: Path) -> None:
    """A run is resumed with the text it began with.

    Raises:
        ConfigError: A file differs in size or contents from what the run's ``config.yaml`` has.
    """
    file = run / "config.yaml"
    before: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {} if file.is_file() else {}
    refuse_other_files(before, files_read(config), where=run)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def with_corpus(config: PretrainConfig) -> PretrainConfig:
    """The settings with what a corpus of `elmo prepare` says of its text, where one is given.

    Raises:
        DataError: There is no finished corpus.
    """
    if config.corpus is None:
        return config
    told = Corpus.open(corpus_folder(config.corpus)).info["settings"]
    return config.model_copy(
        update={
            "normalize": list(told["normalize"]),
            "pre_split": told["pre_split"],
            "column": told["column"],
            "max_words": told["max_words"],
        }
    )


def corpus_folder(corpus: str) -> Path:
    """Where the files of a prepared corpus are; one on an object store is copied to the cache of each machine."""
    return local_copy(corpus, kind="corpora") if is_address(corpus) else Path(corpus)


def _open_prepared(config: PretrainConfig) -> Corpus:
    assert config.corpus is not None
    corpus = Corpus.open(corpus_folder(config.corpus))
    wanted = model_config(config, vocab_size=0).max_characters_per_token
    found = corpus.info["settings"]["max_characters"]
    if found != wanted:
        raise ConfigError(f"{config.corpus} has {found} characters a word, the model reads {wanted}: prepare it anew")
    kept = None if config.new_vocabulary else _start(config)
    if kept is not None and load_vocabulary(kept).words != corpus.vocab.words:
        raise ConfigError(
            f"{config.corpus} has another vocabulary than {kept}: --set new_vocabulary=true predicts the words of the "
            "corpus"
        )
    return corpus


def prepare_corpus(
    config: PretrainConfig, accelerator: Accelerator, *, began: bool = False, fingerprint: str | None = None
) -> Corpus:
    """Tokenise once, on the first process; the others open what it made.

    A run that ``began`` continues with the corpus it has, and with no other than the one of this ``fingerprint``.
    """
    folder = config.output / "corpus"
    if config.corpus is not None:
        return _same_text(_open_prepared(config), config, fingerprint)
    if accelerator.is_main_process and not (began and Corpus.found(folder) is not None):
        kept = None if config.new_vocabulary else _start(config)
        vocabulary = None if kept is None else load_vocabulary(kept)
        max_words = config.max_words
        if config.max_words_percentile is not None:
            found = length_percentile(
                config.train,
                config.max_words_percentile,
                column=config.column,
                files=config.file_options,
                pre_split=config.pre_split,
                normalize=text_steps(config),
            )
            max_words = min(max_words, found)
        build_corpus(
            config.train,
            config.valid,
            folder,
            column=config.column,
            files=config.file_options,
            pre_split=config.pre_split,
            normalize=text_steps(config),
            min_count=config.min_count,
            max_vocab=config.max_vocab,
            max_words=max_words,
            max_characters=model_config(config, vocab_size=0).max_characters_per_token,
            from_vocab=vocabulary,
        )
    accelerator.wait_for_everyone()
    corpus = Corpus.open(folder)
    if len(corpus.train) == 0:
        raise DataError(f"--train {' '.join(config.train)}: no words in it")
    return _same_text(corpus, config, fingerprint)


def _same_text(corpus: Corpus, config: PretrainConfig, fingerprint: str | None) -> Corpus:
    if fingerprint and corpus.fingerprint != fingerprint:
        raise DataError(
            f"{corpus.folder} is not the text that the run in {config.output} began with (or was split by another "
            "version of elmokit): bring the files of --train and --valid back, or --overwrite to start anew"
        )
    return corpus


def text_steps(config: PretrainConfig) -> list[str]:
    """The clean-up steps of a run: those asked for, or those of the model it continues with."""
    start = _start(config)
    if config.normalize or start is None:
        return list(config.normalize)
    return list(load_config(start).text_steps or [])


def _start(config: PretrainConfig) -> Path | None:
    """The folder of the language model that a run continues with."""
    return None if config.from_model is None else language_model_folder(config.from_model)


def load_vocabulary(folder: str | Path) -> Vocabulary:
    """The words a saved model predicts."""
    load_config(folder)  # says what is wrong with a folder that contains no model
    path = located(folder) / VOCABULARY_FILE
    if not path.is_file():
        raise ModelError(f"{folder} has no vocab.txt: it is no model that elmo pretrain made")
    return Vocabulary.load(path)


def word_rows(config: PretrainConfig, corpus: Corpus) -> WordRows:
    """What the token encoder of a run reads of words; pieces are learned from the words of the training text."""
    start = _start(config)
    if start is not None:
        return word_rows_of(start)
    shape = model_config(config, vocab_size=len(corpus.vocab))
    return shape.kind.new_rows(corpus.vocab, shape, config)


def model_config(config: PretrainConfig, *, vocab_size: int, rows: WordRows | None = None) -> ElmoConfig:
    """The shape of a run's model: its preset with single fields replaced, or that of the model it continues with.

    With a new vocabulary the softmax is of the settings' kind, or of the model's with borders that fit the words.
    """
    start = _start(config)
    if start is None:
        if "vocab_size" in config.model:
            raise ConfigError("model.vocab_size comes from the text; use max_vocab and min_count")
        if "token_encoder" in config.model:
            raise ConfigError("model.token_encoder is set; use --set token_encoder=…")
        kind = kind_of(config)
        given = {**config.model, "token_encoder": config.token_encoder, "vocab_size": vocab_size}
        values = kind.new_fields(given)
        if kind.needs_lexicon and rows is not None:
            values |= {"n_words": len(rows.lexicon()[kind.table]) + 1, "marker_rows": rows.markers().tolist()}
        elif kind.needs_lexicon:
            values |= {"n_words": 3}  # not known yet
        return ElmoConfig.preset(config.preset, **values)
    if fixed := sorted(set(config.model) - _DROPOUT - (_SOFTMAX if config.new_vocabulary else set())):
        raise ConfigError(f"model.{fixed[0]} is set, but --from {config.from_model} brings its shape")
    found = load_config(start)
    if not config.new_vocabulary:
        return found
    values = {name: value for name, value in found.to_dict().items() if name in ElmoConfig.__dataclass_fields__}
    return ElmoConfig.checked({**values, "adaptive_cutoffs": None, **config.model, "vocab_size": vocab_size})


def build_model(config: PretrainConfig, corpus: Corpus, rows: WordRows, *, began: bool = False) -> ElmoForPreTraining:
    """A new model of the preset's shape, or the one to continue with. It remembers how its text was prepared.

    A run that ``began`` takes its parameters from a checkpoint; what is costly to begin with is left out.
    """
    vocab_size = len(corpus.vocab)
    start = _start(config)
    if start is None:
        model = ElmoForPreTraining(model_config(config, vocab_size=vocab_size, rows=rows))
        if config.initial_vectors is not None:
            _fill_table(model, rows, config.initial_vectors)
    elif config.new_vocabulary:
        model = ElmoForPreTraining(model_config(config, vocab_size=vocab_size))
        if not began and (start / VOCABULARY_FILE).is_file():
            whole = load(ElmoForPreTraining, start)
            model.elmo.load_state_dict(whole.elmo.state_dict())
            shared = take_over_words(model, corpus, rows, whole, load_vocabulary(start))
            log.info("%d of %d words were known to %s", shared, vocab_size, config.from_model)
        elif not began:  # no old softmax that knew something of the same words
            model.elmo.load_state_dict(load(ElmoModel, start).state_dict())
    else:
        model = load(ElmoForPreTraining, start)
        if model.config.vocab_size != vocab_size:
            wanted = model.config.vocab_size
            raise ModelError(f"{config.from_model} predicts {wanted} words, its vocab.txt has {vocab_size}")
        for name, value in config.model.items():
            setattr(model.config, name, value)
        rates = model.config
        model.bilm.set_dropout(rates.dropout, locked=rates.locked_dropout, weights=rates.weight_dropout)
    model.config.text_steps, model.config.pre_split = text_steps(config), config.pre_split
    return model


def _fill_table(model: ElmoForPreTraining, rows: WordRows, path: Path) -> None:
    """Static vectors as the start of a word table, scaled to the deviation that tables are drawn with."""
    vectors = WordVectors.load(path)
    words_table = model.elmo.token_encoder.word_table
    assert words_table is not None  # `check_settings` refuses other encoders
    table = words_table.weight
    if vectors.dim != table.shape[1]:
        raise ConfigError(
            f"the vectors in {path} have {vectors.dim} numbers, the model's words {table.shape[1]}: "
            f"--set model.{model.config.kind.vector_field}={vectors.dim}"
        )
    words = rows.lexicon()["words"]
    known = [word for word in words if word in vectors]
    if not known:
        raise ConfigError(f"{path} has a vector for none of the {len(words)} words of the text")
    found = torch.from_numpy(np.stack([vectors[word] for word in known]))
    with torch.no_grad():
        table[torch.tensor([words[word] + 1 for word in known])] = found * (3**-0.5 / found.std())  # U(−1, 1)
    log.info("%d of %d words start from %s", len(known), len(words), path)


def save_model(model: ElmoForPreTraining, corpus: Corpus, rows: WordRows, folder: Path) -> None:
    """Put the model's files into ``folder`` one by one by renaming, the weights last: there is never half a model."""
    partial = folder / ".model.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with quiet_transformers():
        model.save_pretrained(partial)
    split: Literal["penn", "whitespace"] = "whitespace" if model.config.pre_split else "penn"
    ElmoTokenizer(word_rows=rows, split=split).save_pretrained(partial)
    corpus.vocab.save(partial / "vocab.txt")
    for path in sorted(partial.iterdir(), key=lambda path: path.name == "model.safetensors"):
        os.replace(path, folder / path.name)
    partial.rmdir()


def choose_precision(wanted: str, accelerator: Accelerator) -> torch.dtype:
    """The number format of the products: bfloat16 where it is wanted, or where it is measured to be the faster one.

    The first process measures for all.
    """
    if wanted == "auto":
        chosen = [faster_precision(accelerator.device) if accelerator.is_main_process else ""]
        wanted = str(broadcast_object_list(chosen)[0])
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32
