"""How a gradient becomes a step: the optimiser, its learning rate over time, and L2 by kind of layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

if TYPE_CHECKING:
    from likeness.training.params import L2Params, TrainParams


class Penalty:
    """λ·Σw² of a backbone's trainable layers.

    The gradient 2λw is added by hand: through autograd, the squares of S1's 38 million weights would be written
    and read back in every step.

    Args:
        backbone: the tower.
        params: the factors.
    """

    def __init__(self, backbone: nn.Module, params: L2Params) -> None:
        kinds = ((nn.Conv2d, params.conv), (nn.Linear, params.dense))
        self.terms = [
            (factor, module.weight)
            for kind, factor in kinds
            for module in backbone.modules()
            if factor and isinstance(module, kind) and module.weight.requires_grad
        ]

    @torch.no_grad()
    def value(self) -> float:
        """The penalty as it is now."""
        return sum(factor * float(weight.square().sum()) for factor, weight in self.terms)

    @torch.no_grad()
    def add_gradients(self) -> None:
        """Adds the penalty's gradient to that of the loss."""
        for factor, weight in self.terms:
            if weight.grad is not None:
                weight.grad.add_(weight, alpha=2 * factor)


def named_trainable(siamese: nn.Module, objective: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that training changes, in a fixed order, each under the name that a checkpoint gives it."""
    parts = {"model": siamese, "objective": objective}
    return {
        f"{prefix}.{name}": parameter
        for prefix, part in parts.items()
        for name, parameter in part.named_parameters()
        if parameter.requires_grad
    }


def build_optimizer(parameters: dict[str, nn.Parameter], params: TrainParams) -> Optimizer:
    """The optimiser over two groups, with and without weight decay; fused, one pass over memory a step."""
    groups = [
        {"params": [p for p in parameters.values() if p.ndim > 1], "weight_decay": params.weight_decay},
        {"params": [p for p in parameters.values() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    match params.optimizer:
        case "adam":
            return Adam(groups, lr=params.learning_rate, fused=True)
        case "adamw":
            return AdamW(groups, lr=params.learning_rate, fused=True)
        case "sgd":
            return SGD(groups, lr=params.learning_rate, momentum=0.9, nesterov=True, fused=True)


def learning_rate(params: TrainParams, progress: float) -> float:
    """The learning rate after the share `progress` of all epochs."""
    warm = params.warmup / params.epochs
    if progress < warm:
        return params.learning_rate * progress / warm
    if params.lr_schedule == "constant" or warm >= 1:
        return params.learning_rate
    return params.learning_rate * (1 + math.cos(math.pi * (progress - warm) / (1 - warm))) / 2


def optimizer_tensors(optimizer: Optimizer, parameters: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """The optimiser's state as `parameter/slot` → tensor."""
    return {
        f"{name}/{slot}": value
        for name, parameter in parameters.items()
        for slot, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: Optimizer, parameters: dict[str, nn.Parameter], saved: dict[str, Tensor]) -> None:
    """Puts back what `optimizer_tensors` gave, each tensor in the memory layout of its parameter."""
    for key, value in saved.items():
        name, slot = key.rsplit("/", 1)
        parameter = parameters[name]
        like = torch.empty_like(parameter) if value.shape == parameter.shape else value.clone()
        optimizer.state[parameter][slot] = like.detach().copy_(value)
