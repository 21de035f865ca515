"""What embedding and prediction load: the network, and none of the packages for training, tables and pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAVY = ("transformers", "accelerate", "datasets", "sklearn", "matplotlib", "pandas", "pyarrow")


def loaded(code: str) -> set[str]:
    """Those of `HEAVY` that a new process has loaded after `code`."""
    listing = f"\nimport sys; print('loaded', *(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + listing], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_package_loads_nothing_by_itself() -> None:
    assert loaded("import elmokit, sys; assert 'torch' not in sys.modules") == set()


def test_loading_and_encoding() -> None:
    code = (
        "from elmokit import Encoder\n"
        "encoder = Encoder.from_pretrained('elmo-mini')\n"
        "assert encoder.encode(['The bank .'])[0].shape == (3, 3, 512)\n"
        "assert encoder.encode(['The bank .'], layers='mix', level='sentence').shape == (1, 512)\n"
        "encoder.score(['The bank .'])"
    )
    assert loaded(code) == set()


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of every head that is not shipped."""
    from elmokit.models import (
        ElmoConfig,
        ElmoForQuestionAnswering,
        ElmoForTokenClassification,
        ElmoForTranslation,
        ElmoTokenizer,
    )
    from elmokit.text.sentence_pieces import SentencePieces

    folder = tmp_path_factory.mktemp("heads")
    pieces = SentencePieces.trained(["the bank of the river"], n_pieces=270)
    sizes: dict[str, dict[str, Any]] = {
        "de": {"n_target_pieces": len(pieces), "target_dim": 8, "decoder_hidden_dim": 8},
        "tag": {"id2label": {0: "O", 1: "B-PLACE"}},
        "qa": {},
    }
    for name, kind in (
        ("tag", ElmoForTokenClassification),
        ("qa", ElmoForQuestionAnswering),
        ("de", ElmoForTranslation),
    ):
        kind(ElmoConfig.preset("tiny", head_hidden_dim=8, **sizes[name])).save_pretrained(folder / name)
        ElmoTokenizer().save_pretrained(folder / name)
    pieces.save(folder / "de")
    return folder


def test_prediction_with_every_trained_head(heads: Path) -> None:
    asked = ["--question", "What was wet?", "--passage", "The bank was wet."]
    calls = [
        ["predict", "elmo-mini-news", "Stocks rose."],
        ["predict", str(heads / "tag"), "The bank was wet."],
        ["predict", str(heads / "de"), "The bank was wet."],
        ["predict", str(heads / "qa"), *asked],
    ]
    code = f"from elmokit.cli.app import app\nfor words in {calls!r}: app(words, standalone_mode=False)"
    assert loaded(code) == set()


def test_a_model_folder_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    read = Path.read_text

    def counted(self: Path, *args: str, **kwargs: str) -> str:
        opened.append(self.name)
        return read(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", counted)
    from elmokit import Encoder

    Encoder.from_pretrained("elmo-mini")
    assert opened.count("config.json") == 1
