"""The stacks of the bidirectional language model: layers of projected LSTMs with residuals between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from elmokit.nn.dropout import Dropout
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.nn.packing import Packing


class State(NamedTuple):
    """What the LSTMs carry from one window of text to the next: h (layers, D, B, H), c (layers, D, B, C)."""

    h: Tensor
    c: Tensor


class BiLM(nn.Module):
    """``n_layers`` LSTM layers in each of ``directions`` (2, or 1 for the forward language model alone).

    With no layer at all, the "biLM" of static vectors, there are no outputs and the states are empty.

    The directions never mix. For layer l > 0 the output adds the layer's input (``use_skip_connections``); the carried
    state stays without it. ``dropout`` acts on the input of each layer and on the final output (Peters et al. 2018),
    with ``locked_dropout`` by one mask for all words of a sentence; ``weight_dropout`` on the recurrent weights.
    ``projection_dim=None`` means no projection: the vectors then have size ``cell_dim``.
    """

    def __init__(
        self,
        *,
        input_dim: int,
        cell_dim: int,
        projection_dim: int | None,
        n_layers: int = 2,
        directions: int = 2,
        use_skip_connections: bool = True,
        cell_clip: float | None = 3.0,
        proj_clip: float | None = 3.0,
        dropout: float = 0.0,
        locked_dropout: bool = False,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.locked_dropout = locked_dropout
        self.directions = directions
        self.use_skip_connections = use_skip_connections
        self.output_dim = projection_dim or cell_dim
        sizes = ([input_dim] + [self.output_dim] * (n_layers - 1))[:n_layers]
        self.layers = nn.ModuleList(
            ProjectedLSTM(
                input_dim=size,
                cell_dim=cell_dim,
                projection_dim=projection_dim,
                directions=directions,
                cell_clip=cell_clip,
                proj_clip=proj_clip,
                weight_dropout=weight_dropout,
            )
            for size in sizes
        )
        self.dropout = Dropout(dropout)

    def set_dropout(self, rate: float, *, locked: bool, weights: float) -> None:
        """Other rates than those of the construction."""
        self.dropout.p, self.locked_dropout = rate, locked
        for layer in cast(Iterable[ProjectedLSTM], self.layers):
            layer.weight_dropout.p = weights

    def forward_packed(
        self, x: Tensor, batch_sizes: list[int], *, state: State | None = None, words: Tensor | None = None
    ) -> tuple[list[Tensor], State]:
        """x (D, N, I) in each direction's own reading order; one (D, N, H) a layer, and the states (sorted rows).

        ``words`` (D, N): numbers of the words; the rows of a word are equal. The first layer multiplies them once where
        no gradient is needed.
        """
        outputs: list[Tensor] = []
        finals: list[tuple[Tensor, Tensor]] = []
        for number, layer in enumerate(self.layers):
            given = None if state is None else (state.h[number], state.c[number])
            dropped = self._dropped(x, batch_sizes)
            alike = words if number == 0 and dropped is x else None  # dropout leaves no two rows equal
            y, final = layer(dropped, batch_sizes, given, words=alike)
            if number > 0 and self.use_skip_connections:
                y = y + x if torch.is_grad_enabled() else y.add_(x)
            outputs.append(y)
            finals.append(final)
            x = y
        if not outputs:
            return [], self.zero_state(batch_sizes[0] if batch_sizes else 0)
        outputs[-1] = self._dropped(outputs[-1], batch_sizes)
        return outputs, State(torch.stack([h for h, _ in finals]), torch.stack([c for _, c in finals]))

    def _dropped(self, x: Tensor, batch_sizes: list[int]) -> Tensor:
        return self.dropout.locked(x, batch_sizes) if self.locked_dropout else self.dropout(x)

    def forward(
        self, tokens: Tensor, lengths: Sequence[int], *, state: State | None = None
    ) -> tuple[list[Tensor], State]:
        """tokens (B, T, I) to one (B, T, D·H) a layer, zero in the padding, and the states in the batch's order."""
        batch, time = tokens.shape[:2]
        if len(lengths) != batch:
            raise ValueError(f"lengths has {len(lengths)} sentences, tokens has {batch}; expected the same number.")
        layers, final = self._read(tokens.flatten(0, 1), Packing.of(lengths, stride=time), state)
        return [layer.view(batch, time, layer.shape[1]) for layer in layers], final

    def forward_ragged(
        self, tokens: Tensor, lengths: Sequence[int], *, state: State | None = None, words: Tensor | None = None
    ) -> tuple[list[Tensor], State]:
        """tokens (N, I), sentence behind sentence without padding, to one (N, D·H) a layer, and the states.

        ``words`` (N,) as in `forward_packed`.
        """
        return self._read(tokens, Packing.ragged(lengths), state, words)

    def _read(
        self, tokens: Tensor, packing: Packing, state: State | None, words: Tensor | None = None
    ) -> tuple[list[Tensor], State]:
        """tokens (N, I) of which `packing` takes some, to one (N, D·H) a layer, zero elsewhere, and the states."""
        order = packing.order.to(tokens.device)
        positions = [p.to(tokens.device) for p in (packing.forward, packing.backward)][: self.directions]
        places = torch.stack(positions)
        x = tokens[places]  # (D, N, I)
        numbers = None if words is None else words[places]
        sorted_state = self.zero_state(len(order)) if state is None else _rows(state, order)
        packed, final = self.forward_packed(x, packing.batch_sizes, state=sorted_state, words=numbers)
        layers = []
        while packed:  # each is freed as it is unpacked
            layers.append(self._unpack(packed.pop(0), positions, len(tokens)))
        return layers, _rows(final, torch.argsort(order))

    @staticmethod
    def _unpack(packed: Tensor, positions: list[Tensor], count: int) -> Tensor:
        """(D, N, H) to (count, D·H)."""
        if torch.is_grad_enabled():
            rows = packed.new_zeros(count, packed.shape[2])
            halves = [rows.index_copy(0, place, y) for place, y in zip(positions, packed, strict=True)]
            return torch.cat(halves, dim=1)
        unpacked = packed.new_zeros(count, len(packed) * packed.shape[2])
        for half, place, y in zip(unpacked.chunk(len(packed), dim=1), positions, packed, strict=True):
            half[place] = y
        return unpacked

    def zero_state(self, batch: int) -> State:
        """The state before any text, for ``batch`` sentences, which share the memory of one."""
        states = [layer.zero_state(1) for layer in cast(Iterable[ProjectedLSTM], self.layers)]
        if not states:
            return State(torch.zeros(0, self.directions, batch, 0), torch.zeros(0, self.directions, batch, 0))
        h, c = (torch.stack(parts).expand(-1, -1, batch, -1) for parts in zip(*states, strict=True))
        return State(h, c)


