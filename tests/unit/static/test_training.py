"""`elmo train vectors`, and gensim called as we say we call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from elmokit.cli.app import app
from elmokit.static.numbered import number_text
from elmokit.static.vectors import WordVectors

gensim = pytest.importorskip("gensim", reason="pip install elmokit[static] to train cbow and skipgram")

TOPICS = (["bank", "money", "rate", "loan"], ["river", "water", "shore", "boat"])


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences that keep to one of two topics."""
    draw = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("text") / "a.txt"
    lines = (" ".join(["the", *draw.choice(TOPICS[number % 2], 6)]) for number in range(600))
    path.write_text("\n".join(lines))
    return path


def elmo(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in ("train", "vectors", *arguments)])


@pytest.mark.parametrize("method", ["svd", "cbow", "skipgram"])
def test_words_of_a_topic_are_neighbours(text: Path, tmp_path: Path, method: str) -> None:
    output = tmp_path / "v.txt"
    options = ["--method", method, "--train", text, "--output", output, "--dim", 4, "--epochs", 20, "--seed", 3]
    result = elmo(*options)
    assert result.exit_code == 0, result.output
    vectors = WordVectors.load(output)
    assert (len(vectors), vectors.dim) == (9, 4)
    for topic in TOPICS:
        for word in topic:
            assert {near for near, _ in vectors.nearest(word, 3)} < {*topic, "the"}
    about = json.loads((tmp_path / "v.txt.json").read_text())
    assert about["settings"]["method"] == method
    assert about["tokens"] == about["known_tokens"] == 600 * 7
    assert len(about["loss"]) == (0 if method == "svd" else 20)
    assert elmo(*options).exit_code == 2
    before = output.read_bytes()
    assert elmo(*options, "--overwrite").exit_code == 0
    assert output.read_bytes() == before


@pytest.mark.parametrize("method", ["cbow", "skipgram"])
def test_gensim_itself_gives_the_same(text: Path, method: Any) -> None:
    from elmokit.static.word2vec import word2vec_vectors

    sentences = [line.split() for line in text.read_text().splitlines()]
    losses: list[float] = []
    ours = word2vec_vectors(
        number_text(sentences), method=method, dim=5, window=2, negative=3, epochs=2, seed=7,
        on_epoch=lambda epoch, loss: losses.append(loss),
    )  # fmt: skip
    theirs = gensim.models.Word2Vec(
        sentences, vector_size=5, window=2, negative=3, epochs=2, seed=7, sg=int(method == "skipgram"), workers=1,
        min_count=1, sample=1e-3, alpha=0.025,
    )  # fmt: skip
    np.testing.assert_array_equal(ours.matrix, theirs.wv[ours.words])
    assert len(losses) == 2
    assert all(loss > 0 for loss in losses)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "{tmp}/v.npy"], "expected a name that ends in .txt, .vec or .bin"),
        (["--output", "{tmp}/no/v.txt"], "does not exist"),
        (["--output", "{tmp}/v.txt", "--min-count", "9999"], "no word occurs 9999 times"),
        (["--output", "{tmp}/v.txt", "--method", "svd"], "dim is 256; expected fewer than the 9 words"),
        (["--output", "{tmp}/v.txt", "--clean", "polish"], "polish"),
        (["--output", "{tmp}/v.txt", "--set", "windows=3"], "windows"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(text: Path, tmp_path: Path, options: list[str], message: str) -> None:
    result = elmo("--train", text, *(option.format(tmp=tmp_path) for option in options), "--quiet")
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("method", ["cbow", "skipgram"])
def test_a_long_text_is_read_to_its_end(method: Any) -> None:
    """gensim reads 10,000 words of a sentence."""
    from elmokit.static.word2vec import word2vec_vectors

    text = number_text([[f"a{n % 9}" for n in range(10_000)] + [f"b{n % 9}" for n in range(5_000)]])
    short, long = (word2vec_vectors(text, method=method, dim=5, epochs=epochs, subsample=0) for epochs in (1, 3))
    for word in text.words:
        assert abs(short[word] - long[word]).max() > 0.01
