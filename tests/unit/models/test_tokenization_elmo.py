"""`ElmoTokenizer` in all the ways transformers calls a tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, DataCollatorWithPadding, pipeline

from elmokit.models import ElmoConfig, ElmoModel, ElmoTokenizer
from elmokit.text.char_ids import char_ids
from elmokit.text.words import split_words

TOKENIZER = ElmoTokenizer()


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_raw_text_is_split_with_offsets_and_padded_with_zero_rows(texts: list[str]) -> None:
    batch = TOKENIZER(texts, padding=True, return_offsets_mapping=True, return_tensors="pt")
    longest = max(len(split_words(text)) for text in texts)
    assert batch["char_ids"].shape == (len(texts), longest, 50)
    for row, text in enumerate(texts):
        words = split_words(text)
        assert [text[a:b] for a, b in batch["offset_mapping"][row, : len(words)].tolist()] == words
        assert batch["char_ids"][row, : len(words)].tolist() == char_ids(words).tolist()
        assert not batch["char_ids"][row, len(words) :].any()
        assert batch["attention_mask"][row].tolist() == [1] * len(words) + [0] * (longest - len(words))
        assert batch.word_ids(row) == [*range(len(words)), *[None] * (longest - len(words))]


def test_words_that_come_split_stay_whole() -> None:
    batch = TOKENIZER([["New York", "do n't", ""], []], is_split_into_words=True, padding=True, return_tensors="np")
    assert batch.tokens(0) == ["New York", "do n't", ""]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 0]]
    assert TOKENIZER(["New York", "is"], is_split_into_words=True).tokens() == ["New York", "is"]


def test_one_text_gives_lists_without_a_batch() -> None:
    single = TOKENIZER("I can't.")
    assert (len(single["char_ids"]), single["attention_mask"]) == (4, [1, 1, 1, 1])
    assert TOKENIZER("I can't.", return_tensors="np")["char_ids"].shape == (1, 4, 50)
    assert TOKENIZER("", return_tensors="pt")["char_ids"].shape == (1, 0, 50)
    assert TOKENIZER.tokenize("I can't.") == ["I", "ca", "n't", "."]


def test_truncation_counts_words() -> None:
    cut = TOKENIZER("one two three four", truncation=True, max_length=2, return_offsets_mapping=True)
    assert (cut.tokens(), cut["offset_mapping"]) == (["one", "two"], [(0, 3), (4, 7)])
    left = ElmoTokenizer(truncation_side="left")
    assert left("one two three", truncation=True, max_length=2).tokens() == ["two", "three"]


def test_padding_strategies_and_side() -> None:
    fixed = TOKENIZER(["a b", "c"], padding="max_length", max_length=4, return_tensors="np", return_length=True)
    assert fixed["char_ids"].shape == (2, 4, 50)
    assert TOKENIZER(["a b", "c"], padding=True, pad_to_multiple_of=8)["attention_mask"][0] == [1] * 2 + [0] * 6
    left = ElmoTokenizer(padding_side="left")(["a b", "c"], padding=True, return_tensors="np")
    assert left["attention_mask"].tolist() == [[1, 1], [0, 1]]
    assert left.word_ids(1) == [None, 0]


def test_characters_map_to_words_and_back() -> None:
    batch = TOKENIZER(["I can't."])
    assert [batch.char_to_token(0, position) for position in (0, 1, 5)] == [0, None, 2]
    assert tuple(batch.token_to_chars(0, 2)) == (4, 7)
    assert tuple(batch.word_to_tokens(0, 1)) == (1, 2)


def test_decodes_character_ids_to_words() -> None:
    ids = TOKENIZER("Über den Wolken", padding="max_length", max_length=5)["char_ids"]
    assert TOKENIZER.decode(ids)[:3] == ["Über", "den", "Wolken"]


@pytest.mark.parametrize("as_arrays", [False, True])
def test_data_collator_pads_what_comes_one_by_one(as_arrays: bool) -> None:
    features: list[dict[str, Any]] = []
    for text, label in (("a b", 1), ("", 0), ("c d e f", 1)):
        encoded = dict(TOKENIZER(text))
        if as_arrays:
            encoded["char_ids"] = np.array(encoded["char_ids"], dtype=np.int16).reshape(-1, 50)
        features.append({**encoded, "label": label})
    batch = DataCollatorWithPadding(TOKENIZER)(features)
    together = TOKENIZER(["a b", "", "c d e f"], padding=True, return_tensors="pt")
    assert batch["labels"].tolist() == [1, 0, 1]
    for key in ("char_ids", "attention_mask"):
        assert torch.equal(batch[key], together[key]), key


def test_saved_and_loaded_by_the_auto_class(tmp_path: Path) -> None:
    ElmoTokenizer(max_characters=20, split="whitespace").save_pretrained(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"elmo_remote.py", "tokenizer.json", "tokenizer_config.json"}
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["max_characters"] == 20
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert isinstance(loaded, ElmoTokenizer)
    assert (loaded.max_characters, loaded("don't stop").tokens()) == (20, ["don't", "stop"])


def test_feature_extraction_pipeline_runs_on_a_saved_folder(tmp_path: Path) -> None:
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    extract = pipeline("feature-extraction", model=str(tmp_path))
    assert np.shape(extract("Hello, world!")) == (1, 4, 32)
    together = extract(["a b", "c"], batch_size=2)  # the pipeline pads a batch with zeros
    np.testing.assert_allclose(together[1][0][0], extract("c")[0][0], atol=1e-5)
    assert not np.any(together[1][0][1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "a", "text_pair": "b"}, "ELMo reads single sentences"),
        ({"text": "a b", "is_split_into_words": True}, "expects sentences as lists of words"),
        ({"text": [["a"]]}, "for lists of words pass is_split_into_words=True"),
        ({"text": [["a"], "b"], "is_split_into_words": True}, "Got 'b' among the sentences; expected words"),
        ({"text": ["a", None]}, "Got 'None' among the sentences"),
        ({"text": 3}, "got int"),
        ({"text": "a b", "return_overflowing_tokens": True}, "return_overflowing_tokens is not supported"),
        ({"text": ["a b", "c"], "return_tensors": "pt"}, "padding=True"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TOKENIZER(**arguments)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="Unknown split 'bpe'"):
        ElmoTokenizer(split="bpe")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_characters is 2; expected at least 3"):
        ElmoTokenizer(max_characters=2)
    with pytest.raises(ValueError, match="Nothing to pad"):
        TOKENIZER.pad([{"input_ids": [1]}])
