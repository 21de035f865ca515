"""The optimizer of a pretraining run and its learning rates."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import SGD, Adagrad, AdamW, Optimizer

from elmokit.nn.char_cnn import Highway
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.nn.token_encoder import TokenEncoder
from elmokit.pretrain.config import PretrainConfig
from elmokit.pretrain.muon import Matrices, Muon

_BETAS = (0.9, 0.99)


def build_optimizer(config: PretrainConfig, model: nn.Module) -> Optimizer:
    """The optimizer that the settings name, over all parameters of the model."""
    rate, decay = config.learning_rate, config.weight_decay
    parameters = list(model.parameters())
    if config.optimizer == "adagrad":
        return Adagrad(parameters, lr=rate, weight_decay=decay, initial_accumulator_value=1.0)
    if config.optimizer == "sgd":
        return SGD(parameters, lr=rate, weight_decay=decay, fused=True)
    if config.optimizer == "muon":
        side = config.muon_max_side
        return build_muon(model, lr=muon_rate(config), adamw_lr=rate, weight_decay=decay, max_side=side)
    return AdamW(parameters, lr=rate, weight_decay=decay, betas=_BETAS, fused=True)


def build_muon(
    model: nn.Module, *, lr: float, adamw_lr: float, weight_decay: float = 0.0, max_side: int | None = None
) -> Muon:
    """Muon over the matrices of a model that `hidden_matrices` finds, AdamW over its other parameters.

    Args:
        model: Any module.
        lr, adamw_lr, weight_decay: See `Muon`.
        max_side: Of the matrices, see `hidden_matrices`.
    """
    matrices = hidden_matrices(model, max_side=max_side)
    taken = {id(parameter) for found in matrices for parameter in found.parameters}
    others = [parameter for parameter in model.parameters() if id(parameter) not in taken]
    return Muon(matrices, others, lr=lr, adamw_lr=adamw_lr, weight_decay=weight_decay, betas=_BETAS)


def set_learning_rates(optimizer: Optimizer, config: PretrainConfig, factor: float) -> None:
    """Give every group of parameters ``factor`` of the peak rate that the settings name for it."""
    for group in optimizer.param_groups:
        peak = muon_rate(config) if group.get("kind") == "muon" else config.learning_rate
        group["lr"] = peak * factor


def muon_rate(config: PretrainConfig) -> float:
    """The peak rate of the matrices under Muon.

    Ten times that of AdamW unless it is set: 0.02 where that is 0.002. One setting then scales both, when a model is
    further pretrained at a low rate, say.
    """
    return 10 * config.learning_rate if config.muon_learning_rate is None else config.muon_learning_rate


def hidden_matrices(model: nn.Module, *, max_side: int | None = None) -> list[Matrices]:
    """What Muon trains: the gates and projections of LSTMs, highways, projections of token encoders.

    Tables, filters, biases and the softmax are not among them: they are no maps between hidden vectors. A matrix whose
    smaller side is longer than ``max_side`` is cut into blocks of rows, each a matrix of its own.
    """
    found: list[Matrices] = []
    for module in model.modules():
        if isinstance(module, ProjectedLSTM):
            found += [Matrices([weight], blocks=4) for weight in (module.weight_input, module.weight_hidden)]
            if module.weight_projection is not None:
                found.append(Matrices([module.weight_projection], transposed=True))
        elif isinstance(module, Highway):
            found += [Matrices([linear.weight]) for linear in (module.carry, module.transform)]
        elif isinstance(module, TokenEncoder) and module.projection is not None:
            found.append(Matrices([module.projection.weight]))
    alike: dict[tuple[int, bool], list[Tensor]] = {}
    for one in found:
        blocks = one.blocks
        if max_side is not None:  # blocks of equal height, as few as keep the smaller side of each within `max_side`
            rows, columns = one.parameters[0].shape[-2:]
            heights = (rows // n for n in range(one.blocks, rows + 1, one.blocks) if rows % n == 0)
            blocks = rows // next(height for height in heights if min(height, columns) <= max_side)
        alike.setdefault((blocks, one.transposed), []).extend(one.parameters)
    return [Matrices(weights, blocks, transposed) for (blocks, transposed), weights in alike.items()]
