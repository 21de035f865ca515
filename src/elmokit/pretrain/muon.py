"""Muon for the matrices of a network, AdamW for all its other parameters, as one optimizer.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) takes the momentum of a matrix's gradient to the
nearest semi-orthogonal matrix, so that every direction of the update has about the same size. `torch.optim.Muon` does
the same to whole 2-D parameters only: the weights of our LSTMs hold four gates and two directions, each a matrix of its
own, and PyTorch before 2.9 has no such class. Here all matrices of one shape go through one batched product a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.adamw import adamw

from elmokit.nn.precision import multiplies

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Jordan's coefficients: the steepest slope at zero; singular values end between about 0.7 and 1.2, not at 1."""

_TINY = 1e-7


@dataclass(frozen=True)
class Matrices:
    """Parameters that hold matrices: (…, blocks · rows, columns), each block and each leading index a matrix.

    ``transposed``: rows are inputs and columns outputs; otherwise the other way round, as in ``torch.nn.Linear``.
    """

    parameters: list[Tensor]
    blocks: int = 1
    transposed: bool = False


class Muon(Optimizer):
    """Muon with Nesterov momentum on ``matrices``, AdamW on ``others``; weight decay is decoupled in both.

    Groups carry ``kind`` ("muon" or "adamw") and a learning rate each. The update of a matrix is scaled by
    √max(1, outputs / inputs), Jordan's rule (``adjust_lr_fn="original"`` of `torch.optim.Muon`). Every process of a
    distributed run computes the same updates from the same gradients; none are exchanged.
    """

    def __init__(
        self,
        matrices: Iterable[Matrices],
        others: Iterable[Tensor],
        *,
        lr: float = 0.02,
        adamw_lr: float = 2e-3,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
        steps: int = 5,
    ) -> None:
        # `fused` tells `load_state_dict` where the step counts belong, too.
        groups: list[dict[str, Any]] = [
            {"params": list(others), "kind": "adamw", "lr": adamw_lr, "betas": betas, "fused": True}
        ]
        shared = {"kind": "muon", "lr": lr, "momentum": momentum, "steps": steps}
        for found in matrices:
            form = {"blocks": found.blocks, "transposed": found.transposed}
            groups.append({"params": found.parameters, **shared, **form})
        super().__init__([group for group in groups if group["params"]], {"weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        alike: dict[tuple[int, ...], list[_Update]] = {}  # of matrices of one shape
        for group in self.param_groups:
            if group["kind"] == "adamw":
                self._adamw(group)
                continue
            for parameter in _with_gradient(group):
                gradient, state = parameter.grad, self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(gradient)
                momentum: Tensor = state["momentum"].lerp_(gradient, 1 - group["momentum"])
                columns = parameter.shape[-1]
                rows = parameter.shape[-2] // group["blocks"]
                outputs, inputs = (columns, rows) if group["transposed"] else (rows, columns)
                update = _Update(
                    parameter.view(-1, rows, columns),
                    torch.lerp(gradient, momentum, group["momentum"]).view(-1, rows, columns),
                    rate=group["lr"] * max(1.0, outputs / inputs) ** 0.5,
                    decay=1 - group["lr"] * group["weight_decay"],
                )
                alike.setdefault((rows, columns, group["steps"]), []).append(update)
        for (*_, steps), updates in alike.items():
            turned = orthogonalized(torch.cat([update.direction for update in updates]), steps=steps)
            sizes = [len(update.direction) for update in updates]
            for update, part in zip(updates, torch.split(turned, sizes), strict=True):
                update.weight.mul_(update.decay).add_(part, alpha=-update.rate)
        return loss

    def _adamw(self, group: dict[str, Any]) -> None:
        parameters = list(_with_gradient(group))
        states = [self.state[parameter] for parameter in parameters]
        for parameter, state in zip(parameters, states, strict=True):
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        first, second, steps = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
        beta1, beta2 = group["betas"]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters],
            first,
            second,
            [],
            steps,
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=1e-8,
            maximize=False,
        )


@dataclass(frozen=True)
class _Update:
    weight: Tensor  # (B, M, N), a view of the parameter
    direction: Tensor  # (B, M, N)
    rate: float
    decay: float


def _with_gradient(group: dict[str, Any]) -> Iterator[Any]:
    return (parameter for parameter in group["params"] if parameter.grad is not None)


def orthogonalized(matrices: Tensor, *, steps: int = 5) -> Tensor:
    """(B, M, N) to about U Vᵀ of each matrix U S Vᵀ, by quintic Newton-Schulz steps.

    In bfloat16 where the processor has units for it, else in float32. The products of a step are taken on the smaller
    side: X ← a X + (b G + c G²) X with G = X Xᵀ, or X on the left and G = Xᵀ X where M > N.
    """
    dtype = torch.bfloat16 if multiplies(torch.bfloat16, matrices.device.type) else torch.float32
    x: Tensor = (matrices / torch.linalg.vector_norm(matrices, dim=(1, 2), keepdim=True).clamp_min(_TINY)).to(dtype)
    tall = x.shape[1] > x.shape[2]
    a, b, c = _QUINTIC
    for _ in range(steps):
        gram = torch.bmm(x.transpose(1, 2), x) if tall else torch.bmm(x, x.transpose(1, 2))
        change = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, x, change, beta=a) if tall else torch.baddbmm(x, change, x, beta=a)
    return x
