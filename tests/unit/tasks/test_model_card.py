"""The metadata at the top of a trained model's card, which the Hub reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from elmokit.tasks.model_card import Card, card_text
from elmokit.tasks.report import RunMetrics

CARD = Card(
    hub_task="text-classification", title="A model", what="A network.", sections={}, scored_by=["accuracy"],
    code="pass", command="elmo predict", limits="None.",
)  # fmt: skip
METRICS = RunMetrics(
    task="classify", model="m", combine="trainable", finetune=False, vectors=None, seed=1, precision="float32",
    parameters={"total": 2, "trained": 1}, epochs=1, best_epoch=1, texts_per_second=1.0, rows={}, scores={}, history=[],
    versions={"torch": "2", "elmokit": "0"}, seconds={"total": 1.0},
)  # fmt: skip


def front_matter(model: str | Path) -> dict[str, Any]:
    settings = {
        "model": str(model), "learning_rate": 1e-3, "best_by": None, "weight_decay": 0.0, "batch_size": 8, "epochs": 1,
        "max_words": 9, "patience": 1, "warmup_fraction": 0.0, "max_grad_norm": 1.0,
    }  # fmt: skip
    found: dict[str, Any] = yaml.safe_load(card_text(CARD, METRICS, settings).split("---\n")[1])
    return found


def test_the_language_is_that_of_the_bilms_card(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "---\nlanguage: [de, nl]\nlicense: mit\n---\n\n# A biLM\n\n---\nlanguage: fr\n---\n"
    )
    front = front_matter(tmp_path)
    assert (front["language"], front["pipeline_tag"]) == (["de", "nl"], "text-classification")
    assert {"library_name", "tags", "metrics"} <= set(front)
    assert "license" not in front  # the user's to choose
    assert front_matter("elmo-mini")["language"] == "en"


@pytest.mark.parametrize(
    "card", [None, "# No metadata\n\n---\nlanguage: en\n---\n", "---\n[\n---\n", "---\njust text\n---\n"]
)
def test_no_language_where_the_card_has_none(card: str | None, tmp_path: Path) -> None:
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    assert "language" not in front_matter(tmp_path)
