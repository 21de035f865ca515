"""The module for sentence-transformers, in the real package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

st = pytest.importorskip("sentence_transformers", reason="pip install '.[sentence-transformers]' to test the module")

from elmokit import Encoder  # noqa: E402
from elmokit.errors import ConfigError  # noqa: E402
from elmokit.integrations.sentence_transformers import Elmo  # noqa: E402
from elmokit.models import ElmoConfig, ElmoModel  # noqa: E402

TEXTS = ["He sat on the bank of the stream.", "", "Rain!"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder)
    return folder


def sentence_transformer(folder: Path, **settings: Any) -> Any:
    from sentence_transformers.sentence_transformer.modules import Pooling

    elmo = Elmo(folder, **settings)
    return st.SentenceTransformer(modules=[elmo, Pooling(elmo.get_embedding_dimension())], device="cpu")


@pytest.mark.parametrize("layers", ["average", "top", "concat", 1])
def test_vectors_are_those_of_the_encoder(folder: Path, layers: Any) -> None:
    found = sentence_transformer(folder, layers=layers).encode(TEXTS)
    expected = Encoder.from_pretrained(folder).encode(TEXTS, layers=layers, level="sentence", pooling="mean")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_saved_and_loaded_again(folder: Path, tmp_path: Path) -> None:
    model = sentence_transformer(folder, layers="top", max_seq_length=3)
    model.save_pretrained(str(tmp_path / "saved"))
    again = st.SentenceTransformer(str(tmp_path / "saved"), device="cpu", trust_remote_code=True)
    np.testing.assert_allclose(again.encode(TEXTS), model.encode(TEXTS), atol=1e-6)
    assert (again[0].layers, again[0].max_seq_length) == ("top", 3)
    Encoder.from_pretrained(tmp_path / "saved")


def test_a_few_steps_of_their_trainer(folder: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    model = sentence_transformer(folder)
    before = model.encode(TEXTS)
    rows = Dataset.from_dict({"one": ["a b", "c"] * 4, "two": ["a", "d e f"] * 4, "score": [0.9, 0.1] * 4})
    arguments = st.SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path), max_steps=2, per_device_train_batch_size=4, report_to="none", save_strategy="no",
        use_cpu=True, disable_tqdm=True, learning_rate=1e-2,
    )  # fmt: skip
    st.SentenceTransformerTrainer(model, arguments, train_dataset=rows, loss=CosineSimilarityLoss(model)).train()
    assert np.abs(model.encode(TEXTS) - before)[0].max() > 1e-4


def test_mistakes_are_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"Unknown layers 'mix'\. Expected 'average', 'top', 'concat' or a number"):
        Elmo(folder, layers="mix")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^text 1 is \"\['a'\]\" \(list\); expected one text"):
        Elmo(folder).preprocess([["a"]])
