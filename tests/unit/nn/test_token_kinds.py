"""The table of token encoders: an entry, its module and its rows fit each other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
import torch

from elmokit.errors import ConfigError, ModelError
from elmokit.interop.bilm_options import config_of, options_of
from elmokit.nn.config import NetworkConfig
from elmokit.nn.network import ElmoNetwork
from elmokit.nn.token_kinds import TOKEN_KINDS, TokenEncoderName, names_where
from elmokit.text.char_ids import BOS, EOS, UNK
from elmokit.text.vocab import Vocabulary
from elmokit.text.word_rows import load_word_rows, save_lexicon

SETTINGS = SimpleNamespace(word_table=2, n_pieces=300)
VOCABULARY = Vocabulary([BOS, EOS, UNK, "the", "cat", "sat"], [0, 0, 0, 9, 5, 4])
WORDS = ["the", "cats", "überlang"]


def begun(name: str) -> tuple[NetworkConfig, Any]:
    """The shape of a new model and how it reads words, in the two steps of a pretraining run."""
    kind = TOKEN_KINDS[name]  # type: ignore[index]
    shape = NetworkConfig.preset("tiny", **kind.new_fields({"token_encoder": name, "n_words": 3}))
    rows = kind.new_rows(VOCABULARY, shape, SETTINGS)
    if kind.needs_lexicon:
        shape.n_words, shape.marker_rows = len(rows.lexicon()[kind.table]) + 1, rows.markers().tolist()
    return shape, rows


def test_every_name_has_an_entry() -> None:
    assert tuple(TOKEN_KINDS) == get_args(TokenEncoderName)


@pytest.mark.parametrize("name", TOKEN_KINDS)
def test_entry_module_and_rows_agree(name: str, tmp_path: Any) -> None:
    shape, rows = begun(name)
    shape.check()
    assert rows(WORDS).shape == (3, shape.row_width)
    assert rows.markers().tolist() == shape.markers
    assert shape.kind.reads_spelling == rows.reads_spelling
    encoder = ElmoNetwork(shape).train(False).token_encoder
    numbers = torch.from_numpy(rows(WORDS).astype(np.int64))
    with torch.no_grad():
        assert encoder(numbers).shape == (3, shape.projection_dim)
        torch.testing.assert_close(encoder.traced(numbers), encoder(numbers))
    assert shape.kind.padding_numbers(shape) == sum(
        module.embedding_dim for module in encoder.modules() if isinstance(module, torch.nn.Embedding)
    )
    save_lexicon(rows, tmp_path / "lexicon.json")
    again = load_word_rows(tmp_path / "lexicon.json", max_characters=shape.kind.positions(shape))
    np.testing.assert_array_equal(again(WORDS), rows(WORDS))


@pytest.mark.parametrize("name", TOKEN_KINDS)
def test_words_have_vectors_of_their_own_or_none(name: str) -> None:
    shape, _ = begun(name)
    table, field = ElmoNetwork(shape).token_encoder.word_table, shape.kind.vector_field
    assert (None if table is None else table.weight.shape[1]) == (None if field is None else getattr(shape, field))


@pytest.mark.parametrize("name", TOKEN_KINDS)
def test_the_column_of_the_first_character(name: str) -> None:
    shape, rows = begun(name)
    first = shape.kind.first_character(shape)
    assert shape.reads_characters == (first is not None)
    if first is not None:
        assert rows(["a"])[0, first : first + 3].tolist() == [259, ord("a") + 1, 260]


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("char_cnn", {"n_characters": 200}, "n_characters is 200; expected at least 262"),
        ("word", {"n_words": 2}, "n_words is 2; expected at least 3"),
        ("subword", {"n_words": 0}, "n_words is 0; expected at least 3"),
        ("word_char", {"n_words": 5}, "n_words is 5 and word_dim 0; expected both or neither"),
        ("word_char", {"n_characters": 0}, "expected a table of words, of characters, or both"),
        ("char_cnn", {"n_layers": 0}, "n_layers is 0; expected at least 1"),
    ],
)
def test_fields_that_do_not_fit(name: str, fields: dict[str, int], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        NetworkConfig.preset("tiny", token_encoder=name, **fields)


def test_errors_list_the_encoders_with_a_property() -> None:
    assert names_where("vector_field") == "word or word_char"
    assert names_where("reads_spelling") == "char_cnn, subword or word_char"


@pytest.mark.parametrize("name", TOKEN_KINDS)
def test_bilm_tf_has_an_encoder_or_refuses_it_by_what_it_reads(name: str) -> None:
    shape, _ = begun(name)
    if not shape.kind.in_bilm_tf:
        with pytest.raises(ModelError, match=f"the format of bilm-tf has no encoder of {shape.kind.reads}"):
            options_of(shape)
        return
    again, notes = config_of(options_of(shape), n_words=shape.n_words - 1)
    assert (again.token_encoder, again.row_width, notes) == (name, shape.row_width, [])
