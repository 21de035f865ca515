"""`elmo score`: the surprisal of every word, beside `Encoder.score` and an own sum over the softmax."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner, Result

from elmokit import Encoder
from elmokit.cli.app import app
from elmokit.encode.score_file import ScoreSettings, score_file
from elmokit.models import ElmoForPreTraining
from helpers.engines import engine_of
from helpers.web_models import WORDS, save_bilm, save_classifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bilm(tmp_path_factory.mktemp("lm"))


def elmo(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def scored(folder: Path, source: Path, *options: str) -> pd.DataFrame:
    output = source.with_suffix(".scores.jsonl")
    result = elmo("score", folder, source, "--output", output, "--overwrite", *options)
    assert result.exit_code == 0, result.output
    return pd.DataFrame(json.loads(line) for line in output.read_text(encoding="utf-8").splitlines())


TEXT = "The bank, of the river was wet.\n\nzork and cell\nthe\n"


def test_figures_are_those_of_the_encoder(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text(TEXT, encoding="utf-8")
    frame = scored(folder, source)
    scores = Encoder.from_pretrained(folder).score(TEXT.splitlines())
    assert frame["word"].tolist() == [word for score in scores for word in score.words]
    assert frame["known"].tolist() == [known for score in scores for known in score.known]
    for name, column in (("forward", "forward"), ("backward", "backward"), ("both", "mean")):
        expected = np.concatenate([getattr(score, column) for score in scores])
        np.testing.assert_allclose(frame[name], expected, atol=1e-5)
    assert frame["sentence"].unique().tolist() == [0, 2, 3]  # the blank line keeps its number
    assert frame["position"].tolist() == [place for score in scores for place in range(len(score.words))]
    lines = TEXT.splitlines()
    cut = [lines[row.sentence][row.start : row.end] for row in frame.itertuples()]
    assert cut == frame["word"].tolist()


def test_figures_are_those_of_an_own_sum_over_the_softmax(folder: Path, tmp_path: Path) -> None:
    """One direction at a time, one prefix or suffix at a time, log-softmax in double precision."""
    words = ["the", "zork", "was", "wet"]
    (tmp_path / "a.txt").write_text(" ".join(words) + "\n", encoding="utf-8")
    frame = scored(folder, tmp_path / "a.txt", "--pretokenized")
    model = ElmoForPreTraining.from_pretrained(folder).eval()
    engine = engine_of(Encoder(model.elmo))
    size = model.config.projection_dim
    weight, bias = (each.detach().double() for each in (model.head.weight, model.head.bias))
    vocabulary = [*["<S>", "</S>", "<UNK>"], *sorted(WORDS)]
    expected: dict[str, list[float]] = {"forward": [], "backward": []}
    for place, word in enumerate(words):
        target = vocabulary.index(word) if word in vocabulary else 2
        for name, part, at, half in (
            ("forward", words[:place], place, slice(None, size)),  # the last word of the prefix, or <S>
            ("backward", words[place + 1 :], 1, slice(size, None)),  # the first of the suffix, or </S>
        ):
            with torch.inference_mode():
                ((_, layers),) = engine.layers([part], batch_size=1, zero_state=True, markers=True)
            logits = weight @ layers[-1][at, half].double() + bias
            log_p = float(logits[target]) - float(torch.logsumexp(logits, dim=0))
            expected[name].append(-log_p / np.log(2))
    np.testing.assert_allclose(frame["forward"], expected["forward"], atol=1e-5)
    np.testing.assert_allclose(frame["backward"], expected["backward"], atol=1e-5)
    np.testing.assert_allclose(frame["both"], (np.array(expected["forward"]) + expected["backward"]) / 2, atol=1e-5)
    assert frame["known"].tolist() == [True, False, True, True]


@pytest.mark.parametrize("ending", [".tsv", ".csv", ".parquet"])
def test_other_files(folder: Path, tmp_path: Path, ending: str) -> None:
    source = tmp_path / "a.txt"
    source.write_text('the "bank" was\n', encoding="utf-8")
    expected = scored(folder, source)
    output = tmp_path / f"b{ending}"
    assert elmo("score", folder, source, "--output", output).exit_code == 0
    frame = pd.read_parquet(output) if ending == ".parquet" else pd.read_csv(output, sep=None, engine="python")
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)


def test_words_of_the_reader(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("  the bank's  wet-land\n", encoding="utf-8")
    assert scored(folder, source)["word"].tolist() == ["the", "bank", "'s", "wet-land"]
    frame = scored(folder, source, "--pretokenized")
    assert frame["word"].tolist() == ["the", "bank's", "wet-land"]
    assert frame[["start", "end"]].to_numpy().tolist() == [[2, 5], [6, 12], [14, 22]]
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"tokens": ["the", "New York", "bank"]}\n', encoding="utf-8")
    frame = scored(folder, rows)
    assert frame["word"].tolist() == ["the", "New York", "bank"]
    assert frame[["start", "end"]].to_numpy().tolist() == [[0, 3], [4, 12], [13, 17]]


def test_other_sources(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("id,stimulus\n7,The bank. The river.\n", encoding="utf-8")
    frame = scored(folder, table, "--column", "stimulus", "--split-sentences")
    assert frame["sentence"].tolist() == [0, 0, 0, 1, 1, 1]
    tree = tmp_path / "a.conllu"
    tree.write_text("# text = del bank\n1\tde\t_\n2\tel\t_\n3\tbank\t_\n", encoding="utf-8")
    assert scored(folder, tree)["word"].tolist() == ["de", "el", "bank"]


def test_text_that_is_split_already_is_warned_of_once(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.txt").write_text("the <unk> bank\n", encoding="utf-8")
    scored(folder, tmp_path / "a.txt", "--quiet")
    assert len([record for record in caplog.records if "--pretokenized takes them" in record.message]) == 1


def test_memory_does_not_grow_with_the_text(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elmokit.encode.score_file._WINDOW_SENTENCES", 20)
    encoder = Encoder.from_pretrained(folder)
    peaks = []
    for lines in (100, 800):
        (tmp_path / "a.txt").write_text("the bank of the river\n" * lines, encoding="utf-8")
        settings = ScoreSettings(str(tmp_path / "a.txt"), tmp_path / "out.tsv")
        score_file(encoder, settings, overwrite=True, progress=False)
        tracemalloc.start()
        found = score_file(encoder, settings, overwrite=True, progress=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.words == 5 * lines
    assert peaks[1] < 2 * peaks[0]


def test_what_is_refused_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("the bank\n", encoding="utf-8")
    blank, output = tmp_path / "blank.txt", tmp_path / "out.tsv"
    blank.write_text("\n \n", encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text('{"text": "the bank"}\n{"text": 1\n', encoding="utf-8")
    for model, read, name, message in (
        (folder, blank, "out.tsv", "contains no text: no word was found"),
        (folder, tmp_path / "gone.txt", "out.tsv", "gone.txt matches no file"),
        (folder, tmp_path / "bad.jsonl", "out.tsv", "bad.jsonl line 2 is no JSON"),
        (folder, source, "out.txt", "expected a name that ends in .csv, .tsv, .jsonl, .parquet"),
        (
            save_classifier(tmp_path / "topic"),
            source,
            "out.tsv",
            "is a text classifier of elmo train and has no language-model head",
        ),
        ("elmo-none", source, "out.tsv", "elmo-none"),
    ):
        result = elmo("score", model, read, "--output", tmp_path / name)
        assert result.exit_code == 2 and message in result.stderr, result.output
        assert not output.exists() and not list(tmp_path.glob(".out*"))
    output.write_text("precious")
    result = elmo("score", folder, source, "--output", output)
    assert result.exit_code == 2 and "--overwrite replaces it" in result.stderr
    assert output.read_text() == "precious"


def test_quiet_prints_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the bank\n", encoding="utf-8")
    result = elmo("score", folder, tmp_path / "a.txt", "--output", tmp_path / "out.tsv", "--quiet")
    assert (result.stdout, result.stderr) == ("", "")
