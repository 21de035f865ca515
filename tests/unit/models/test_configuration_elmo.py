"""The configuration: presets, round trip, and every mistake refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub.errors import StrictDataclassFieldValidationError
from transformers import AutoConfig

from elmokit.errors import ConfigError
from elmokit.models import PRESETS, ElmoConfig, ElmoModel


# Counted without embedding row 0, the padding, which published files do not hold (they have 261 rows).
@pytest.mark.parametrize(
    ("preset", "published"),
    [("small", 13_593_296), ("medium", 28_027_728), ("original", 93_600_848), ("mini", 6_631_888)],
)
def test_presets_have_the_published_number_of_parameters(preset: str, published: int) -> None:
    with torch.device("meta"):
        model = ElmoModel(ElmoConfig.preset(preset))
    padding_row = model.config.char_embedding_dim
    assert sum(parameter.numel() for parameter in model.parameters()) - padding_row == published


@pytest.mark.parametrize("preset", PRESETS)
def test_saved_and_loaded_by_the_auto_class(preset: str, tmp_path: Path) -> None:
    config = ElmoConfig.preset(preset, num_labels=4, combine="frozen", mix_weights=[0.2, 0.3, 0.5], cell_clip=None)
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert isinstance(loaded, ElmoConfig)
    for name in set(ElmoConfig.__dataclass_fields__) - {"transformers_version"}:
        assert getattr(loaded, name) == getattr(config, name), name
    assert (loaded.num_labels, loaded.hidden_size, loaded.num_hidden_layers) == (4, 2 * config.projection_dim, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dropot": 0.1}, "Unknown model setting 'dropot'. Did you mean 'dropout'"),
        ({"dropout": 1.5}, r"dropout is 1.5; expected a rate in \[0, 1\)"),
        ({"n_layers": "2"}, "'n_layers' expected int, got str"),
        ({"n_layers": 0}, "n_layers is 0; expected at least 1"),
        ({"filters": []}, "filters is empty"),
        ({"filters": [[1]]}, r"filters holds \[1\]"),
        ({"filters": [[60, 5]]}, "expected .* a width of 1 to max_characters_per_token"),
        ({"softmax": "hierarchical"}, "'softmax' expected one of"),
        ({"mix_weights": [1.0]}, "mix_weights has 1 values; expected 3"),
        ({"cell_clip": -1}, "cell_clip is -1; expected a positive bound"),
        ({"mix_l2": -1.0}, "mix_l2 is -1.0"),
        ({"adaptive_div_value": 0.5}, "adaptive_div_value is 0.5"),
        ({"weight_dropout": 1.0}, "weight_dropout is 1.0"),
        ({"mix_hidden_dim": 0}, "mix_hidden_dim is 0"),
        ({"adaptive_cutoffs": [4, 2]}, "expected rising positive numbers"),
        ({"adaptive_cutoffs": [100], "vocab_size": 100}, "below vocab_size"),
        ({"projection_dim": 64}, r"projection_dim is 64; expected at most cell_dim \(32\)"),
    ],
)
def test_mistakes_are_refused_in_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        ElmoConfig.preset("tiny", **values)
    assert "\n" not in str(caught.value)


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Unknown preset 'huge'\. Expected one of: tiny, mini, small"):
        ElmoConfig.preset("huge")


def test_assignment_is_checked_too() -> None:
    config = ElmoConfig.preset("tiny")
    with pytest.raises(StrictDataclassFieldValidationError, match="n_layers"):
        config.n_layers = "two"  # type: ignore[assignment]


def test_presets_are_not_shared_between_configurations() -> None:
    first = ElmoConfig()
    assert first.filters is not None
    first.filters[0][1] = 999
    assert ElmoConfig().filters == PRESETS["mini"]["filters"]
