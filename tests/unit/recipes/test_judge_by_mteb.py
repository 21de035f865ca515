"""The sets of the data folder as tasks of MTEB, in the real package."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
import torch
from scipy.stats import spearmanr

pytest.importorskip("mteb", reason="pip install '.[mteb,sentence-transformers]' to test the tasks")
pytest.importorskip("sentence_transformers", reason="pip install '.[mteb,sentence-transformers]' to test the tasks")

import judge_by_mteb
from elmokit import Encoder
from elmokit.models import ElmoConfig, ElmoModel
from english_text.data_folder import DataFolder
from judging.mteb_tasks import tasks

pytestmark = pytest.mark.slow
LINES = [f"bird {number} sings {'well' if number % 2 else 'badly'} ." for number in range(60)]
PAIRS = [(n % 6, LINES[n], LINES[(7 * n) % 60]) for n in range(30)]
FILES = {
    "wordsim/EN-MEN-TR-3k.txt.xz": "bird lark 9\n",
    **{f"sts12_16/{year}.marsh.tsv.xz": "".join("\t".join(map(str, pair)) + "\n" for pair in PAIRS)
       for year in range(12, 17)},
    **{f"senteval/{name}.{kind}.txt.xz": "\n".join([f"it is {opinion}"] * 30)
       for name in ("CR/custrev", "MPQA/mpqa") for kind, opinion in (("neg", "bad"), ("pos", "splendid"))},
    "senteval/MRPC/msr_paraphrase_test.txt.xz": "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n" + "".join(
        f"{n % 2}\t1\t2\t{LINES[n]}\t{LINES[n + 1 - n % 2]}\n" for n in range(40)),
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(text.encode()))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder)
    return folder


def test_scores_are_those_of_the_encoders_vectors(data: Path, model: Path) -> None:
    found = judge_by_mteb.mteb_scores(model, tasks(DataFolder(data)), layers="top")
    encoder = Encoder.from_pretrained(model)
    texts = [[pair[1] for pair in PAIRS], [pair[2] for pair in PAIRS]]
    one, other = (encoder.encode(side, layers="top", level="sentence", pooling="mean") for side in texts)
    expected = spearmanr([pair[0] for pair in PAIRS], encoder.similarity_pairwise(one, other)).statistic
    assert found["STS14Files"] == pytest.approx(expected, abs=1e-3)  # ranks of cosines that are nearly equal may swap
    assert set(found) == {*(f"STS{year}Files" for year in range(12, 17)), "CRFiles", "MPQAFiles", "MRPCFiles"}
    assert found["MRPCFiles"] == pytest.approx(1.0)  # a paraphrase is the sentence itself
    assert found["CRFiles"] == found["MPQAFiles"] == 1.0  # the same two sentences again and again


def test_the_table(data: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [str(model), "--data", str(data), "--layers", "0", "top", "--tasks", "STS12Files"]
    assert judge_by_mteb.main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| model | layers | STS12 |"
    assert [line.split(" | ")[1] for line in lines[2:]] == ["0", "top"]
    assert judge_by_mteb.main([str(model), "--data", str(data), "--tasks", "STS11Files"]) == 2
    assert "Unknown tasks STS11Files. Expected some of: STS12Files" in capsys.readouterr().err
