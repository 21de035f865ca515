"""The moving average of a model's weights, which generalises better than where the last step left them."""

from __future__ import annotations

from typing import cast

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from elmokit.models.modeling_pretraining import ElmoForPreTraining

_Tensors = tuple[Tensor, ...] | list[Tensor]


class AveragedWeights:
    """Exponential moving average of all parameters, kept next to the model that is trained and in its checkpoints.

    After n steps the decay is (1 + n) / (10 + n) at most: at first the average follows quickly, so that a short run or
    the first epoch hardly remembers the weights it began with (TensorFlow's ``num_updates``).
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

    def _blend(self, averages: _Tensors, newest: _Tensors, steps: Tensor | int) -> None:
        n = int(steps)
        get_ema_multi_avg_fn(min(self.decay, (1 + n) / (10 + n)))(averages, newest, steps)  # type: ignore[no-untyped-call]

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self._averaged.state_dict())

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self._averaged.load_state_dict(state)
