"""A small head for a finished model: what it learns, what stays, and what is refused."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from elmokit.encode.encoder import Encoder
from elmokit.errors import ConfigError, DataError, ModelError
from elmokit.models.loading import load, load_config
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.pretrain import head_fitting
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.head_fitting import FitHeadConfig, fit_head
from elmokit.pretrain.loop import pretrain
from elmokit.pretrain.perplexity import evaluate_text

SCRIPT = Path(__file__).parents[2] / "recipes" / "fit_head.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text whose next word follows from the last one, and `model`, a biLM that knows it."""
    folder = tmp_path_factory.mktemp("head")
    generator = np.random.default_rng(1)
    for name, count in (("train", 150), ("valid", 30)):
        lines = []
        for _ in range(count):
            first, step = generator.integers(0, 60), generator.integers(1, 4)
            lines.append(" ".join(f"W{(first + step * place) % 60}" for place in range(generator.integers(4, 12))))
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {
        "train": [str(folder / "train.txt")], "valid": str(folder / "valid.txt"), "output": str(folder / "model"),
        "preset": "tiny", "model": {"softmax": "full", "dropout": 0.0}, "min_count": 1, "batch_tokens": 150,
        "epochs": 12, "optimizer": "adam", "learning_rate": 0.02, "precision": "float32",
        "normalize": ["lower_case"],
    }  # fmt: skip
    pretrain(PretrainConfig(**settings), show_progress=False)
    return folder


def settings(folder: Path, output: Path, **changed: Any) -> dict[str, Any]:
    return {
        "model": str(folder / "model"), "train": [str(folder / "train.txt")], "valid": str(folder / "valid.txt"),
        "output": str(output), "cutoffs": [8, 20], "div_value": 2.0, "train_words": 30_000, "batch_rows": 256,
        "learning_rate": 0.01, "precision": "float32", **changed,
    }  # fmt: skip


def fit(folder: Path, output: Path, **changed: Any) -> head_fitting.HeadFit:
    return fit_head(FitHeadConfig(**settings(folder, output, **changed)), show_progress=False)


@pytest.mark.parametrize("objective", ["distribution", "text"])
def test_a_small_head_comes_close_to_the_large_one(folder: Path, tmp_path: Path, objective: str) -> None:
    found = fit(folder, tmp_path / "small", objective=objective)
    assert found.small_parameters < found.large_parameters
    assert found.small.mean < 0.9 * found.start.mean
    assert found.small.mean < (1.2 if objective == "distribution" else 1.5) * found.large.mean
    large = evaluate_text(folder / "model", folder / "valid.txt").perplexity
    small = evaluate_text(tmp_path / "small", folder / "valid.txt").perplexity
    assert found.large.mean == pytest.approx(large.mean, rel=1e-5)
    assert found.small.mean == pytest.approx(small.mean, rel=1e-5)
    told = json.loads((tmp_path / "small" / "head_fitting.json").read_text(encoding="utf-8"))
    assert told["loss"] == pytest.approx(found.small.mean / found.large.mean)
    assert told["settings"]["cutoffs"] == [8, 20]


def test_nothing_but_the_head_changes(folder: Path, tmp_path: Path) -> None:
    fit(folder, tmp_path / "small", train_words=500)
    before, after = (load_file(path / "model.safetensors") for path in (folder / "model", tmp_path / "small"))
    bilm = [name for name in before if name.startswith("elmo.")]
    assert sorted(bilm) == sorted(name for name in after if name.startswith("elmo."))
    assert all(torch.equal(before[name], after[name]) for name in bilm)
    config = load_config(tmp_path / "small")
    assert (config.softmax, config.adaptive_cutoffs, config.adaptive_div_value) == ("adaptive", [8, 20], 2.0)
    assert config.text_steps == ["lower_case"]
    for name in ("vocab.txt", "tokenizer_config.json"):
        assert (tmp_path / "small" / name).read_bytes() == (folder / "model" / name).read_bytes()
    one, other = (Encoder.from_pretrained(path).encode(["W1 W5"])[0] for path in (folder / "model", tmp_path / "small"))
    np.testing.assert_array_equal(one, other)
    assert Encoder.from_pretrained(tmp_path / "small").score(["W1 W2"])[0].perplexity > 1
    again = fit(folder, tmp_path / "again", train_words=500)
    assert again.small == fit(folder, tmp_path / "third", train_words=500).small
    smaller = fit(folder, tmp_path / "smaller", model=str(tmp_path / "small"), div_value=4.0, train_words=9)
    assert smaller.large_parameters == again.small_parameters > smaller.small_parameters


