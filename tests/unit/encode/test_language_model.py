"""Surprisal and substitutes, against the model asked word by word."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from elmokit import Encoder
from elmokit.cli.app import app
from elmokit.errors import ModelError
from elmokit.models import ElmoConfig, ElmoForPreTraining, ElmoModel, ElmoTokenizer
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.text.vocab import Vocabulary
from helpers.engines import engine_of
from helpers.web_models import save_classifier

WORDS = ["the", "bank", "of", "river", "was", "wet", "and", "cell"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lm")
    torch.manual_seed(3)
    vocabulary = Vocabulary.from_counts(dict.fromkeys(WORDS, 9))
    model = ElmoForPreTraining(ElmoConfig.preset("tiny", vocab_size=len(vocabulary)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # far from uniform
    model.save_pretrained(path)
    vocabulary.save(path / "vocab.txt")
    ElmoTokenizer().save_pretrained(path)
    return path


def distributions(folder: Path, words: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """p(· | before), p(· | after) at each place, (words, V) each, one direction at a time, and the vocabulary."""
    model = ElmoForPreTraining.from_pretrained(folder).eval()
    (layers,) = Encoder(model.elmo).encode([words], is_split_into_words=True)
    size = layers.shape[2] // 2
    # The state behind <S> and before </S> needs a word on the other side of the marker: the empty sentence has both.
    encoder = Encoder(model.elmo)
    ((markers,),) = [
        [found] for _, (*_, found) in engine_of(encoder).layers([[]], batch_size=1, zero_state=True, markers=True)
    ]
    with torch.no_grad():
        before = torch.cat([markers[:1, :size], torch.from_numpy(layers[-1][:-1, :size])])
        after = torch.cat([torch.from_numpy(layers[-1][1:, size:]), markers[1:, size:]])
        return (
            model.log_probs(before).exp().numpy(), model.log_probs(after).exp().numpy(),
            Vocabulary.load(folder / "vocab.txt").words,
        )  # fmt: skip


def test_surprisal_is_that_of_the_models_distributions(folder: Path) -> None:
    words = ["the", "river", "was", "unheard-of"]
    score, empty = Encoder.from_pretrained(folder).score([words, []], is_split_into_words=True)
    before, after, vocabulary = distributions(folder, words)
    ids = [vocabulary.index(word) if word in vocabulary else 2 for word in words]
    for found, p in ((score.forward, before), (score.backward, after)):
        np.testing.assert_allclose(found, -np.log2(p[np.arange(4), ids]), rtol=1e-5)
    np.testing.assert_allclose(score.mean, (score.forward + score.backward) / 2)
    assert score.known.tolist() == [True, True, True, False]
    assert score.words == words
    assert (len(empty.forward), math.isfinite(empty.perplexity)) == (0, True)


def test_perplexity_is_that_of_elmo_evaluate(folder: Path, tmp_path: Path) -> None:
    for text in ("the bank of the river was wet", "cell"):
        (tmp_path / "one.txt").write_text(text + "\n")
        (score,) = Encoder.from_pretrained(folder).score([text])
        evaluated = evaluate_text(folder, tmp_path / "one.txt").perplexity
        assert score.perplexity == pytest.approx(evaluated.mean, rel=1e-5)


@pytest.mark.parametrize("state", ["zero", "carry"])
def test_each_file_of_a_text_and_all_together(folder: Path, tmp_path: Path, state: Literal["zero", "carry"]) -> None:
    texts = {"a.txt": "the bank of the river\nunheard-of\n", "b.txt": "cell and cell\n"}
    for name, text in {**texts, "whole.txt": "".join(texts.values())}.items():
        (tmp_path / name).write_text(text)
    files = [tmp_path / name for name in texts]
    found = evaluate_text(folder, files, next_word=True, state=state)
    whole = evaluate_text(folder, tmp_path / "whole.txt", next_word=True, state=state)
    assert list(found.files) == list(map(str, files))
    assert not whole.files
    assert found.perplexity.mean == pytest.approx(whole.perplexity.mean, rel=1e-5)
    assert found.next_word is not None
    assert found.next_word.as_dict() == pytest.approx(whole.next_word and whole.next_word.as_dict())
    assert (found.words, found.sentences, found.unknown) == (whole.words, whole.sentences, whole.unknown) == (9, 3, 1)
    first = evaluate_text(folder, files[0], next_word=True, state=state)
    assert found.files[str(files[0])].as_dict() == pytest.approx(first.as_dict(), rel=1e-5)
    assert found.as_dict()["files"][str(files[1])]["words"] == 3


def test_substitutes_are_the_words_that_both_directions_like(folder: Path) -> None:
    words = ["the", "bank", "was", "wet"]
    before, after, vocabulary = distributions(folder, words)
    expected = before[1] * after[1]
    order = [vocabulary[i] for i in np.argsort(-expected) if i > 2]
    encoder = Encoder.from_pretrained(folder)
    found = encoder.substitutes("the bank was wet", 1, k=4)
    assert [word for word, *_ in found] == order[:4]
    best = vocabulary.index(found[0].word)
    assert found[0].forward == pytest.approx(before[1][best], rel=1e-4)
    assert found[0].backward == pytest.approx(after[1][best], rel=1e-4)
    assert found[0].score == pytest.approx(math.log(expected[best]), rel=1e-4)
    assert encoder.substitutes(words, -3, k=4) == found
    assert len(encoder.substitutes(words, 0, k=100)) == len(WORDS)
    assert encoder.substitutes(pd.Series(words), 1, k=4) == found
    with pytest.raises(IndexError, match="4 words; there is no word 4"):
        encoder.substitutes(words, 4)


def test_models_without_a_head_say_so(tmp_path: Path) -> None:
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path)
    for encoder in (Encoder.from_pretrained(tmp_path), Encoder(ElmoModel(ElmoConfig.preset("tiny")))):
        with pytest.raises(ModelError, match="no language-model head"):
            encoder.score(["a"])


def test_the_command_prints_each_file_and_all_together(folder: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("the bank of the river\n" * (1 + (name == "b.txt")))
    printed = CliRunner().invoke(app, ["evaluate", str(folder), "--text", str(tmp_path / "*.txt")]).stdout.splitlines()
    assert printed[0::3] == [f"{tmp_path / 'a.txt'}:", f"{tmp_path / 'b.txt'}:", "all 2 files together:"]
    assert [line.split()[0] for line in printed[1::3]] == ["5", "10", "15"]
    one = CliRunner().invoke(app, ["evaluate", str(folder), "--text", str(tmp_path / "a.txt")]).stdout.splitlines()
    assert one == printed[1:3]


def test_a_classifier_is_told_what_it_is(tmp_path: Path) -> None:
    folder, text = save_classifier(tmp_path / "topic"), tmp_path / "a.txt"
    text.write_text("the bank\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["evaluate", str(folder), "--text", str(text)])
    assert result.exit_code == 2
    assert "topic is a text classifier of elmo train and has no language-model head: expected a folder" in result.stderr


def test_markers_in_a_text_are_unknown_words(folder: Path, tmp_path: Path) -> None:
    words = ["the", "river", "<S>", "</S>", "<UNK>", "was"]
    (tmp_path / "one.txt").write_text(" ".join(words) + "\n")
    (score,) = Encoder.from_pretrained(folder).score([words], is_split_into_words=True)
    assert score.known.tolist() == [True, True, False, False, False, True]
    evaluated = evaluate_text(folder, tmp_path / "one.txt", pre_split=True).perplexity
    assert score.perplexity == pytest.approx(evaluated.mean, rel=1e-5)
