"""A small model for the integrations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from elmokit.models import ElmoConfig, ElmoModel


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(1)
    ElmoModel(ElmoConfig.preset("tiny")).save_pretrained(folder)
    return folder
