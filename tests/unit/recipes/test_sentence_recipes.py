"""Sentence vectors, senses and respelt sentences judged on invented data whose answers are known."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import matthews_corrcoef

import judge_robustness
import judge_sentences
import report_vectors
from elmokit import Encoder
from elmokit.analysis.occurrences import Occurrence
from elmokit.errors import DataError
from elmokit.models import ElmoConfig, ElmoModel
from elmokit.text.vocab import Vocabulary
from english_text.data_folder import DataFolder
from judging.pooled_texts import PooledTexts, settings
from judging.representations import Contextual, TfIdf
from judging.robustness import robustness
from judging.senses import FirstSenses, Instance, instances, nearest_senses
from judging.sentence_measures import fold_score, held_out_score, spearman
from judging.sentence_sets import Labelled, acceptability, opinions, paraphrases
from judging.sets import SentencePair

LINES = [f"bird {number} sings {'well' if number % 2 else 'badly'} ." for number in range(60)]
SENSES = """<corpus><text><sentence>
<wf lemma="the" pos="DET">The</wf><instance id="d0" lemma="Bank" pos="NOUN">bank</instance></sentence></text></corpus>
"""
FILES = {
    "wordsim/EN-MEN-TR-3k.txt": "bird lark 9\nbird crow 5\nlark crow 2\nbird stone 1\n",
    **{f"sts12_16/{year}.marsh.tsv.xz": "".join(f"{n % 6}\t{LINES[n]}\t{LINES[n + 1]}\n" for n in range(30))
       for year in range(12, 17)},
    "senteval/CR/custrev.pos.txt.xz": "\n".join(LINES[1::2]), "senteval/CR/custrev.neg.txt.xz": "\n".join(LINES[::2]),
    "senteval/MPQA/mpqa.pos.txt.xz": "\n".join(LINES[1::2]), "senteval/MPQA/mpqa.neg.txt.xz": "\n".join(LINES[::2]),
    **{f"senteval/MRPC/msr_paraphrase_{part}.txt.xz": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n" + "".join(
        f"{n % 2}\t1\t2\t{LINES[n]}\t{LINES[n + n % 2]}\n" for n in range(40)) for part in ("train", "test")},
    **{f"cola/{part}.tsv.xz": "".join(f"gj04\t{n % 2}\t\t{line}\n" for n, line in enumerate(LINES))
       for part in ("train", "dev")},
    "lm_open/valid.txt.xz": "\n".join(LINES),
    **{f"wsd_all_words/{name}.data.xml.xz": SENSES
       for name in ("senseval2", "senseval3", "semeval2013", "semeval2015")},
    **{f"wsd_all_words/{name}.gold.key.txt.xz": "d0 bank%1:17:01:: bank%1:14:00::\n"
       for name in ("senseval2", "senseval3", "semeval2013", "semeval2015")},
    "ag_news/test.csv.gz": "".join(f'"1","A {word}ing of {word}","x"\n' for word in (
        f"{a}{b}rd" for a in "bcdfghjklmnpqrstvwxyz" for b in ("a", "e", "i", "o", "u", "aa", "ee", "ii", "oo", "uu",
                                                             "ai", "ei", "oi", "ui", "au", "eu", "ou", "ia", "ie",
                                                             "io"))),
}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.encode()
        path.write_bytes({".xz": lzma.compress, ".gz": gzip.compress}.get(path.suffix, bytes)(raw))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "marsh_model")
    Vocabulary.from_counts({"bird": 30, ".": 60, "sings": 4}).save(tmp_path / "marsh_model" / "vocab.txt")
    return tmp_path / "marsh_model"


def test_every_setting_is_what_the_encoder_gives(model: Path) -> None:
    encoder = Encoder.from_pretrained(model)
    component = encoder.fit_common_component(LINES)
    texts = PooledTexts(encoder, [*LINES, ""], component)
    wanted = list(settings(encoder))
    assert len(wanted) == 5 * 4 * 2
    for setting in wanted:
        layers: Any = int(setting.layers) if setting.layers.isdecimal() else setting.layers
        expected = encoder.encode(
            [LINES[4], "", LINES[0]], layers=layers, level="sentence", pooling=setting.pooling,
            remove_common_component=setting.removed,
        )  # fmt: skip
        np.testing.assert_allclose(texts([LINES[4], "", LINES[0]], setting), expected, atol=1e-5, err_msg=str(setting))


def angles(texts: Any) -> np.ndarray:
    """Unit vectors at the angle that a text names."""
    numbers = np.array([float(text) for text in texts])
    return np.stack([np.cos(numbers), np.sin(numbers)], axis=1)


def test_spearman_of_cosines() -> None:
    pairs = [SentencePair("0", str(number / 4), -number) for number in range(9)]
    assert spearman(angles, {"rising": pairs}) == pytest.approx(1)
    falling = [SentencePair(pair.one, pair.other, -pair.score) for pair in pairs]
    assert spearman(angles, {"rising": pairs, "falling": falling}) == pytest.approx(0)


def test_classes_and_pairs() -> None:
    texts = [str(number / 20) for number in range(60)]
    easy = Labelled(texts, [int(number >= 30) for number in range(60)])
    assert fold_score(lambda _: angles, easy) > 0.9
    close = Labelled(texts, [number % 2 for number in range(60)], [
        str(number / 20 + (0.01 if number % 2 else 2.0)) for number in range(60)
    ])  # fmt: skip
    assert held_out_score(lambda _: angles, close, close) > 0.95
    words = Labelled(LINES, [number % 2 for number in range(60)])
    assert fold_score(TfIdf().fitted, words) == 1.0
    paired = Labelled(LINES, [number % 2 for number in range(60)], [LINES[n - n % 2] for n in range(60)])
    assert held_out_score(TfIdf().fitted, paired, paired) > 0.95
    assert len(words.some(20).texts) == 20


def test_the_penalty_is_chosen_by_the_metric() -> None:
    draw = np.random.default_rng(3)
    labels = [int(number % 10 > 0) for number in range(400)]  # nine in ten are positive: accuracy likes them all so
    table = {str(n): np.append(draw.normal(0, 1, 20), 1.5 * label + draw.normal()) for n, label in enumerate(labels)}
    data = Labelled(list(table), labels)

    def vectors(texts: Any) -> np.ndarray:
        return np.stack([table[text] for text in texts])

    assert fold_score(lambda _: vectors, data, matthews_corrcoef) > 0.1


def test_the_sets_are_read(data: Path) -> None:
    folder = DataFolder(data)
    assert opinions(folder, "MPQA").labels == [0] * 30 + [1] * 30
    found = paraphrases(folder, "train")
    assert (len(found.texts), found.labels[:2], found.others and found.others[1]) == (40, [0, 1], LINES[2])
    assert acceptability(folder, "dev").labels[:2] == [0, 1]
    (data / "cola" / "dev.tsv.xz").write_bytes(lzma.compress(b"gj04\t1\tno sentence\n"))
    with pytest.raises(DataError, match=r"dev\.tsv\.xz line 1: expected 4 columns, got 3"):
        acceptability(folder, "dev")


def test_vectors_of_a_text_are_computed_once(model: Path) -> None:
    encoder = Encoder.from_pretrained(model)
    row = Contextual("marsh", encoder, "concat")
    expected = encoder.encode(LINES[:3], layers="concat", level="sentence")
    np.testing.assert_allclose(row.vectors([LINES[2], LINES[0], LINES[2]]), expected[[2, 0, 2]], atol=1e-5)
    np.testing.assert_allclose(row.fitted([])(LINES[:3]), expected, atol=1e-5)


def test_senses_are_those_of_the_nearest_example(model: Path, data: Path, tmp_path: Path) -> None:
    (found,) = instances(DataFolder(data), "semeval2015")
    assert found == Instance(["The", "bank"], 1, ("bank", "NOUN"), ("bank%1:17:01::", "bank%1:14:00::"))
    river, money = (Instance([word, "bank"], 1, ("bank", "NOUN"), (word,)) for word in ("river", "money"))
    asked = [*([river, money] * 2), Instance(["a", "cell"], 1, ("cell", "NOUN"), ("cell%1:03:00::",))]
    examples = [river, money, money]
    index = tmp_path / "index.sense"
    index.write_text("cell%1:03:00:: 08463647 1 9\ncell%1:06:00:: 08463648 2 1\n")
    encoder = Encoder.from_pretrained(model)
    scores = nearest_senses(encoder, examples, asked, FirstSenses(examples, index))
    assert scores.layers[1:] == [1.0, 1.0]  # the token layer sees the same word everywhere
    assert (scores.first, scores.count, scores.with_examples) == (pytest.approx(3 / 5), 5, 4)
    assert nearest_senses(encoder, examples, asked, FirstSenses(examples, None)).layers[1] == pytest.approx(4 / 5)
    index.write_text("not an index\n")
    with pytest.raises(DataError, match=r"index\.sense line 1: expected WordNet's index\.sense"):
        FirstSenses(examples, index)


def test_robustness_of_words_that_stay_as_they_are(model: Path) -> None:
    encoder = Encoder.from_pretrained(model)
    numbers = [Occurrence([f"1{number}", "23"], number % 2) for number in range(8)]
    found = robustness(encoder, numbers[::2], layers=[1, 2])
    for each in found.values():  # digits are the same in capitals
        assert (each.found, each.cosine) == (1.0, pytest.approx(1, abs=1e-5))
        assert each.random < 1
    words = [Occurrence([word, "sings"], 0) for word in ("bird", "lark", "crow", "wren")]
    found = robustness(encoder, words, layers=[1])
    assert found[1, "lower case"].cosine == pytest.approx(1, abs=1e-5)
    assert found[1, "capitals"].cosine < 0.999


@pytest.mark.slow
def test_tables(model: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rows_of(module: Any, *arguments: str) -> list[list[str]]:
        assert module.main([str(model), "--data", str(data), *arguments]) == 0
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]

    head, *rows = rows_of(judge_sentences)
    assert head == ["layers", "pooling", "common component", "STS12", "STS13", "STS14", "CR", "MRPC train"]
    assert len(rows) == 40
    head, *rows = rows_of(judge_sentences, "--final")
    assert head[3:] == ["STS15", "STS16", "MPQA", "MRPC test"]
    assert [row[:2] for row in rows] == [["average", "weighted"], ["average", "mean"]]
    head, *rows = rows_of(judge_sentences, "--weights")
    assert head == ["weight", "STS12", "STS13", "STS14", "CR", "MRPC train"]
    assert len(rows) == 11
    assert len({row[1] for row in rows}) > 1  # weights change what is near
    head, *rows = rows_of(judge_robustness)
    assert [row[1:3] for row in rows] == [[s, n] for s in ("capitals", "lower case") for n in ("1", "2")]
    head, *rows = rows_of(report_vectors, "--parts", "senses", "sentences")
    assert rows[0][:3] == ["marsh_model", "1", "1"]
    assert rows[1] == ["vectors", "STS15", "STS16", "CR", "MPQA", "MRPC", "CoLA"]
    assert [row[0] for row in rows[2:]] == ["marsh_model", "marsh_model, untrained", "TF-IDF"]
    assert rows[-1][3] == "1.000"  # a word tells the classes of CR apart


@pytest.mark.parametrize("module", [judge_sentences, judge_robustness, report_vectors])
def test_bad_input_is_one_line(module: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert module.main([str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "is not the folder of the data sets" in capsys.readouterr().err
