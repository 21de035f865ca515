"""`pretrain` from text to model folder: what it leaves, how it continues, and how it refuses."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
import yaml
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from elmokit.cli.app import main
from elmokit.encode.encoder import Encoder
from elmokit.errors import ConfigError, DataError, ElmokitError, ModelError
from elmokit.interop.loading import load as load_any
from elmokit.interop.loading import save
from elmokit.models.loading import load, load_config
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.pretrain import checkpoint, loop
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.loop import PretrainResult, TrainingStep, pretrain
from elmokit.pretrain.perplexity import evaluate_batches, evaluate_text
from elmokit.pretrain.setup import default_batch_tokens
from elmokit.run_folder import single_writer
from elmokit.settings import load_settings
from elmokit.static.vectors import WordVectors
from elmokit.text.char_ids import char_ids
from elmokit.text.vocab import Vocabulary

MODEL = {"filters": [[1, 4], [2, 8]], "softmax": "full"}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.txt and valid.txt; some words of the second are not in the first."""
    folder = tmp_path_factory.mktemp("text")
    generator = np.random.default_rng(1)
    for name, count, words in (("train", 90, 40), ("valid", 20, 50)):
        numbers = [generator.zipf(1.6, generator.integers(2, 14)) % words for _ in range(count)]
        lines = [" ".join(f"W{number}" for number in line) for line in numbers]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def settings(text: Path, output: Path, **changed: Any) -> dict[str, Any]:
    return {
        "train": [str(text / "train.txt")], "valid": str(text / "valid.txt"), "output": str(output), "preset": "tiny",
        "model": MODEL, "min_count": 1, "batch_tokens": 100, "stream_rows": 4, "stream_window": 15, "epochs": 2,
        "log_steps": 3, "precision": "float32", **changed,
    }  # fmt: skip


def run(text: Path, output: Path, *, on_step: Any = None, **changed: Any) -> PretrainResult:
    return pretrain(PretrainConfig(**settings(text, output, **changed)), show_progress=False, on_step=on_step)


