"""A moving average of the weights: steadier than the last step's, and most often better."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_WARM = 10  # steps over which the average forgets the random start


class ExponentialMovingAverage:
    """Exponential moving average of a network's trainable weights and running statistics.

    Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging".

    Args:
        module: the network; read at every update.
        decay: share of the old average that a step keeps; less over the first steps, (1 + t)/(10 + t).
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
        self._live |= {name: buffer for name, buffer in module.named_buffers() if buffer.is_floating_point()}
        self.tensors: dict[str, Tensor] = {name: tensor.clone() for name, tensor in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the weights after `step` steps."""
        keep = min(self.decay, (1 + step) / (_WARM + step))
        torch._foreach_lerp_(list(self.tensors.values()), list(self._live.values()), 1 - keep)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the network has the averaged weights."""
        trained = {name: tensor.clone() for name, tensor in self._live.items()}
        self._put(self.tensors)
        try:
            yield
        finally:
            self._put(trained)

    @torch.no_grad()
    def _put(self, tensors: dict[str, Tensor]) -> None:
        for name, tensor in tensors.items():
            self._live[name].copy_(tensor)
