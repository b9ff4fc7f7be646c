"""The nine-layer light CNN of Wu, He, Sun and Tan 2015, "A light CNN for deep face representation"."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from likeness.models.architecture import BACKBONES, BackboneParams, Dropout, Width
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.sizing import halved, require_size, scaled

STAGES = (((48, 5), True), ((96, 3), True), ((192, 3), True), ((128, 3), False), ((128, 3), True))
"""Channels and kernel size of each stage's convolution, and whether 2×2 max pooling follows."""
MINIMUM_SIZE = (32, 32)


class MaxFeatureMap(nn.Module):
    """Keeps the larger of the two halves of the channels: a maxout that halves what it is given."""

    def forward(self, features: Tensor) -> Tensor:
        """Features [B, C, …] of the 2C given."""
        first, second = features.chunk(2, dim=1)
        return first.maximum(second)


@dataclass(frozen=True)
class LightCNNParams(BackboneParams):
    """Parameters of the light CNN.

    Attributes:
        width: multiplier of the channels of every convolution.
        batch_norm: normalise after each convolution, and the embedding; the paper does not. The larger of two
            numbers is positive on average: uncentred, all embeddings point one way, and a loss of their angles
            learns slowly (docs/results.md).
        dropout: probability of dropping a feature before the embedding.
    """

    width: Width = 1.0
    batch_norm: bool = True
    dropout: Dropout = 0.4


@BACKBONES.register("light-cnn", LightCNNParams)
class LightCNN(Backbone):
    """Five stages of convolutions with max-feature-map activations, then a max-feature-map dense layer.

    The input is 128×128 in the paper; padding keeps the size within a stage, and pooling rounds up.

    Args:
        input_size: height and width in pixels, at least 32×32.
        embedding_dim: numbers to give, 256 in the paper.
        channels: of the pictures, 1 or 3.
        The others: see `LightCNNParams`.

    Raises:
        ModelError: the pictures are too small.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        embedding_dim: int,
        channels: int = 1,
        *,
        width: float,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        require_size("light-cnn", input_size, MINIMUM_SIZE)
        self.features = nn.Sequential()
        size = input_size
        for number, ((planned, kernel), pooled) in enumerate(STAGES, start=1):
            out = scaled(planned, width)
            if number > 1:
                self.features.add_module(f"reduce{number}", _convolution(channels, channels, 1, batch_norm))
            self.features.add_module(f"conv{number}", _convolution(channels, out, kernel, batch_norm))
            if pooled:
                self.features.add_module(f"pool{number}", nn.MaxPool2d(2, ceil_mode=True))
                size = halved(size)
            channels = out
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(channels * size[0] * size[1], 2 * embedding_dim)
        self.activation = MaxFeatureMap()
        self.norm = nn.BatchNorm1d(embedding_dim) if batch_norm else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings [B, D] of images [B, C, H, W]."""
        hidden = self.dropout(self.flatten(self.features(images)))
        embedding: Tensor = self.norm(self.activation(self.dense(hidden)))
        return embedding


def _convolution(channels: int, out: int, kernel: int, batch_norm: bool) -> nn.Sequential:
    """A size-keeping convolution to twice `out` channels, of which the activation leaves `out`."""
    layers: list[nn.Module] = [nn.Conv2d(channels, 2 * out, kernel, padding=kernel // 2, bias=not batch_norm)]
    if batch_norm:
        layers.append(nn.BatchNorm2d(2 * out))
    nn.init.kaiming_normal_(layers[0].weight, nonlinearity="linear")  # type: ignore[arg-type]
    return nn.Sequential(*layers, MaxFeatureMap())