class CarriedState:
    """What each row of a batch continues from in the next one, as the references keep it; zero before any text.

    A batch of fewer rows than the one before leaves the state of the others as it is.
    """

    def __init__(self) -> None:
        self._kept: State | None = None

    def reset(self) -> None:
        """Forget it all."""
        self._kept = None

    def start(self, zero: State) -> State:
        """The state of as many rows as `zero` has."""
        if self._kept is None:
            return zero
        count = zero.h.shape[2]
        return State(*(_joined(old[:, :, :count], new) for old, new in zip(self._kept, zero, strict=True)))

    def keep(self, final: State) -> None:
        """Continue from here."""
        final = State(final.h.detach(), final.c.detach())
        if self._kept is not None:
            final = State(*(_joined(new, old.to(new)) for new, old in zip(final, self._kept, strict=True)))
        self._kept = final


def _joined(first: Tensor, longer: Tensor) -> Tensor:
    """(layers, D, B, X): the rows of `first`, then those that only `longer` has."""
    return torch.cat([first.to(longer), longer[:, :, first.shape[2] :]], dim=2)


def _rows(state: State, rows: Tensor) -> State:
    """The states of some sentences."""
    return State(*(part if part.stride(2) == 0 else part[:, :, rows] for part in state))  # stride 0: all are alike
