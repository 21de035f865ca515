"""A larger model grown out of a trained one: the same function of token vectors, a char CNN that was taught."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from elmokit.models.loading import load, word_rows_of
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.token_encoders import WordCharEncoder
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.loop import pretrain
from elmokit.static.vectors import WordVectors
from elmokit.text.word_rows import ByteRows
from grow_model import main
from growing.spelling import make_lesson
from growing.word_table import moved_vectors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text and `model`, a biLM with a table of words that read it."""
    folder = tmp_path_factory.mktemp("grow")
    generator = np.random.default_rng(1)
    lines = [" ".join(f"word{number}" for number in generator.integers(0, 60, size=8)) for _ in range(100)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pretrain(
        PretrainConfig(
            train=[str(folder / "text.txt")], output=folder / "model", preset="tiny", token_encoder="word_char",
            word_table=30, min_count=1, batch_tokens=200, epochs=2, precision="float32",
            model={"word_dim": 8, "adaptive_cutoffs": [10, 30], "adaptive_div_value": 4.0},
        ),
        show_progress=False,
    )  # fmt: skip
    return folder


def grow(folder: Path, output: Path, *more: str) -> int:
    wide = ["--set", "cell_dim=48", "--set", "filters=[[1, 8], [2, 16], [3, 24]]"]
    return main([str(folder / "model"), "--output", str(output), *wide, "--set", "batch_words=128", *more])


def test_the_larger_model_says_the_same_of_the_same_token_vectors(folder: Path, tmp_path: Path) -> None:
    assert grow(folder, tmp_path / "grown", "--set", "updates=1") == 0
    before, after = (load(ElmoForPreTraining, path) for path in (folder / "model", tmp_path / "grown"))
    assert after.config.cell_dim == 48
    assert after.config.token_encoder == "char_cnn"
    x = torch.randn(2, 9, 16, generator=torch.Generator().manual_seed(2))
    layers = [model.bilm.forward_packed(x, [3, 3, 2, 1])[0] for model in (before, after)]
    for small, large in zip(*layers, strict=True):
        torch.testing.assert_close(large, small, atol=1e-6, rtol=0)
    rows = x.flatten(0, 1)
    torch.testing.assert_close(after.head.log_probs(rows), before.head.log_probs(rows), atol=1e-5, rtol=0)
    tails = [weight.shape for name, weight in after.head.named_parameters() if name.endswith(".0.weight")]
    assert tails == [(16, 16), (16, 16)]


def test_the_char_cnn_learns_the_vectors_of_the_words(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = []
    for updates in (1, 200):
        given = ("--set", f"updates={updates}", "--set", "learning_rate=0.01", "--valid", str(folder / "text.txt"))
        assert grow(folder, tmp_path / f"after{updates}", *given) == 0
        printed = capsys.readouterr().out
        left.append(float(re.search(r"token vectors: ([\d.]+)% of the variance", printed)[1]))  # type: ignore[index]
        assert len(re.findall(r"held-out perplexity, (?:trained|grown): [\d.]+", printed)) == 2
    assert left[1] < 0.3 * left[0]


def test_its_training_goes_on(folder: Path, tmp_path: Path) -> None:
    assert grow(folder, tmp_path / "grown", "--set", "updates=2") == 0
    result = pretrain(
        PretrainConfig(
            train=[str(folder / "text.txt")], output=tmp_path / "more", from_model=str(tmp_path / "grown"), max_steps=2
        ),
        show_progress=False,
    )
    assert result.metrics["steps"] == 2


def test_a_table_of_words_is_kept(folder: Path, tmp_path: Path) -> None:
    assert main([str(folder / "model"), "--set", "words=table", "--output", str(tmp_path / "kept")]) == 0
    before, kept = (load(ElmoForPreTraining, path) for path in (folder / "model", tmp_path / "kept"))
    for name, weight in before.elmo.state_dict().items():
        torch.testing.assert_close(kept.elmo.state_dict()[name], weight, atol=0, rtol=0)
    number = word_rows_of(tmp_path / "kept")(["WORD7", "word7", "other"])[:, 0]
    assert number[0] == number[1] > number[2] == 0


def test_the_head_may_be_kept(folder: Path, tmp_path: Path) -> None:
    given = [str(folder / "model"), "--set", "words=table", "--set", "head=kept"]
    assert main([*given, "--output", str(tmp_path / "kept")]) == 0
    before, kept = (load(ElmoForPreTraining, path) for path in (folder / "model", tmp_path / "kept"))
    assert kept.config.adaptive_div_value == before.config.adaptive_div_value != 1.0
    for name, weight in before.state_dict().items():
        torch.testing.assert_close(kept.state_dict()[name], weight, atol=0, rtol=0)


def test_static_vectors_make_a_table_of_other_words(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"word{number}" for number in range(60)]
    WordVectors(words, np.random.default_rng(3).normal(size=(60, 8)).astype(np.float32)).save(tmp_path / "static.txt")
    given = ["--set", "words=table", "--vectors", str(tmp_path / "static.txt"), "--set", "table=50"]
    left = []
    for size in (4, 16):
        output, settings = tmp_path / f"{size}", ["--set", f"word_dim={size}", "--set", "updates=30"]
        assert main([str(folder / "model"), "--output", str(output), *given, *settings]) == 0
        left.append(float(re.search(r"alone, ([\d.]+)% with", capsys.readouterr().out)[1]))  # type: ignore[index]
        assert word_rows_of(output)(["word49", "WORD49", "word50"])[:, 0].tolist() == [50, 50, 0]
        assert load(ElmoForPreTraining, output).config.word_dim == size
    assert left[1] < left[0]


def test_a_char_cnn_is_taught_vectors_that_moved_towards_static_ones(folder: Path, tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(60)]
    static = WordVectors(words, np.random.default_rng(3).normal(size=(60, 8)).astype(np.float32))
    static.save(tmp_path / "static.txt")
    trained, reads = load(ElmoForPreTraining, folder / "model").elmo.token_encoder, word_rows_of(folder / "model")
    assert isinstance(trained, WordCharEncoder)
    moved = moved_vectors(trained, reads, static, share=0.5)
    lesson = make_lesson(trained, reads, words, [1.0] * 60, moved)
    torch.testing.assert_close(lesson.vectors[2:62], moved, atol=0, rtol=0)
    capitals = torch.from_numpy(ByteRows(reads.max_characters)([word.upper() for word in words]))
    for row, vector in zip(capitals, moved, strict=True):
        (place,) = (lesson.spellings == row).all(dim=1).nonzero().flatten()
        torch.testing.assert_close(lesson.vectors[place], vector, atol=0, rtol=0)
    for share in ("0", "1"):
        given = ["--vectors", str(tmp_path / "static.txt"), "--set", "updates=20", "--set", f"share={share}"]
        assert grow(folder, tmp_path / share, *given) == 0
    models = [load(ElmoForPreTraining, tmp_path / share) for share in ("0", "1")]
    assert [model.config.token_encoder for model in models] == ["char_cnn", "char_cnn"]
    weights = [model.elmo.token_encoder.projection.weight for model in models]
    assert not torch.equal(*weights)


def test_what_does_not_go_with_a_table_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grow(folder, tmp_path / "out", "--set", "words=table") == 2
    assert "filters are set" in capsys.readouterr().err
    given = [str(folder / "model"), "--output", str(tmp_path / "out")]
    assert main([*given, "--set", "table=5"]) == 2
    assert "characters alone has no table" in capsys.readouterr().err
    assert main([*given, "--set", "words=table", "--set", "table=5"]) == 2
    assert "another table needs static vectors" in capsys.readouterr().err
    assert main([*given, "--set", "words=table", "--vectors", str(tmp_path / "none.txt")]) == 2
    assert "none.txt" in capsys.readouterr().err


def test_what_cannot_be_grown_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grow(folder, tmp_path / "out", "--set", "cell_dim=8") == 2
    assert "cell_dim is 8; expected at least the 32 of" in capsys.readouterr().err
    (tmp_path / "used").mkdir()
    assert grow(folder, tmp_path / "used") == 2
    assert "exists: --overwrite replaces it" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["used"]


def test_a_missing_text_is_told_before_the_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grow(folder, tmp_path / "out", "--valid", str(tmp_path / "nowhere.txt")) == 2
    printed = capsys.readouterr()
    assert "nowhere.txt" in printed.err
    assert "token vectors" not in printed.out
    assert list(tmp_path.iterdir()) == []


def test_lstms_without_a_projection_get_no_more_cells(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pretrain(
        PretrainConfig(
            train=[str(folder / "text.txt")], output=tmp_path / "plain", preset="tiny", max_steps=1,
            model={"cell_dim": 16, "projection_dim": 16},
        ),
        show_progress=False,
    )  # fmt: skip
    assert main([str(tmp_path / "plain"), "--output", str(tmp_path / "out"), "--set", "cell_dim=48"]) == 2
    assert "cell_dim is 48; expected the 16 of" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
