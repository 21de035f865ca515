"""The layer mix: one vector a word out of all layers of the biLM (Peters et al. 2018, eq. 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.dropout import Dropout

Combine = Literal["trainable", "frozen", "function"]
Activation = Literal["relu", "tanh"]

_NORM_EPSILON = 1e-12  # AllenNLP's


class LayerMix(nn.Module):
    """Layers (L, B, T, D) to one (B, T, D), in one of three modes.

    ``trainable`` learns γ · Σ λ_j h_j with λ = softmax(w); with ``normalize=False`` λ = w, the raw weights of course
    reports, and γ is not trained, for w can express it. ``frozen`` takes γ · Σ λ_j h_j with λ as given, or uniform,
    and γ = 1 or what ``set_scale`` found. ``function`` is a perceptron with one hidden layer over the concatenated
    layers: a word can weigh its layers by what they hold.

    ``set_scale`` gives every mode the same start: the vectors of a biLM vary by a tenth or less, and a head on top that
    expects a deviation of 1 would take epochs to wake up.

    Args:
        mode: See above.
        n_layers: Layers that are mixed, the token layer included.
        dim: Size of a vector.
        weights: λ at the start (``trainable``) or for good (``frozen``). Default: uniform.
        normalize: Softmax over the trained weights.
        dropout: On the mixed vectors.
        l2: Coefficient of the squared weights in ``penalty()``.
        do_layer_norm: Normalise each layer over all words of the *batch* first, as the references do; a vector then
            depends on its neighbours in the batch, so this is for parity only.
        activation, hidden_dim: Of the function; its hidden size is ``dim`` by default.

    Raises:
        ValueError: An unknown mode, a wrong number of weights, or weights a softmax cannot give.
    """

    scale: Tensor

    def __init__(
        self,
        mode: Combine,
        *,
        n_layers: int,
        dim: int,
        weights: Sequence[float] | None = None,
        normalize: bool = True,
        dropout: float = 0.0,
        l2: float = 0.0,
        do_layer_norm: bool = False,
        activation: Activation = "relu",
        hidden_dim: int | None = None,
    ) -> None:
        super().__init__()
        if mode not in get_args(Combine):
            raise ValueError(f"Unknown layer mix {mode!r}. Expected one of: {', '.join(get_args(Combine))}.")
        self.mode, self.normalize, self.l2 = mode, normalize and mode == "trainable", l2
        self.do_layer_norm, self.activation = do_layer_norm, activation
        self.start = (1.0 / n_layers,) * n_layers if weights is None else tuple(float(weight) for weight in weights)
        if len(self.start) != n_layers:
            raise ValueError(f"Got {len(self.start)} layer weights; expected {n_layers}, the token layer first.")
        if self.normalize and min(self.start) <= 0:
            given = list(weights or self.start)
            raise ValueError(f"Layer weights {given} cannot come from a softmax; expected positive numbers.")
        self.dropout = Dropout(dropout)
        self.register_buffer("scale", torch.ones(()))
        if mode == "function":
            self.hidden = nn.Linear(n_layers * dim, hidden_dim or dim)
            self.output = nn.Linear(hidden_dim or dim, dim)
        elif mode == "frozen":
            self.register_buffer("w", torch.empty(n_layers))
        else:
            self.w = nn.Parameter(torch.empty(n_layers))
            if self.normalize:
                self.gamma = nn.Parameter(torch.empty(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the given or uniform λ, γ = 1 and scale 1; the function to PyTorch's default."""
        with torch.no_grad():
            self.scale.fill_(1.0)
        if self.mode == "function":
            self.hidden.reset_parameters()
            self.output.reset_parameters()
            return
        start = torch.tensor(self.start)
        with torch.no_grad():
            self.w.copy_(start.log() - start.log().mean() if self.normalize else start)
            if self.normalize:
                self.gamma.fill_(1.0)

    @torch.no_grad()
    def set_scale(self, layers: Tensor | Sequence[Tensor], mask: Tensor) -> float:
        """Multiply by 1 / deviation of these words from now on (saved with the weights); returns the factor.

        The deviation is of what the mode starts from: the concatenated layers for ``function``, their mix otherwise.
        """
        self.scale.fill_(1.0)
        words = torch.cat([layer[mask].float() for layer in layers], dim=1)  # (N, L · D)
        if self.mode != "function":
            words = self._weighted_sum(list(words.to(self.dtype).chunk(len(layers), dim=1)))
        deviation = float((words - words.mean(dim=0)).std())
        if deviation > 0:
            self.scale.fill_(1 / deviation)
        return float(self.scale)

    def forward(self, layers: Tensor | Sequence[Tensor], mask: Tensor) -> Tensor:
        """layers (L, B, T, D) and mask (B, T), true at words, to (B, T, D) with zeros in the padding."""
        real = mask.unsqueeze(-1).to(self.dtype)  # (B, T, 1)
        parts = [layer.to(self.dtype) for layer in layers]
        if self.do_layer_norm:  # one mean and one variance over every number of every word in the batch
            numbers = real.sum() * parts[0].shape[-1]
            for number, part in enumerate(parts):
                centred = part - (part * real).sum() / numbers
                variance = (centred * real).square().sum() / numbers
                parts[number] = centred / torch.sqrt(variance + _NORM_EPSILON)
        if self.mode == "function":
            hidden = self.hidden(self.scale * torch.cat(parts, dim=-1))
            mixed = self.output(torch.relu(hidden) if self.activation == "relu" else torch.tanh(hidden))
        else:
            mixed = self._weighted_sum(parts)
        dropped: Tensor = self.dropout(mixed * real)
        return dropped

    def _weighted_sum(self, parts: list[Tensor]) -> Tensor:
        scale = self.scale * (self.gamma * functional.softmax(self.w, dim=0) if self.normalize else self.w)
        if len(parts) != len(scale):
            raise ValueError(f"Got {len(parts)} layers; this mix was made for {len(scale)}.")
        first, *others = parts
        mixed = scale[0] * first
        for weight, part in zip(scale[1:], others, strict=True):
            mixed = torch.addcmul(mixed, weight, part)
        return mixed

    @property
    def dtype(self) -> torch.dtype:
        """The type it computes in; layers of another (cached in float16, say) are cast."""
        return self.hidden.weight.dtype if self.mode == "function" else self.w.dtype

    def weights(self) -> tuple[list[float], float] | None:
        """λ and γ, ``scale`` included; None for the function, which has no weight a layer."""
        if self.mode == "function":
            return None
        raw = self.w.detach().float()
        if not self.normalize:
            return raw.tolist(), float(self.scale)
        return functional.softmax(raw, dim=0).tolist(), float(self.scale * self.gamma.detach())

    def penalty(self) -> Tensor:
        """l2 · |w|² over the raw weights (of the function: over its matrices), to be added to the loss."""
        if self.mode == "frozen" or self.l2 == 0:
            return torch.zeros((), dtype=self.dtype, device=self.scale.device)
        tensors = [self.hidden.weight, self.output.weight] if self.mode == "function" else [self.w]
        return self.l2 * torch.stack([tensor.square().sum() for tensor in tensors]).sum()
