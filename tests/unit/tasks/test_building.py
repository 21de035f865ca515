"""What a head takes over from the model it stands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from elmokit.errors import ConfigError
from elmokit.models import ElmoConfig
from elmokit.tasks.building import with_clean_up
from elmokit.tasks.tagging import TagConfig


def test_text_is_cleaned_as_in_pretraining_unless_steps_are_named(tmp_path: Path) -> None:
    ElmoConfig.preset("tiny", text_steps=["clean_markup"]).save_pretrained(tmp_path / "model")
    given = {"model": str(tmp_path / "model"), "train": ["a"], "test": ["b"], "output": tmp_path / "run"}
    assert with_clean_up(TagConfig(**given)).clean == ["clean_markup"]
    assert with_clean_up(TagConfig(**given, clean=["lower_case"])).clean == ["lower_case"]
    assert with_clean_up(TagConfig(**given, clean=[])).clean == []
    with pytest.raises(ConfigError, match="lower-case"):
        with_clean_up(TagConfig(**given, clean=["lower-case"]))