@pytest.fixture(scope="module")
def finished(text: Path, tmp_path_factory: pytest.TempPathFactory) -> PretrainResult:
    return run(text, tmp_path_factory.mktemp("finished") / "run", normalize=["lower_case"], learning_rate=0.01)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_finished_run_without_checkpoints_is_not_begun_anew(
    finished: PretrainResult, text: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished.output, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    with pytest.raises(ConfigError, match="is finished and has no checkpoint: --from continues with its model"):
        run(text, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_a_run_leaves_a_model_that_loads_and_all_its_figures(finished: PretrainResult) -> None:
    folder = finished.output
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == [1, 2]
    first, last = metrics["epochs"]
    assert last["train_perplexity"] < first["train_perplexity"] < 60
    assert last["valid_perplexity"] == pytest.approx(np.sqrt(last["valid_forward"] * last["valid_backward"]))
    assert 0 <= last["next_word_top1"] <= last["next_word_top5"] <= 1
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert list((folder / "tensorboard").iterdir())
    events = [json.loads(line)["event"] for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert events[0] == "start"
    assert events.count("epoch") == 2
    encoder = Encoder.from_pretrained(folder)
    assert encoder.words("W1 isn't") == ["w1", "is", "n't"]  # cleaned as the run was told to
    model = ElmoModel.from_pretrained(folder).eval()
    batch = ElmoTokenizer.from_pretrained(folder)(["w1 w2 w3"], return_tensors="pt")
    assert model(**batch).last_hidden_state.shape == (1, 3, 32)


def test_text_is_evaluated_as_the_run_did(finished: PretrainResult, text: Path) -> None:
    best = min(finished.history, key=lambda row: row["valid_nll"])
    found = evaluate_text(finished.output, text / "valid.txt", next_word=True).as_dict()
    assert found["mean"] == pytest.approx(best["valid_perplexity"], rel=1e-5)
    assert found["forward"] == pytest.approx(best["valid_forward"], rel=1e-5)
    assert found["backward"] == pytest.approx(best["valid_backward"], rel=1e-5)
    assert found["next_word_f1"] == pytest.approx(best["next_word_f1"], abs=1e-3)
    lines = (text / "valid.txt").read_text(encoding="utf-8").lower().splitlines()
    known = {line.split("\t")[0] for line in (finished.output / "vocab.txt").read_text(encoding="utf-8").splitlines()}
    words = [word for line in lines for word in line.split()]
    assert (found["sentences"], found["words"]) == (20, len(words))
    assert found["predictions"] == len(words) + 20
    assert found["unknown"] == sum(word not in known for word in words) > 0
    # With other preparation the words are other words: all unknown.
    assert evaluate_text(finished.output, text / "valid.txt", normalize=[]).unknown == len(words)
    small = evaluate_text(finished.output, text / "valid.txt", batch_tokens=10)
    assert small.perplexity.mean == pytest.approx(found["mean"], rel=1e-5)


def test_a_stream_is_evaluated_as_one_long_pass(finished: PretrainResult, text: Path, tmp_path: Path) -> None:
    """Forward, the words of the second sentence are read after the first; the oracle reads both as one row."""
    (tmp_path / "two.txt").write_text("w1 w2 w3\nw4 w1\n", encoding="utf-8")
    found = evaluate_text(finished.output, tmp_path / "two.txt", state="carry").perplexity
    model = load(ElmoForPreTraining, finished.output)
    words = {word: n for n, word in enumerate(Vocabulary.load(finished.output / "vocab.txt").words)}
    read = ["<S>", "w1", "w2", "w3", "<S>", "w4", "w1"]
    wanted = [words.get(word, 2) for word in ("w1", "w2", "w3", "</S>", "w4", "w1", "</S>")]
    markers = dict(zip(("<S>", "</S>"), model.elmo.marker_rows(), strict=True))
    rows = [markers[word] if word in markers else torch.from_numpy(char_ids([word])[0]) for word in read]
    with torch.no_grad():
        tokens = model.elmo.token_vectors(torch.stack(rows).long())
        layers, _ = model.elmo.bilm.forward_packed(torch.stack([tokens, tokens]), [1] * len(read))
        nll = model.head.nll(layers[-1][0], torch.tensor(wanted))
    assert found.predictions == 7
    assert found.forward == pytest.approx(float(nll.mean().exp()), rel=1e-5)


def test_a_warm_state_starts_every_sentence(finished: PretrainResult, text: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="contains no warm state: elmo convert --warm-text"):
        evaluate_text(finished.output, text / "valid.txt", state="warm")
    save(load_any(finished.output, warm_text=[["w1", "w2"]], whole=True), tmp_path / "warm")
    (tmp_path / "one.txt").write_text("w3 w1\n", encoding="utf-8")
    found = evaluate_text(tmp_path / "warm", tmp_path / "one.txt", state="warm").perplexity
    model = load(ElmoForPreTraining, tmp_path / "warm")
    with torch.no_grad():
        rows = torch.cat([model.elmo.marker_rows()[:1], torch.from_numpy(char_ids(["w3", "w1"]))]).long()
        tokens = model.elmo.token_vectors(rows)
        start = model.elmo.initial_state(1)
        layers, _ = model.elmo.bilm.forward_packed(torch.stack([tokens, tokens]), [1] * 3, state=start)
        vocabulary = Vocabulary.load(finished.output / "vocab.txt")
        wanted = torch.tensor([vocabulary["w3"], vocabulary["w1"], 1])
        nll = model.head.nll(layers[-1][0], wanted)
    assert found.forward == pytest.approx(float(nll.mean().exp()), rel=1e-5)
    assert found.forward != pytest.approx(evaluate_text(tmp_path / "warm", tmp_path / "one.txt").perplexity.forward)


def test_the_batch_is_chosen_by_the_text_and_kept_on_resume(text: Path, tmp_path: Path) -> None:
    """A run that began with another batch, before the default changed say, resumes with its own."""
    chosen = run(text, tmp_path / "chosen", batch_tokens=None, epochs=1)
    recorded = yaml.safe_load((chosen.output / "config.yaml").read_text(encoding="utf-8"))
    assert recorded["batch_tokens"] == default_batch_tokens(chosen.history[0]["words"]) == 512
    run(text, tmp_path / "run", batch_tokens=150, epochs=1)
    resumed = run(text, tmp_path / "run", batch_tokens=None, resume=True)
    whole = run(text, tmp_path / "whole", batch_tokens=150)
    assert [row["step"] for row in resumed.history] == [row["step"] for row in whole.history]


@pytest.mark.parametrize(("words", "tokens"), [(0, 512), (204_799, 512), (400_000, 1000), (10**7, 6144)])
def test_batches_grow_with_the_text(words: int, tokens: int) -> None:
    assert default_batch_tokens(words) == tokens


@pytest.mark.parametrize("kind", ["word", "subword", "word_char"])
def test_other_token_encoders(text: Path, tmp_path: Path, kind: str) -> None:
    """They pretrain, load everywhere, continue, and know of an unseen word what they can know."""
    settings = {"token_encoder": kind, "n_pieces": 300, "learning_rate": 0.01}
    first = run(text, tmp_path / "run", **settings)
    assert first.history[1]["train_perplexity"] < first.history[0]["train_perplexity"]
    found = evaluate_text(first.output, text / "valid.txt")
    assert found.perplexity.mean == pytest.approx(min(row["valid_perplexity"] for row in first.history), rel=1e-5)
    encoder = Encoder.from_pretrained(first.output)
    one, other, third = encoder.encode([["W1"], ["qq"], ["zz"]], layers=0, is_split_into_words=True)
    assert abs(one - other).max() > 1e-3
    assert (abs(other - third).max() < 1e-6) == (kind == "word")  # two unknown words are one and the same
    assert encoder.score(["W1 W2"])[0].perplexity > 1
    batch = ElmoTokenizer.from_pretrained(first.output)(["W1 W2"], return_tensors="pt")
    hidden = ElmoModel.from_pretrained(first.output).eval()(**batch).hidden_states[0]
    np.testing.assert_allclose(hidden[0, :1].detach().numpy(), one, atol=1e-5)
    gone_on = run(text, tmp_path / "on", from_model=str(first.output), model={}, epochs=1, learning_rate=1e-8)
    assert gone_on.history[0]["valid_perplexity"] == pytest.approx(found.perplexity.mean, rel=1e-3)
    assert (gone_on.output / "lexicon.json").read_bytes() == (first.output / "lexicon.json").read_bytes()


WORD_CHAR = {"token_encoder": "word_char", "word_table": 5, "model": {**MODEL, "word_dim": 6}, "learning_rate": 0.01}


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_frequent_words_have_vectors_beside_their_characters(text: Path, tmp_path: Path, optimizer: str) -> None:
    """Those of the vectors' table learn and are saved; the vector of any other word is zero, whatever was trained."""
    result = run(text, tmp_path / "run", **WORD_CHAR, optimizer=optimizer, weight_decay=0.1)
    lexicon = json.loads((result.output / "lexicon.json").read_text(encoding="utf-8"))
    frequent = Vocabulary.load(result.output / "vocab.txt").words[3:8]
    assert lexicon["words"] == {word: number for number, word in enumerate(frequent)}
    kept = load_file(result.output / "model.safetensors")
    table = kept["elmo.token_encoder.words.embedding.weight"]
    assert table.shape == (6, 6)
    assert not table[0].any()
    assert (table[1:].abs().max(dim=1).values > 1e-3).all()
    model = load(ElmoModel, result.output)
    encoder = Encoder.from_pretrained(result.output)
    words = [frequent[0], frequent[0].lower(), "qq"]
    tokenized = ElmoTokenizer.from_pretrained(result.output)(words, is_split_into_words=True, return_tensors="pt")
    rows = tokenized["char_ids"][0]
    assert rows[:, 0].tolist() == [1, 1, 0]  # a word that the table lacks has the vector of another case
    parts = model.token_encoder
    joined = torch.cat([table[[1, 1, 0]], cast(Any, parts.characters)(rows[:, 1:])], dim=1)
    expected = cast(Any, parts.projection)(joined).detach().numpy()
    found = encoder.encode([words], layers=0, is_split_into_words=True)[0]
    np.testing.assert_allclose(found[:, :16], expected, atol=1e-5)


def test_a_word_table_beside_characters_resumes_and_goes_on_with_other_text(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(text, tmp_path / "whole", **WORD_CHAR)
    run(text, tmp_path / "run", **WORD_CHAR, max_steps=whole.history[0]["step"])
    resumed = run(text, tmp_path / "run", **WORD_CHAR, resume=True, schedule="constant")
    assert resumed.history[-1]["step"] == whole.history[-1]["step"]
    (tmp_path / "new.txt").write_text("W1 W2 novelty W3\n" * 30, encoding="utf-8")
    changes = {"train": [str(tmp_path / "new.txt")], "from_model": str(whole.output), "epochs": 1, "model": {}}
    gone_on = run(text, tmp_path / "on", **changes, new_vocabulary=True, learning_rate=1e-8)
    assert (gone_on.output / "lexicon.json").read_bytes() == (whole.output / "lexicon.json").read_bytes()
    one, other = (
        Encoder.from_pretrained(folder).encode(["W1 novelty"])[0] for folder in (gone_on.output, whole.output)
    )
    np.testing.assert_allclose(one, other, atol=1e-4)
    with pytest.raises(ConfigError, match=r"word_table is 7, the run in .* has 5"):
        run(text, tmp_path / "run", **{**WORD_CHAR, "word_table": 7}, resume=True)
    with pytest.raises(ConfigError, match="n_words is 3 and word_dim 0; expected both or neither"):
        run(text, tmp_path / "none", token_encoder="word_char", model={**MODEL, "word_dim": 0})


def test_a_word_table_beside_characters_starts_from_static_vectors(text: Path, tmp_path: Path) -> None:
    WordVectors(["W1", "nowhere"], np.eye(2, 6, dtype=np.float32)).save(tmp_path / "v.txt")
    settings = {**WORD_CHAR, "initial_vectors": str(tmp_path / "v.txt"), "learning_rate": 1e-8, "epochs": 1}
    result = run(text, tmp_path / "run", **settings)
    lexicon = json.loads((result.output / "lexicon.json").read_text(encoding="utf-8"))["words"]
    table = load_file(result.output / "model.safetensors")["elmo.token_encoder.words.embedding.weight"]
    assert int(table[lexicon["W1"] + 1].argmax()) == 0
    assert table[lexicon["W2"] + 1].abs().max() < 1e-4
    with pytest.raises(ConfigError, match=r"have 6 numbers, the model's words 4: --set model\.word_dim=6"):
        run(text, tmp_path / "other", **{**settings, "model": {**MODEL, "word_dim": 4}})


def test_a_word_table_starts_from_static_vectors(text: Path, tmp_path: Path) -> None:
    vectors = WordVectors(["W1", "W2", "nowhere"], np.eye(3, 16, dtype=np.float32))
    vectors.save(tmp_path / "v.txt")
    settings = {"token_encoder": "word", "initial_vectors": str(tmp_path / "v.txt"), "learning_rate": 1e-8, "epochs": 1}
    result = run(text, tmp_path / "run", **settings)
    one, two = Encoder.from_pretrained(result.output).encode([["W1", "W2"]], layers=0, is_split_into_words=True)[0]
    assert (int(one[:16].argmax()), int(two[:16].argmax())) == (0, 1)
    assert abs(one[1:16]).max() < 1e-4
    with pytest.raises(ConfigError, match="--set token_encoder=word or word_char, no --from"):
        run(text, tmp_path / "other", **{**settings, "token_encoder": "char_cnn"})
    WordVectors(["W1"], np.ones((1, 5), np.float32)).save(tmp_path / "small.txt")
    with pytest.raises(ConfigError, match=r"have 5 numbers, the model's words 16: --set model\.projection_dim=5"):
        run(text, tmp_path / "other", **{**settings, "initial_vectors": str(tmp_path / "small.txt")})
    with pytest.raises(ConfigError, match="use --set token_encoder"):
        run(text, tmp_path / "other", model={"token_encoder": "word"})


def test_the_way_courses_do_it(text: Path, tmp_path: Path) -> None:
    """`preset: classic` sets what is not set; every step stays a switch of its own."""
    values = {"train": [str(text / "train.txt")], "output": str(tmp_path / "run"), "preset": "classic", "epochs": 1}
    config = PretrainConfig(**values, min_count=1, model={"cell_dim": 12, "projection_dim": 12})
    assert (config.token_encoder, config.batch_sentences, config.min_count) == ("word", 32, 1)
    result = pretrain(config, show_progress=False)
    model = load_config(result.output)
    assert (model.token_encoder, model.use_skip_connections, model.softmax) == ("word", False, "full")
    assert model.text_steps == config.normalize
    info = json.loads((result.output / "corpus" / "corpus.json").read_text(encoding="utf-8"))
    lengths = sorted(len(line.split()) for line in (text / "train.txt").read_text(encoding="utf-8").splitlines())
    assert info["settings"]["max_words"] == lengths[int(np.ceil(0.95 * len(lengths))) - 1]
    assert PretrainConfig(**{**values, "preset": "mini"}).batch_sentences is None
    with pytest.raises(ConfigError, match=r"^preset classic prepares text in its own way, and --from"):
        load_settings(PretrainConfig, **cast(Any, values), from_model=str(result.output))


def test_training_in_stream_mode_evaluates_in_stream_mode(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_STREAM_ROW", 10_000)
    dropout = {"dropout": 0.2, "locked_dropout": True, "weight_dropout": 0.3}
    result = run(text, tmp_path / "run", mode="stream", epochs=1, model={**MODEL, **dropout})
    found = evaluate_text(result.output, text / "valid.txt", state="carry").as_dict()
    assert found["mean"] == pytest.approx(result.history[0]["valid_perplexity"], rel=1e-5)
    assert evaluate_text(result.output, text / "valid.txt").perplexity.mean != pytest.approx(found["mean"], rel=1e-5)


def test_a_finished_run_is_left_alone(finished: PretrainResult, text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (finished.output / "config.yaml").unlink()  # it is written again, with --resume in it
    before = content(finished.output)
    values = settings(text, finished.output, normalize=["lower_case"], learning_rate=0.01, resume=True)
    again = pretrain(PretrainConfig(**values))
    assert "has finished after 2 epochs: nothing to do" in capsys.readouterr().err
    assert again.history == finished.history
    after = content(finished.output)
    assert after.pop("config.yaml")
    assert after == before


def test_going_on_with_a_model_keeps_vocabulary_and_preparation(
    finished: PretrainResult, text: Path, tmp_path: Path
) -> None:
    (tmp_path / "new.txt").write_text("W1 W2 novelty W3\n" * 30, encoding="utf-8")
    changes = {"train": [str(tmp_path / "new.txt")], "from_model": str(finished.output), "epochs": 1, "model": {}}
    gone_on = run(text, tmp_path / "run", **changes, learning_rate=1e-8)
    assert (gone_on.output / "vocab.txt").read_bytes() == (finished.output / "vocab.txt").read_bytes()
    best = min(row["valid_perplexity"] for row in finished.history)
    assert gone_on.history[0]["valid_perplexity"] == pytest.approx(best, rel=1e-3)
    config = json.loads((gone_on.output / "config.json").read_text(encoding="utf-8"))
    assert config["text_steps"] == ["lower_case"]
    found = evaluate_text(gone_on.output, tmp_path / "new.txt")
    assert (found.words, found.unknown) == (120, 30)
    adapted = run(text, tmp_path / "adapted", **changes, learning_rate=1e-2)
    assert adapted.history[0]["train_perplexity"] < gone_on.history[0]["train_perplexity"]


def test_going_on_with_new_words_needs_no_softmax(finished: PretrainResult, text: Path, tmp_path: Path) -> None:
    """The biLM stays as it was, whatever was trained to predict before; what is predicted is that of the new text."""
    (tmp_path / "new.txt").write_text("W1 W2 novelty W3\n" * 30, encoding="utf-8")
    bare = tmp_path / "bare"
    ElmoModel.from_pretrained(finished.output).save_pretrained(bare)
    changes = {"train": [str(tmp_path / "new.txt")], "from_model": str(bare), "epochs": 1, "learning_rate": 1e-8}
    with pytest.raises(ModelError, match=r"has no vocab\.txt"):
        run(text, tmp_path / "run", **changes, model={})
    with pytest.raises(ConfigError, match=r"model\.cell_dim is set, but --from"):
        run(text, tmp_path / "run", **changes, new_vocabulary=True, model={"cell_dim": 5})
    gone_on = run(text, tmp_path / "run", **changes, new_vocabulary=True, model={"softmax": "full"})
    words = (gone_on.output / "vocab.txt").read_text(encoding="utf-8").split()
    assert "novelty" in words
    assert "W9" not in words
    assert load_config(gone_on.output).softmax == "full"
    np.testing.assert_allclose(
        Encoder.from_pretrained(gone_on.output).encode(["W1 W5"])[0],
        Encoder.from_pretrained(finished.output).encode(["W1 W5"])[0],
        atol=1e-4,
    )
    found = evaluate_text(gone_on.output, tmp_path / "new.txt")
    assert (found.words, found.unknown) == (120, 0)
    with pytest.raises(ConfigError, match="new_vocabulary needs --from"):
        run(text, tmp_path / "other", new_vocabulary=True)


@pytest.mark.parametrize("softmax", ["full", "sampled"])
def test_going_on_with_new_words_begins_with_what_the_old_softmax_knew(
    finished: PretrainResult, text: Path, tmp_path: Path, softmax: str
) -> None:
    """The words of both predict as before; a new one begins as likely as it is frequent."""
    before = evaluate_text(finished.output, text / "valid.txt").perplexity.mean
    changes = {"from_model": str(finished.output), "epochs": 1, "learning_rate": 1e-8, "new_vocabulary": True}
    gone_on = run(text, tmp_path / "same", **changes, model={"softmax": softmax})
    assert gone_on.history[0]["valid_perplexity"] == pytest.approx(before, rel=0.1)
    lines = (text / "train.txt").read_text(encoding="utf-8").splitlines()
    (tmp_path / "more.txt").write_text("\n".join([*lines, *["novelty " * 9] * 20]), encoding="utf-8")
    more = run(text, tmp_path / "more", **changes, train=[str(tmp_path / "more.txt")], model={"softmax": softmax})
    assert more.history[0]["valid_perplexity"] < 2 * before


@pytest.mark.parametrize("softmax", ["full", "sampled", "adaptive"])
def test_training_in_bfloat16_learns_what_training_in_float32_does(text: Path, tmp_path: Path, softmax: str) -> None:
    model = {**MODEL, "softmax": softmax, "n_negative_samples": 20, "adaptive_cutoffs": [10]}
    rough, exact = (
        run(text, tmp_path / precision, model=model, precision=precision, learning_rate=0.01).history[-1]
        for precision in ("bfloat16", "float32")
    )
    assert rough["valid_perplexity"] == pytest.approx(exact["valid_perplexity"], rel=0.05)
    weights = load_file(tmp_path / "bfloat16" / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 1.0), ("adagrad", 0.2), ("muon", 0.01)])
def test_other_optimizers_learn(text: Path, tmp_path: Path, optimizer: str, rate: float) -> None:
    changed = {"optimizer": optimizer, "learning_rate": rate, "clip_norm": 5.0, "epochs": 6}
    result = run(text, tmp_path / "run", **changed)
    first, last = (result.history[place]["valid_perplexity"] for place in (0, -1))
    assert last < first < 50  # of 50 words


def test_early_stopping_keeps_the_best_epoch(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([3.0, 2.0, 2.5, 2.1, 1.0])
    whole = evaluate_batches

    def told(*arguments: Any, **keywords: Any) -> Any:
        found, guesses = whole(*arguments, **keywords)
        return replace(found, mean=math.exp(next(losses))), guesses

    monkeypatch.setattr(loop, "evaluate_batches", told)
    result = run(text, tmp_path / "run", epochs=9, patience=2)
    assert [row["valid_nll"] for row in result.history] == pytest.approx([3.0, 2.0, 2.5, 2.1])
    (last,) = (tmp_path / "run" / "checkpoints").iterdir()
    kept, final = load_file(tmp_path / "run" / "model.safetensors"), load_file(last / "model.safetensors")
    assert any(not torch.equal(kept[key], final[key]) for key in kept)
    assert run(text, tmp_path / "run", epochs=9, patience=2, resume=True).history == result.history


@pytest.mark.parametrize("token_encoder", ["char_cnn", "subword"])
def test_words_may_be_read_in_another_case_than_they_are_predicted(
    text: Path, tmp_path: Path, token_encoder: str
) -> None:
    changed: dict[str, Any] = {"epochs": 1, "token_encoder": token_encoder, "n_pieces": 300}
    changed["model"] = {} if token_encoder == "subword" else MODEL
    plain = run(text, tmp_path / "plain", **changed)
    augmented = run(text, tmp_path / "augmented", case_augmentation=0.5, **changed)
    assert augmented.history[0]["train_nll"] != plain.history[0]["train_nll"]
    for name in ("vocab.txt", "corpus/corpus.json", "corpus/chars.bin"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "augmented" / name).read_bytes()


def test_a_word_model_cannot_read_words_in_another_case(text: Path, tmp_path: Path) -> None:
    run(text, tmp_path / "words", epochs=1, token_encoder="word", model={"softmax": "full"})
    with pytest.raises(ConfigError, match=r"looks whole words up"):
        run(text, tmp_path / "more", from_model=str(tmp_path / "words"), model={}, case_augmentation=0.1)
    assert not (tmp_path / "more" / "config.yaml").exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": "sentence"},
        {"mode": "stream"},
        {"mode": "stream", "average_decay": 0.9},
        {"mode": "sentence", "accumulate": 2, "batch_tokens": 50},
        {"mode": "stream", "accumulate": 3, "stream_window": 5},
        {"mode": "sentence", "precision": "bfloat16"},
        {"mode": "sentence", "optimizer": "muon"},
        {"mode": "sentence", "case_augmentation": 0.4, "typo_augmentation": 0.2},
        {"mode": "stream", "case_augmentation": 0.4, "typo_augmentation": 0.2},
    ],
    ids=str,
)
@pytest.mark.usefixtures("code_path")
def test_an_interrupt_saves_a_checkpoint_and_the_run_goes_on_exactly(
    text: Path, tmp_path: Path, changed: dict[str, Any]
) -> None:
    def interrupted(done: TrainingStep) -> None:
        if done.step == 10:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run(text, tmp_path / "run", **changed, on_step=interrupted)
    assert signal.getsignal(signal.SIGINT) is before
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-0000010"]
    run(text, tmp_path / "run", **changed, resume=True)
    run(text, tmp_path / "whole", **changed)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("run", "whole"))
    assert all(torch.equal(one[key], other[key]) for key in other)


def test_a_task_trained_before_in_bfloat16_changes_nothing(text: Path, tmp_path: Path) -> None:
    """accelerate keeps the number type of the last training in the process."""
    run(text, tmp_path / "before", epochs=1)
    AcceleratorState._reset_state()
    Accelerator(mixed_precision="bf16", cpu=True)
    run(text, tmp_path / "after", epochs=1)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("before", "after"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_accumulated_batches_make_the_update_of_one_large_batch(text: Path, tmp_path: Path) -> None:
    changed: dict[str, Any] = {"mode": "sentence", "epochs": 1, "shuffle": False, "optimizer": "sgd"}
    changed |= {"learning_rate": 0.5, "schedule": "constant", "warmup_steps": 0, "model": {**MODEL, "dropout": 0.0}}
    whole = run(text, tmp_path / "whole", batch_tokens=10_000, **changed)
    parts = run(text, tmp_path / "parts", batch_tokens=50, accumulate=1_000, **changed)
    assert whole.metrics["steps"] == parts.metrics["steps"] == 1
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-6)


def test_the_result_is_the_moving_average_of_the_weights(text: Path, tmp_path: Path) -> None:
    average: dict[str, torch.Tensor] = {}

    def followed(done: TrainingStep) -> None:
        n = done.step - 1  # updates before this one
        for name, weight in done.model.named_parameters():
            decay = 0.0 if n == 0 else min(0.7, (1 + n) / (10 + n))
            average[name] = decay * average.get(name, weight.detach()) + (1 - decay) * weight.detach()

    result = run(text, tmp_path / "run", average_decay=0.7, epochs=1, learning_rate=0.05, on_step=followed)
    kept = load_file(tmp_path / "run" / "model.safetensors")
    assert average.keys() <= kept.keys()
    for name, weight in average.items():
        torch.testing.assert_close(kept[name], weight, rtol=1e-5, atol=1e-6)
    (last,) = (tmp_path / "run" / "checkpoints").iterdir()
    trained = load_file(last / "model.safetensors")
    assert any((kept[name] - trained[name]).abs().max() > 1e-3 for name in average)
    found = evaluate_text(tmp_path / "run", text / "valid.txt").as_dict()
    assert found["mean"] == pytest.approx(result.history[-1]["valid_perplexity"], rel=1e-5)
    with pytest.raises(ConfigError, match=r"--resume: average_decay is 0.0, the run in .* has 0.7"):
        run(text, tmp_path / "run", epochs=2, resume=True)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_cure(text: Path, tmp_path: Path) -> None:
    def spoil(done: TrainingStep) -> None:
        with torch.no_grad():
            next(done.model.parameters()).fill_(math.nan)

    with pytest.raises(ModelError, match=r"loss became nan before step 3: --resume .*--set learning_rate=0.0005"):
        run(text, tmp_path / "run", on_step=spoil)
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_full_disk_keeps_the_checkpoint_before(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(text, tmp_path / "run", epochs=1)
    (before,) = (tmp_path / "run" / "checkpoints").iterdir()
    kept = content(before)

    def full(*args: Any, **keywords: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(DataError, match=r"cannot write the checkpoint .*: No space left on device; free space"):
            run(text, tmp_path / "run", epochs=2, resume=True)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == [before.name]
    assert content(before) == kept
    assert len(run(text, tmp_path / "run", epochs=2, resume=True).history) == 2


def test_nothing_is_removed_before_the_next_checkpoint_is_in_place(tmp_path: Path) -> None:
    class Alone:
        is_main_process, process_index = True, 0

        def wait_for_everyone(self) -> None: ...

        def save_state(self, folder: str) -> None:
            (Path(folder) / "weights").write_text("new", encoding="utf-8")

    checkpoints = checkpoint.Checkpoints(tmp_path, Alone())  # type: ignore[arg-type]
    checkpoints.save(7, None, facts={"corpus": "a"})
    assert checkpoints.facts() == {"corpus": "a"}
    checkpoints.save(7, None, facts={"corpus": "b"})
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000007-2"]
    (tmp_path / "step-0000009.partial").mkdir()
    assert checkpoints.latest() == tmp_path / "step-0000007-2"
    checkpoints.save(10, None, facts={})
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000010"]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"train": ["gone.txt"]}, DataError, "gone.txt matches no file"),
        ({"valid": "gone.txt"}, DataError, "gone.txt matches no file"),
        ({"train": ["{tmp}/empty.txt"]}, DataError, "empty.txt contains no text"),
        ({"train": ["{tmp}/junk.txt"]}, DataError, "junk.txt is a PNG picture"),
        ({"preset": "huge"}, ConfigError, "Unknown preset 'huge'"),
        ({"model": {"cel_dim": 3}}, ConfigError, "Unknown model setting 'cel_dim'. Did you mean 'cell_dim'"),
        ({"model": {"vocab_size": 3}}, ConfigError, "model.vocab_size comes from the text"),
        ({"normalize": ["shout"]}, ConfigError, "unknown clean-up step 'shout'"),
        ({"from_model": "{tmp}/none", "model": {}}, ModelError, "There is no model folder"),
        ({"output": "{tmp}/empty.txt"}, ConfigError, "is a file; expected a folder"),
        (
            {"output": "{tmp}/empty.txt/run"},
            ConfigError,
            r"output folder .*empty\.txt/run cannot be made: File exists \(--output\)$",
        ),
        ({"output": "{tmp}"}, ConfigError, "is not empty; --resume continues"),
        ({"output": "{tmp}", "overwrite": True}, ConfigError, "holds files but no earlier run"),
        ({"mode": "stream", "stream_rows": 10_000}, DataError, "too little for 10000 rows; --set stream_rows"),
        (
            {"token_encoder": "word", "model": {}, "typo_augmentation": 0.1},
            ConfigError,
            "the token encoder looks whole words up: use token_encoder=char_cnn",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    text: Path, tmp_path: Path, change: dict[str, Any], kind: type[ElmokitError], message: str
) -> None:
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    (tmp_path / "junk.txt").write_bytes(b"\x89PNG" + bytes(range(256)) * 9)
    filled = json.loads(json.dumps(change).replace("{tmp}", str(tmp_path)))
    with pytest.raises(kind, match=message) as caught:
        run(text, Path(filled.pop("output", tmp_path / "run")), **filled)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preset": "mini"}, "--resume: preset is 'mini', the run in .* has 'tiny'"),
        ({"model": {**MODEL, "cell_dim": 48}}, "--resume: model is "),
        ({"seed": 5}, "--resume: seed is 5, the run in .* has 13"),
        ({"batch_tokens": 7}, "--resume: batch_tokens is 7"),
        ({"case_augmentation": 0.1}, "--resume: case_augmentation is 0.1, the run in .* has 0.0"),
        ({"normalize": []}, r"--resume: normalize is \[\]"),
    ],
)
def test_a_run_cannot_become_another_one(
    finished: PretrainResult, text: Path, change: dict[str, Any], message: str
) -> None:
    before = content(finished.output)
    with pytest.raises(ConfigError, match=message):
        run(text, finished.output, **{"normalize": ["lower_case"], "resume": True, **change})
    assert content(finished.output) == before


def test_a_checkpoint_of_another_shape(finished: PretrainResult, text: Path, tmp_path: Path) -> None:
    shutil.copytree(finished.output, tmp_path / "run")
    (tmp_path / "run" / "config.yaml").unlink()
    with pytest.raises(ModelError, match=r"checkpoint .* does not fit this run or is damaged .*size mismatch"):
        run(text, tmp_path / "run", normalize=["lower_case"], resume=True, model={**MODEL, "cell_dim": 48})
    shutil.rmtree(tmp_path / "run" / "corpus")
    with pytest.raises(DataError, match="is not the text that the run"):
        run(text, tmp_path / "run", resume=True)


def test_a_run_is_not_resumed_with_other_text_or_beside_another_writer(finished: PretrainResult, text: Path) -> None:
    file = next(Path(name) for name in settings(text, finished.output)["train"])
    content = file.read_bytes()
    file.write_bytes(content + b"more words\n")
    try:
        with pytest.raises(ConfigError, match="is not the file that the unfinished run"):
            run(text, finished.output, normalize=["lower_case"], resume=True)
    finally:
        file.write_bytes(content)
    with single_writer(finished.output), pytest.raises(ConfigError, match="another process is writing"):
        run(text, finished.output, normalize=["lower_case"], resume=True)


def test_overwriting_leaves_the_old_run_until_the_new_text_is_ready(
    finished: PretrainResult, text: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.output, folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    before = content(folder)
    with pytest.raises(DataError, match="contains no text"):
        run(text, folder, overwrite=True, train=[str(tmp_path / "empty.txt")])
    assert content(folder) == before
    result = run(text, folder, overwrite=True, epochs=1)
    assert len(result.history) == 1
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"
    steps = [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert steps == sorted(steps)
    assert steps.count(0) == 1


def test_words_split_before_stay_whole(text: Path, tmp_path: Path) -> None:
    (tmp_path / "split.txt").write_text("do n't isn't New\u00a0York U.S.\n" * 30, encoding="utf-8")
    result = run(text, tmp_path / "run", train=[str(tmp_path / "split.txt")], valid=None, pre_split=True, epochs=1)
    assert ElmoTokenizer.from_pretrained(result.output).words("isn't it") == ["isn't", "it"]
    assert evaluate_text(result.output, tmp_path / "split.txt").unknown == 0
    assert evaluate_text(result.output, tmp_path / "split.txt", pre_split=False).unknown > 0


def test_the_command_line_prints_one_line_and_exits_with_2(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.yaml").write_text("epoch: 3\n", encoding="utf-8")
    arguments = ["--train", str(text / "train.txt"), "--output", str(tmp_path / "run")]
    for more, message in (
        (
            ["--config", str(tmp_path / "run.yaml")],
            "error: unknown setting 'epoch' (did you mean 'epochs'?); known here: header, delimiter, quote, encoding",
        ),
        (["--set", "batch_tokens=-1"], "'batch_tokens': expected a whole number above 0 (or null), got -1"),
        (["--from", str(tmp_path)], "is no model folder: it has no config.json."),
    ):
        monkeypatch.setattr(sys, "argv", ["elmo", "pretrain", *arguments, *more])
        with pytest.raises(SystemExit, match="2"):
            main()
        printed = capsys.readouterr().err
        assert message in printed
        assert printed.count("\n") == 1
    assert not (tmp_path / "run").exists()
