"""Keeps a backbone's lower layers as they are, to the last bit (DeepFace's second step, Taigman et al. 2014)."""

from __future__ import annotations

from torch import nn

from likeness.errors import ParamsError


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

    def hold(self) -> None:
        """Back to evaluation mode, after the network was switched to training."""
        for module in self.modules:
            module.eval()


def _has_matrix(module: nn.Module) -> bool:
    return any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))
