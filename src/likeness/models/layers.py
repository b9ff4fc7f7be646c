"""The network layer by layer: shapes, parameters and multiply-accumulates, as counted on one image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from likeness.models.embedding import evaluating
from likeness.models.siamese import Siamese


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Attributes:
        name: dotted, such as `backbone.features.conv1`.
        kind: its class.
        output_shape: without the batch.
        parameters: numbers that it holds: weights, biases and batch-norm running statistics.
        macs: multiply-accumulates for one image (one pair in the comparator); 0 where nothing is multiplied.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int


def layer_table(siamese: Siamese, input_size: tuple[int, int]) -> list[Layer]:
    """The layers in the order in which an image, and then a pair, passes through them.

    Args:
        siamese: the network; left as it was.
        input_size: height and width of the stored pictures.
    """
    layers: list[Layer] = []
    leaves = [(name, module) for name, module in siamese.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(_recorder(name, layers)) for name, module in leaves]
    device = next((tensor.device for tensor in siamese.state_dict().values()), torch.device("cpu"))
    try:
        with evaluating(siamese), torch.inference_mode():
            embedding = siamese.embed(torch.zeros(1, 1, *input_size, device=device))
            siamese.score(embedding, embedding)
    finally:
        for handle in handles:
            handle.remove()
    return layers


def count_parameters(module: nn.Module) -> int:
    """All numbers of a network: weights, biases and batch-norm running statistics (not their step counters)."""
    return sum(
        value.numel() for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")
    )


def _recorder(name: str, layers: list[Layer]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        shape = tuple(output.shape[1:])
        layers.append(Layer(name, type(module).__name__, shape, count_parameters(module), _macs(module, output)))

    return record


def _macs(module: nn.Module, output: Tensor) -> int:
    """Each output of a convolution or dense layer takes one multiply-accumulate per weight that reaches it."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        return output[0].numel() * module.weight[0].numel()
    return 0
