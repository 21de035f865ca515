from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from elmokit.errors import ConfigError, ModelError
from elmokit.models import ElmoConfig, ElmoForPreTraining, ElmoModel
from elmokit.nn.language_network import LanguageNetwork
from elmokit.saved_model import SavedModel
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.vocab import Vocabulary
from elmokit.text.word_rows import LEXICON_FILE, LookupRows, PieceRows, WordByteRows, WordRows, save_lexicon

WORDS = ["the", "bank", "of", "river"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(tmp_path)


def saved(folder: Path, **values: object) -> Path:
    torch.manual_seed(0)
    vocabulary = Vocabulary.from_counts(dict.fromkeys(WORDS, 9))
    config = ElmoConfig.preset("tiny", vocab_size=len(vocabulary), text_steps=["lower_case"], pre_split=True, **values)
    ElmoForPreTraining(config).save_pretrained(folder)
    vocabulary.save(folder / "vocab.txt")
    return folder


def change_config(folder: Path, **values: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_a_usual_folder_opens_in_plain_pytorch(folder: Path) -> None:
    state = torch.random.get_rng_state()
    found = SavedModel.open(folder)
    network = found.language_model()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert isinstance(network, LanguageNetwork)
    assert not network.training
    assert found.config.cell_dim == 32
    assert found.preprocessing == Preprocessing(text_steps=["lower_case"], pre_split=True)
    assert found.vocabulary().words[3:] == sorted(WORDS)
    assert found.word_rows(["bank"]).shape == (1, 50)
    expected = ElmoForPreTraining.from_pretrained(folder).state_dict()
    assert network.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())


def test_a_shipped_model_opens_in_plain_pytorch_by_its_name() -> None:
    assert isinstance(SavedModel.open("elmo-mini").language_model(), LanguageNetwork)


@pytest.mark.parametrize(
    ("rows", "values"),
    [
        (LookupRows({"<S>": 0, "</S>": 1, "<UNK>": 2, "bank": 3}), {"token_encoder": "word", "n_words": 5}),
        (WordByteRows({"bank": 0}), {"token_encoder": "word_char", "n_words": 2, "word_dim": 4}),
        (
            PieceRows.trained({"bank": 3}, n_pieces=259, max_pieces=9),
            {"token_encoder": "subword", "max_pieces_per_token": 9},
        ),
    ],
    ids=lambda given: type(given).__name__ if not isinstance(given, dict) else "",
)
def test_models_that_look_words_up_open_in_plain_pytorch(
    tmp_path: Path, rows: WordRows, values: dict[str, Any]
) -> None:
    characters = 262 if values["token_encoder"] == "word_char" else 0
    pieces = {"n_words": len(rows.lexicon()["pieces"]) + 1} if "pieces" in rows.lexicon() else {}
    saved(tmp_path, n_characters=characters, marker_rows=rows.markers().tolist(), **values, **pieces)
    with pytest.raises(ModelError, match=r"there is no .*lexicon\.json"):
        _ = SavedModel.open(tmp_path).word_rows
    save_lexicon(rows, tmp_path / LEXICON_FILE)
    found = SavedModel.open(tmp_path)
    assert isinstance(found.language_model(), LanguageNetwork)
    assert np.array_equal(found.word_rows(["bank", "river"]), rows(["bank", "river"]))
    change_config(tmp_path, n_words=1)
    with pytest.raises((ModelError, ConfigError), match=r"n_words is 1|the table of"):
        SavedModel.open(tmp_path).word_rows(["bank"])


def test_weights_in_half_precision_are_widened(folder: Path) -> None:
    weights = {name: value.half() for name, value in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    network = SavedModel.open(folder).language_model()
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}


def test_weights_as_a_state_dict_of_pytorch(folder: Path) -> None:
    expected = load_file(folder / "model.safetensors")
    torch.save(expected, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    found = SavedModel.open(folder).language_model().state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_weights_in_several_files(folder: Path, tmp_path: Path) -> None:
    expected = load_file(folder / "model.safetensors")
    ElmoForPreTraining.from_pretrained(folder).save_pretrained(tmp_path / "parts", max_shard_size="20KB")
    assert len(list((tmp_path / "parts").glob("*.safetensors"))) > 1
    found = SavedModel.open(tmp_path / "parts").language_model().state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"cell_clip": -1.0}, "cell_clip is -1.0; expected a positive bound"),
        ({"celldim": 32}, "Unknown model setting 'celldim'"),
        ({"cell_dim": "32"}, "cell_dim"),
        ({"cell_dim": 48}, r"config\.json asks for"),
        ({"model_type": "bert"}, "a model of type 'bert'; expected 'elmo'"),
        ({"filters": []}, "filters is empty"),
    ],
)
def test_a_damaged_configuration_is_told(folder: Path, values: dict[str, object], problem: str) -> None:
    change_config(folder, **values)
    with pytest.raises(Exception, match=problem):
        SavedModel.open(folder).language_model()


def test_damaged_weights_are_told(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-50])
    with pytest.raises(ModelError, match="cannot be read"):
        SavedModel.open(folder).language_model()


def test_a_missing_tensor_is_told(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop("head.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 tensors of ElmoForPreTraining, the first is head\.weight"):
        SavedModel.open(folder).language_model()


def test_folders_without_a_language_model(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        SavedModel.open(tmp_path / "nowhere")
    (folder / "vocab.txt").unlink()
    with pytest.raises(
        ModelError, match=r"has no vocab\.txt, which its language-model head needs: expected a folder of elmo pretrain"
    ):
        SavedModel.open(folder).vocabulary()
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path / "bare")
    Vocabulary.from_counts({"a": 1}).save(tmp_path / "bare" / "vocab.txt")
    with pytest.raises(ModelError, match="lacks 2 tensors of ElmoForPreTraining"):
        SavedModel.open(tmp_path / "bare").language_model()


def test_evaluation_imports_neither_transformers_nor_scikit_learn(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the bank of the river\n", encoding="utf-8")
    words = ["evaluate", str(folder), "--text", str(tmp_path / "a.txt"), "--next-word"]
    code = (
        f"import sys; from elmokit.cli.app import app; app({words!r}, standalone_mode=False)\n"
        "heavy = {'transformers', 'sklearn', 'scipy', 'accelerate', 'datasets', 'pandas', 'sympy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 words in 1 sentences, 0 of them unknown")