def test_the_gradient_is_that_of_the_divergence(folder: Path) -> None:
    """Summed over parts of the rows it is that of the mean over all."""
    model = load(ElmoForPreTraining, folder / "model")
    small = head_fitting._with_small_head(model, FitHeadConfig(**settings(folder, folder / "none")))
    hidden = torch.randn(40, 16, generator=torch.Generator().manual_seed(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head_fitting, "rows_at_once", lambda size: 7)
        loss = head_fitting._backward(model.head, small.head, hidden, torch.zeros(40, dtype=torch.long), "distribution")
    found = [parameter.grad for parameter in small.head.parameters()]
    small.head.zero_grad()
    p, q = model.head.log_probs(hidden).exp(), small.head.log_probs(hidden)
    expected = (p * (p.log() - q)).sum(1).mean()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    for one, parameter in zip(found, small.head.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-4, atol=1e-6)


def test_each_row_is_read_once_a_pass_and_as_many_as_asked_for(folder: Path) -> None:
    model = load(ElmoForPreTraining, folder / "model")
    config = FitHeadConfig(**settings(folder, folder / "none"))
    from elmokit.pretrain.corpus import build_corpus
    from elmokit.pretrain.setup import load_vocabulary

    vocabulary = load_vocabulary(folder / "model")
    corpus = build_corpus(folder / "train.txt", None, folder / "rows", normalize=["lower_case"], from_vocab=vocabulary)
    one_pass = 2 * (corpus.train.n_tokens + len(corpus.train))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head_fitting, "_CHUNK", 600)
        chunks = list(head_fitting._chunks(model, corpus, config, one_pass + 5, torch.float32))
    assert [len(hidden) for hidden, _ in chunks[:-1]] == [512] * (len(chunks) - 1)
    assert sum(len(targets) for _, targets in chunks) == one_pass + 5
    targets = torch.cat([targets for _, targets in chunks])[:one_pass]
    counts = torch.bincount(targets, minlength=len(vocabulary))
    assert counts[3:].tolist() == [2 * vocabulary.counts[number] for number in range(3, len(vocabulary))]


def test_what_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="used is in use; name a folder that is empty or not there"):
        fit(folder, tmp_path / "used")
    with pytest.raises(ConfigError, match=r"adaptive_cutoffs is \[8, 9000\]; expected rising positive numbers below"):
        fit(folder, tmp_path / "small", cutoffs=[8, 9000])
    with pytest.raises(ModelError, match="is no model folder"):
        fit(folder, tmp_path / "small", model=str(tmp_path))
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="contains no text"):
        fit(folder, tmp_path / "small", valid=str(tmp_path / "empty.txt"))
    monkeypatch.setattr(head_fitting, "_backward", lambda *arguments: float("nan"))
    with pytest.raises(ModelError, match=r"the loss became nan in update 1: lower .*--set learning_rate=0.0025"):
        fit(folder, tmp_path / "small")

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(head_fitting, "_backward", lambda *arguments: 1.0)
    monkeypatch.setattr(head_fitting, "save_model", full)
    with pytest.raises(DataError, match=r"cannot write .*small: No space left on device"):
        fit(folder, tmp_path / "small", train_words=10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.txt", "used"]


def test_the_recipe_prints_what_the_small_head_costs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runpy.run_path(str(SCRIPT), run_name="imported")["main"]
    text = ["--train", str(folder / "train.txt"), "--valid", str(folder / "valid.txt")]
    more = ["--set", "cutoffs=[8, 20]", "--set", "train_words=100", "--set", "batch_rows=64"]
    assert run([str(folder / "model"), *text, "--output", str(tmp_path / "small"), *more]) == 0
    printed = capsys.readouterr().out
    assert "| head | parameters | held-out perplexity | × large |" in printed
    assert f"written to {tmp_path / 'small'}" in printed
    assert run([str(folder / "model"), *text, "--output", str(tmp_path / "other"), "--set", "cutoff=[8]"]) == 2
    assert "error: unknown setting 'cutoff'" in capsys.readouterr().err
