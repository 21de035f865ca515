"""The judge of vectors on an invented data folder, whose answers are known, and on small models."""

from __future__ import annotations

import gzip
import json
import lzma
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import judge_vectors
from elmokit.errors import DataError, ModelError
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.run_folder import write_json
from elmokit.static.vectors import WordVectors
from judging.candidates import trained
from judging.sets import JudgingSets

BIRDS = [f"bird{number}" for number in range(6)]
ANGLES = [number * 0.3 for number in range(6)]  # of each bird from the first one
CHEERFUL, GLOOMY, NAME = "splendid", "dreadful", "Marlowe"


def word_pairs() -> str:
    pairs = [f"{BIRDS[0]} {bird} {10 - number}" for number, bird in enumerate(BIRDS)]
    return "\n".join([*pairs, f"{BIRDS[0]} unheard 1.5"]) + "\n"


def sentence_pairs() -> str:
    return "".join(f"{5 - number}\t{BIRDS[0]} {BIRDS[0]}\t{bird}\n" for number, bird in enumerate(BIRDS))


def entities(count: int) -> str:
    sentences = [
        f"-DOCSTART- -X- O O\n\n{BIRDS[n % 6]} NN I-NP O\n{NAME} NNP I-NP I-PER\n{BIRDS[n % 5]} NN I-NP O\n"
        for n in range(count)
    ]
    return "\n".join(sentences)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Only what may be read; no test set that is kept for the end."""
    folder = tmp_path / "data"
    files = {
        "wordsim/EN-MEN-TR-3k.txt": word_pairs(),
        "wordsim/EN-SIMLEX-999.txt": word_pairs(),
        "sts12_16/12.marsh.tsv.xz": sentence_pairs(),
        "sts12_16/12.harbour.tsv.xz": sentence_pairs(),
        "sts12_16/13.marsh.tsv.xz": sentence_pairs(),
        "senteval/CR/custrev.pos.txt.xz": "".join(f"{BIRDS[n % 6]} {CHEERFUL} .\n" for n in range(300)),
        "senteval/CR/custrev.neg.txt.xz": "".join(f"{BIRDS[n % 6]} {GLOOMY} .\n" for n in range(200)),
        "conll2003/eng.train.gz": entities(1000),
        "conll2003/eng.testa.gz": entities(12),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode()
        path.write_bytes({".xz": lzma.compress, ".gz": gzip.compress}.get(path.suffix, bytes)(raw))
    return folder


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """Birds on an arc, so that their cosines fall with their number, and other words in directions of their own."""
    matrix = np.zeros((9, 24), np.float32)
    matrix[:6, 0], matrix[:6, 1] = np.cos(ANGLES), np.sin(ANGLES)
    matrix[6, 2], matrix[7, 3], matrix[8, 4:] = 1, 1, 1
    file = tmp_path / "arc.txt"
    WordVectors([*BIRDS, CHEERFUL, GLOOMY, NAME], matrix).save(file)
    return file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "marsh_model")
    return tmp_path / "marsh_model"


def test_vectors_that_know_everything(data: Path, vectors: Path, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert judge_vectors.main(["--data", str(data), "--vectors", str(vectors), "--json", str(file)]) == 0
    (figures,) = json.loads(file.read_text(encoding="utf-8"))
    assert figures["model"] == "arc.txt"
    assert figures["words"]["MEN"] == {"rho": {"0": pytest.approx(1.0)}, "pairs": 6, "all_pairs": 7}
    assert figures["sts"]["12"]["spearman"] == {"0": pytest.approx(1.0), "average": pytest.approx(1.0)}
    assert 0.9 < figures["sts"]["12"]["pearson"]["average"] < 1.0  # cosines fall along an arc, scores along a line
    assert figures["reviews"] == 1.0
    assert figures["entities"] == {"0": 1.0}
    assert figures["perplexity"] is None


def test_one_table_of_all_rows(data: Path, vectors: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(model), "--untrained", "--vectors", str(vectors), "--data", str(data), "--sts", "12", "13"]
    assert judge_vectors.main(arguments) == 0
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert head == [
        "model", "perplexity", "MEN 0", "MEN 1", "MEN 2", "MEN pairs", "SimLex 0", "SimLex 1", "SimLex 2",
        "SimLex pairs", "STS12 0", "STS12 1", "STS12 2", "STS12 average", "STS13 0", "STS13 1", "STS13 2",
        "STS13 average", "CR average", "NER 0", "NER 1", "NER 2",
    ]  # fmt: skip
    assert [row[0] for row in rows] == ["marsh_model", "marsh_model, untrained", "arc.txt"]
    known, random_weights, static = (dict(zip(head, row, strict=True)) for row in rows)
    assert (known["MEN pairs"], static["MEN pairs"], static["MEN 1"]) == ("100.0%", "85.7%", "–")
    assert "–" not in list(known.values())[2:]
    assert known["MEN 0"] != random_weights["MEN 0"]


def test_the_figures_are_the_same_every_time(data: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        judge_vectors.main([str(model), "--untrained", "--data", str(data)])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_perplexity_is_that_of_the_epoch_that_was_kept(model: Path) -> None:
    epochs = [{"valid_nll": math.log(ppl), "valid_perplexity": ppl} for ppl in (300.0, 120.0, 150.0)]
    write_json(model / "metrics.json", {"epochs": epochs})
    assert trained(str(model)).perplexity == 120.0
    write_json(model / "metrics.json", {"epochs": [{"train_nll": 5.0}]})
    assert trained(str(model)).perplexity is None


def test_figures_of_another_kind_are_told(model: Path) -> None:
    write_json(model / "metrics.json", {"epochs": 3})
    with pytest.raises(ModelError, match=r"metrics.json is not the metrics.json of a run of elmo pretrain"):
        trained(str(model))


@pytest.mark.parametrize("line", ["5\tone sentence", "five\tone\tother"])
def test_a_broken_sentence_pair_is_told(data: Path, line: str) -> None:
    (data / "sts12_16" / "12.marsh.tsv.xz").write_bytes(lzma.compress(f"1\ta\tb\n{line}\n".encode()))
    with pytest.raises(DataError, match=r"12.marsh.tsv.xz line 2: expected a score and two sentences"):
        JudgingSets.read(data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "DATA"], "nothing to judge"),
        (["elmo-mini", "--data", "DATA/nowhere"], "nowhere is not the folder of the data sets"),
        (["DATA", "--data", "DATA"], "config.json"),
        (["--vectors", "DATA/none.txt", "--data", "DATA"], "cannot read the vectors"),
        (["elmo-mini"], "set ELMOKIT_DATA, or give --data"),
    ],
)
def test_bad_input_is_one_line(
    data: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ELMOKIT_DATA", raising=False)
    assert judge_vectors.main([argument.replace("DATA", str(data)) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_sets_kept_for_the_end_are_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        judge_vectors.main(["elmo-mini", "--data", str(data), "--sts", "15"])
    assert "invalid choice: '15'" in capsys.readouterr().err
