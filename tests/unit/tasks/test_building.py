"""What a head takes over from the model it starts from."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest

from elmokit.errors import ConfigError
from elmokit.models import ElmoConfig, ElmoTokenizer
from elmokit.saved_model import SavedModel
from elmokit.tasks.building import task_tokenizer, with_preparation
from elmokit.tasks.classification import ClassifyConfig
from elmokit.tasks.config import HeadConfig
from elmokit.tasks.tagging import TagConfig

Settings = TypeVar("Settings", bound=HeadConfig)


def prepared(config: Settings) -> Settings:
    return with_preparation(config, SavedModel.open(config.model))


def test_text_is_cleaned_as_in_pretraining_unless_steps_are_named(tmp_path: Path) -> None:
    ElmoConfig.preset("tiny", text_steps=["clean_markup"]).save_pretrained(tmp_path / "model")
    given = {"model": str(tmp_path / "model"), "train": ["a"], "test": ["b"], "output": tmp_path / "run"}
    assert prepared(TagConfig(**given)).clean == ["clean_markup"]
    assert prepared(TagConfig(**given, clean=["lower_case"])).clean == ["lower_case"]
    assert prepared(TagConfig(**given, clean=[])).clean == []
    with pytest.raises(ConfigError, match="lower-case"):
        prepared(TagConfig(**given, clean=["lower-case"]))


@pytest.mark.parametrize("with_tokenizer", [True, False])
def test_raw_text_is_split_as_in_pretraining_by_classifiers_and_penn_style_by_taggers(
    tmp_path: Path, with_tokenizer: bool
) -> None:
    """Files of tags hold words that were split Penn-style, however the language model's were."""
    ElmoConfig.preset("tiny", pre_split=True, text_steps=["lower_case"]).save_pretrained(tmp_path / "model")
    if with_tokenizer:
        ElmoTokenizer(split="whitespace").save_pretrained(tmp_path / "model")
    given = {"model": str(tmp_path / "model"), "train": ["a"], "test": ["b"], "output": tmp_path / "run"}
    text = "In Rome, GA."
    words = {
        (kind.__name__, split): task_tokenizer(prepared(kind(**given, **settings))).words(text)
        for kind in (ClassifyConfig, TagConfig)
        for split, settings in (("", {}), ("penn", {"split": "penn"}), ("none", {"split": None}))
    }
    at_blanks, penn = ["in", "rome,", "ga."], ["in", "rome", ",", "ga", "."]
    assert words == {
        ("ClassifyConfig", ""): at_blanks, ("ClassifyConfig", "penn"): penn, ("ClassifyConfig", "none"): at_blanks,
        ("TagConfig", ""): penn, ("TagConfig", "penn"): penn, ("TagConfig", "none"): at_blanks,
    }  # fmt: skip
    tokenizer = task_tokenizer(prepared(TagConfig(**given)))
    encoded = tokenizer(text, return_offsets_mapping=True)
    assert [text[start:end] for start, end in encoded["offset_mapping"]] == ["In", "Rome", ",", "GA", "."]
    assert encoded["char_ids"] == ElmoTokenizer()("in rome , ga .")["char_ids"]
    tokenizer.save_pretrained(tmp_path / "kept")
    again = ElmoTokenizer.from_pretrained(tmp_path / "kept")
    assert again.words(text) == penn
    assert again.by_word
    assert again.model_max_length == 256
