"""The layer table: what each layer gives, how many numbers it holds, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from likeness.artifacts.evaluation_tables import LAYERS
from likeness.models.embedding import evaluating
from likeness.models.preprocess import image_shape
from likeness.models.siamese import Siamese


@dataclass
class _Layer:
    """A layer as it is met; one that is met again adds its operations."""

    name: str
    kind: str
    kernel: str
    stride: str
    padding: str
    output_shape: str
    parameters: int
    mmacs: float


def layer_table(siamese: Siamese, size: tuple[int, ...]) -> pd.DataFrame:
    """Layers in the order in which one face passes them, then the comparator.

    Args:
        siamese: the network.
        size: shape of a stored face: height and width, and 3 where it is RGB.

    Returns:
        The columns of `LAYERS`: kernel, stride and padding are of convolutions and poolings, output_shape is
        of one face or of one pair, parameters are all values that the layer holds (batch-norm running
        statistics among them), mmacs are of its convolutions and matrix products; what else it does is not
        counted. The columns' sums are the network's. An ONNX tower is one row without a cost.
    """
    device = next(siamese.parameters(), torch.empty(0)).device
    with evaluating(siamese), torch.no_grad(), _watched(siamese) as met:
        embedding = siamese.embed(torch.zeros((1, *image_shape(size)), device=device))
        siamese.score(embedding, embedding)
    rows = [vars(layer) for layer in met.values()]
    return pd.DataFrame(rows, columns=list(LAYERS.columns))


@contextmanager
def _watched(siamese: Siamese) -> Iterator[dict[str, _Layer]]:
    """Collects the layers that are passed inside the block, by name."""
    with FlopCounterMode(display=False) as counter:
        watch = _Watch(counter)
        handles = [
            handle
            for name, module in siamese.named_modules()
            if _is_layer(module)
            for handle in watch.hooks(name, module)
        ]
        try:
            yield watch.met
        finally:
            for handle in handles:
                handle.remove()


class _Watch:
    """Notes each layer when it is left, with the operations done since it was entered, less its inner layers'."""

    def __init__(self, counter: FlopCounterMode) -> None:
        self.met: dict[str, _Layer] = {}
        self._counter = counter
        self._entered: list[int] = []
        self._inner: list[int] = [0]

    def hooks(self, name: str, module: nn.Module) -> list[Any]:
        def leave(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self._leave(name, module, output)

        return [module.register_forward_pre_hook(self._enter), module.register_forward_hook(leave)]

    def _enter(self, _module: nn.Module, _inputs: Any) -> None:
        self._entered.append(self._counter.get_total_flops())
        self._inner.append(0)

    def _leave(self, name: str, module: nn.Module, output: Any) -> None:
        done = self._counter.get_total_flops() - self._entered.pop()
        own = done - self._inner.pop()
        self._inner[-1] += done
        layer = self.met.setdefault(
            name,
            _Layer(name, type(module).__name__, *_geometry(module), _shape(output), _own_numbers(module), 0.0),
        )
        layer.mmacs += own / 2e6  # one multiply-accumulate is two operations


def _is_layer(module: nn.Module) -> bool:
    """What has no parts, or holds numbers outside its parts."""
    return not any(module.children()) or _own_numbers(module) > 0


def _geometry(module: nn.Module) -> tuple[str, str, str]:
    """Kernel, stride and padding of a convolution or a pooling, such as 10×10, 1 and 0; else empty."""
    if not hasattr(module, "kernel_size"):
        return "", "", ""
    kernel, stride, padding = (getattr(module, name, "") for name in ("kernel_size", "stride", "padding"))
    return _sides(kernel, always=True), _sides(stride), _sides(padding)


def _sides(value: Any, *, always: bool = False) -> str:
    """A length of both sides: 2×3, or 2 where they are equal (2×2 if `always`)."""
    sides = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    return str(sides[0]) if len(set(sides)) == 1 and not always else "×".join(map(str, sides))


def _shape(output: Any) -> str:
    """Shape without the batch, such as 64×48×48; a single number is 1."""
    if not isinstance(output, Tensor):
        return ""
    return "×".join(str(length) for length in output.shape[1:]) or "1"


def _own_numbers(module: nn.Module) -> int:
    """Numbers of the module itself: weights and running statistics; not counters, and not an ONNX file's bytes."""
    held = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    return sum(tensor.numel() for tensor in held if tensor.is_floating_point())
