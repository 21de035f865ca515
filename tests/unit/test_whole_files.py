"""Files of a model: JSON as others write and read it, and weights that a colleague can read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from elmokit.models import ElmoConfig, ElmoModel
from elmokit.whole_files import json_text, read_json_object, share_weights


def test_json_holds_no_nan() -> None:
    content = {"loss": float("nan"), "rates": [1.5, float("inf")], "name": "été"}
    assert json.loads(json_text(content)) == {"loss": None, "rates": [1.5, None], "name": "été"}


def test_a_byte_order_mark_before_json(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text('{"lstm": {}}', encoding="utf-8-sig")
    assert read_json_object(tmp_path / "options.json") == {"lstm": {}}


def test_weights_have_the_rights_that_the_umask_leaves(tmp_path: Path) -> None:
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path)
    (tmp_path / "more.safetensors").touch(mode=0o600)
    before = os.umask(0o027)
    try:
        share_weights(tmp_path)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.safetensors")} == {0o640}


def test_saving_a_model_leaves_no_private_weights(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "model.safetensors").stat().st_mode & 0o777 == 0o644
