"""Keeps a backbone's lower layers as they are, to the last bit (DeepFace's second step, Taigman et al. 2014)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from torch import nn

from likeness.errors import FrozenWeightsError, ParamsError


@dataclass(frozen=True)
class FrozenWeights:
    """The content of frozen layers: weights, biases and running statistics, to the last bit.

    Attributes:
        tensors: how many.
        values: in all of them.
        sha256: hex digest of their bytes.
    """

    tensors: int
    values: int
    sha256: str


class FrozenLayers:
    """The layers of a backbone below its topmost `trained` ones.

    A layer is what has a weight matrix (a convolution, a dense layer); the norms and activations after it go with
    it. Their weights get no gradient, and they stay in evaluation mode: a batch norm that merely watched would
    move its running statistics, and a dropout would disturb what the layers above learn from.

    Args:
        backbone: the tower.
        trained: number of topmost layers that are trained; None: all.

    Raises:
        ParamsError: the backbone has fewer layers.
    """

    def __init__(self, backbone: nn.Module, trained: int | None) -> None:
        leaves = [module for module in backbone.modules() if not list(module.children())]
        layers = [place for place, module in enumerate(leaves) if _has_matrix(module)]
        if trained is not None and trained > len(layers):
            raise ParamsError(
                f"train.freeze: {trained} layers are to be trained, but the backbone has {len(layers)}"
            )
        first = 0 if trained is None else [*layers, len(leaves)][len(layers) - trained]
        self.modules = leaves[:first]
        for module in self.modules:
            module.requires_grad_(False)

    def snapshot(self) -> FrozenWeights | None:
        """The frozen layers as they are now; None where nothing is frozen."""
        held = [tensor for module in self.modules for tensor in [*module.parameters(), *module.buffers()]]
        digest = hashlib.sha256()
        for tensor in held:
            digest.update(tensor.detach().cpu().contiguous().numpy().data)
        return (
            FrozenWeights(len(held), sum(tensor.numel() for tensor in held), digest.hexdigest()) if held else None
        )

    def set_eval(self) -> None:
        """Back to evaluation mode, after the network was switched to training."""
        for module in self.modules:
            module.eval()


def check_unchanged(before: FrozenWeights | None, after: FrozenWeights | None) -> None:
    """Proves that frozen layers are bit-identical before and after a training.

    Raises:
        FrozenWeightsError: they are not.
    """
    if before != after:
        raise FrozenWeightsError(
            "frozen weights have changed in training, though nothing may touch them; the model is not saved. This "
            "is a defect of Likeness itself: please report it with the params.yaml"
        )


def _has_matrix(module: nn.Module) -> bool:
    return any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))
