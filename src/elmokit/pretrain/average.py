"""The moving average of a model's weights, which generalises better than where the last step left them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from elmokit.models.modeling_pretraining import ElmoForPreTraining


class AveragedWeights:
    """Exponential moving average of all parameters, kept beside the model that is trained and in its checkpoints.

    The first steps weigh less than ``decay`` says, (1 + n) / (10 + n) after n of them, so that a short run or the
    first epoch is no average with the weights it began with (TensorFlow's ``num_updates``).
    """

    def __init__(self, model: ElmoForPreTraining, decay: float) -> None:
        self.decay = decay
        self._averaged = AveragedModel(model, multi_avg_fn=self._blend)

    @property
    def model(self) -> ElmoForPreTraining:
        """A model with the averaged weights."""
        return cast(ElmoForPreTraining, self._averaged.module)

    def update(self, model: ElmoForPreTraining) -> None:
        """Take in the weights after one more step."""
        self._averaged.update_parameters(model)

    @torch.no_grad()
    def _blend(self, averages: Sequence[Tensor], newest: Sequence[Tensor], steps: Tensor | int) -> None:
        n = int(steps)
        torch._foreach_lerp_(list(averages), list(newest), 1 - min(self.decay, (1 + n) / (10 + n)))

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self._averaged.state_dict())

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self._averaged.load_state_dict(state)
