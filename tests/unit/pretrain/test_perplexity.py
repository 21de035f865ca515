from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor

from elmokit.models import ElmoConfig, ElmoForPreTraining
from elmokit.pretrain import perplexity, word_table
from elmokit.pretrain.corpus import Corpus, build_corpus
from elmokit.pretrain.perplexity import evaluate_batches, evaluate_text, weighted_scores
from elmokit.pretrain.stream import SentenceBatches
from elmokit.pretrain.word_table import WordTable

AMONG = 5


@pytest.mark.parametrize("classes", [1, 3, 40])
def test_weighted_scores_are_those_of_scikit_learn(classes: int) -> None:
    generator = np.random.default_rng(0)
    gold, found = (generator.integers(0, classes, 300) for _ in range(2))
    gold[:100] = found[:100]
    expected = precision_recall_fscore_support(gold, found, average="weighted", zero_division=0)[:3]
    assert weighted_scores(gold, found) == pytest.approx(expected, abs=1e-12)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    generator = np.random.default_rng(1)
    lines = (" ".join(f"w{n}" for n in generator.zipf(1.3, generator.integers(1, 9)) if n < 300) for _ in range(120))
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    return build_corpus(tmp_path / "a.txt", None, tmp_path / "corpus", pre_split=True, max_vocab=60)


def model_of(corpus: Corpus) -> ElmoForPreTraining:
    torch.manual_seed(3)
    config = ElmoConfig.preset("tiny", vocab_size=len(corpus.vocab), adaptive_cutoffs=[10, 30])
    model = ElmoForPreTraining(config)
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.normal_(0, 1)
    return model


def test_figures_are_those_of_the_whole_distribution(corpus: Corpus) -> None:
    """Counted position by position from `log_probs`."""
    model = model_of(corpus).train()
    batches = SentenceBatches(corpus, corpus.train, tokens=50, shuffle=False)
    found, guesses = evaluate_batches(model, batches.read(0), next_word=True)
    assert model.training
    assert guesses is not None
    model.eval()
    losses, golds, bests, among = [], [], [], []
    with torch.no_grad():
        for batch in batches.read(0):
            hidden, _ = model.hidden(batch.chars, batch.index, batch.batch_sizes)
            log_probs, gold = model.log_probs(hidden.flatten(0, 1)), batch.targets.flatten()
            losses.append(-log_probs.gather(1, gold[:, None]).view(batch.targets.shape))
            golds.append(gold)
            bests.append(log_probs.argmax(dim=1))
            among.append((log_probs.topk(AMONG, dim=1).indices == gold[:, None]).any(dim=1))
    nll = torch.cat(losses, dim=1).double().mean(dim=1)
    targets, best = torch.cat(golds).numpy(), torch.cat(bests).numpy()
    assert found.forward == pytest.approx(float(nll[0].exp()), rel=1e-6)
    assert found.backward == pytest.approx(float(nll[1].exp()), rel=1e-6)
    assert guesses.top1 == pytest.approx((targets == best).mean())
    assert guesses.top5 == pytest.approx(float(torch.cat(among).double().mean()))
    expected = precision_recall_fscore_support(targets, best, average="weighted", zero_division=0)[:3]
    assert (guesses.precision, guesses.recall, guesses.f1) == pytest.approx(expected)


def test_no_batches() -> None:
    found, guesses = evaluate_batches(ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=9)), [], next_word=True)
    assert found.predictions == 0
    assert guesses is None


@pytest.mark.parametrize("room", [1 << 20, 5 * 64, 1])
def test_the_vector_of_a_word_is_computed_once_where_there_is_room(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(word_table, "_BYTES", room)
    model, computed = model_of(corpus).eval(), []

    def vectors(rows: Tensor) -> Tensor:
        computed.append(len(rows))
        return model.elmo.token_vectors(rows)

    table = WordTable(vectors, dim=16, device=torch.device("cpu"))
    distinct = set()
    with torch.no_grad():
        for batch in SentenceBatches(corpus, corpus.train, tokens=50, shuffle=False).read(0):
            torch.testing.assert_close(table.vectors(batch), model.elmo.token_vectors(batch.chars))
            distinct |= set(batch.words.tolist())
    assert len(distinct) > 40
    assert (sum(computed) == len(distinct)) == (room == 1 << 20)


@pytest.mark.parametrize("units", [True, False])
def test_bfloat16_is_close_and_float32_where_there_are_no_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, units: bool
) -> None:
    monkeypatch.setattr(perplexity, "multiplies", lambda *_: units)
    text = " ".join(["a", "b", "a", "c", "a b c"] * 40)
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    exact = evaluate_text("elmo-mini", tmp_path / "a.txt").perplexity.mean
    found = evaluate_text("elmo-mini", tmp_path / "a.txt", precision="bfloat16").perplexity.mean
    if units:
        assert found != exact
        assert found == pytest.approx(exact, rel=0.02)
    else:
        assert found == exact
