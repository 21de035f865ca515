"""The model for lm-evaluation-harness, in the real package."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="pip install '.[lm-eval]' to test the model for lm-evaluation-harness")

from typer.testing import CliRunner

from elmokit import Encoder
from elmokit.cli.app import app
from elmokit.errors import ConfigError, ModelError
from elmokit.integrations.lm_eval import ElmoLM
from helpers.web_models import save_classifier

PAIRS = [
    ("The dogs bark at night.", "The dogs barks at night."), ("She has seen him.", "She has saw him."),
    ("He is here.", "He are here."), ("They sing well.", "They well sing."), ("No one saw it.", "No one see it."),
]  # fmt: skip


def asked(*arguments: Any) -> Any:
    return SimpleNamespace(args=arguments)


def test_a_sentence_has_the_sum_of_both_directions() -> None:
    (score,) = Encoder.from_pretrained("elmo-mini").score(["The bank was wet."])
    totals = {"forward": score.forward_total, "backward": score.backward_total}
    totals["both"] = totals["forward"] + totals["backward"]
    for direction, bits in totals.items():
        model = ElmoLM("elmo-mini", direction=direction)  # type: ignore[arg-type]
        assert model.loglikelihood_rolling([asked("The bank was wet.")]) == pytest.approx([-math.log(2) * bits])
        ((whole, greedy),) = model.loglikelihood([asked("", " The bank was wet.")])
        assert (whole, greedy) == (pytest.approx(-math.log(2) * bits), False)
        ((part, _),) = model.loglikelihood([asked("The bank", " was wet.")])
        assert whole < part < 0


def test_minimal_pairs_give_the_figures_of_elmo_evaluate(tmp_path: Path) -> None:
    import lm_eval
    from lm_eval.tasks import TaskManager

    rows = [{"sentence_good": good, "sentence_bad": bad, "UID": "all"} for good, bad in PAIRS]
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    task = {
        "task": "local_pairs", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(data)}},
        "output_type": "multiple_choice", "test_split": "test", "doc_to_text": "", "doc_to_target": 0,
        "doc_to_choice": "{{[sentence_good, sentence_bad]}}", "metric_list": [{"metric": "acc"}],
    }  # fmt: skip
    printed = CliRunner().invoke(app, ["evaluate", "elmo-mini", "--minimal-pairs", str(data), "--json"])
    assert printed.exit_code == 0, printed.output
    figures = json.loads(printed.stdout)
    for direction in ("both", "forward", "backward"):
        found = lm_eval.simple_evaluate(
            model="elmo", model_args={"pretrained": "elmo-mini", "direction": direction}, tasks=[task],
            task_manager=TaskManager(include_defaults=False), bootstrap_iters=0, log_samples=False,
        )  # fmt: skip
        assert found is not None
        assert found["results"]["local_pairs"]["acc,none"] == pytest.approx(_figure(figures, direction))


def _figure(figures: Any, direction: str) -> float:
    return float(figures["all"][direction])


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Unknown direction 'left'"):
        ElmoLM(direction="left")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="has no language-model head"):
        ElmoLM(str(save_classifier(tmp_path / "topic")))
    with pytest.raises(NotImplementedError, match="generates none"):
        ElmoLM().generate_until([])
