"""`StandardizedTarget`: numbers that a head learns in standard deviations of the training rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class StandardizedTarget(nn.Module):
    """Part of a network for regression: the mean and scale of its target, which are saved with it."""

    target_mean: Tensor
    target_scale: Tensor

    def keep_target_scale(self) -> None:
        """Register mean 0 and scale 1."""
        self.register_buffer("target_mean", torch.zeros(()))
        self.register_buffer("target_scale", torch.ones(()))

    def standardize(self, mean: float, scale: float) -> None:
        """Learn numbers as deviations from `mean` in units of `scale`."""
        self.target_mean.fill_(mean)
        self.target_scale.fill_(max(scale, 1e-6))

    def in_units(self, output: Tensor) -> Tensor:
        """Outputs (B, 1) of the network as numbers like those of the training rows."""
        return output.float() * self.target_scale + self.target_mean

    def squared_error(self, values: Tensor, labels: Tensor) -> Tensor:
        """Mean squared error of values (B, 1) against labels (B,), in squared deviations of the training rows."""
        return functional.mse_loss(values[:, 0], labels.float().view(-1)) / self.target_scale**2
