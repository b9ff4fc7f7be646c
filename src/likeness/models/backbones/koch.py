"""The Siamese tower of Koch, Zemel and Salakhutdinov 2015, in its variant for faces of 105×105 pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from likeness.models.architecture import BACKBONES, BackboneParams, Deviation, Dropout, Width
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.sizing import require_size, scaled

CONVOLUTIONS = ((64, 10), (128, 7), (128, 4), (256, 4))
"""Output channels and kernel size of each convolution; all but the last are followed by a 2×2 maximum."""
MINIMUM_SIZE = (65, 65)
WEIGHT_STD = 0.01
BIAS_MEAN, BIAS_STD = 0.5, 0.01


@dataclass(frozen=True)
class KochParams(BackboneParams):
    """Parameters of the tower of Koch et al. 2015.

    Attributes:
        width: multiplier of the channels of every convolution.
        batch_norm: normalise after each convolution; the paper does not.
        first_bias: bias of the first convolution.
        dropout: probability of dropping a unit of the embedding.
        dense_std: standard deviation of the initial weights of the dense layer.
    """

    width: Width = 1.0
    batch_norm: bool = True
    first_bias: bool = True
    dropout: Dropout = 0.4
    dense_std: Deviation = 0.2


@BACKBONES.register("koch", KochParams)
class Koch(Backbone):
    """Four valid convolutions and one sigmoid layer of `embedding_dim` units.

    Each convolution is followed by batch normalisation (absent in the 2015 paper), ReLU and, but for the last,
    2×2 max pooling. Weights start from N(0, 0.01²), biases from N(0.5, 0.01²), the dense weights from
    N(0, dense_std²) (the paper: 0.2).

    Args:
        input_size: height and width in pixels, at least 65×65; 105×105 in the paper.
        embedding_dim: units of the sigmoid layer, 4 096 in the paper.
        channels: of the pictures, 1 or 3.
        The others: see `KochParams`.

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
        first_bias: bool,
        dropout: float,
        dense_std: float,
    ) -> None:
        super().__init__()
        require_size("koch", input_size, MINIMUM_SIZE)
        self.features = nn.Sequential()
        height, width_px = input_size
        for number, (planned, kernel) in enumerate(CONVOLUTIONS, start=1):
            out = scaled(planned, width)
            biased = first_bias or number > 1
            self.features.add_module(f"conv{number}", nn.Conv2d(channels, out, kernel, bias=biased))
            if batch_norm:
                self.features.add_module(f"norm{number}", nn.BatchNorm2d(out))
            self.features.add_module(f"relu{number}", nn.ReLU())
            height, width_px = height - kernel + 1, width_px - kernel + 1
            if number < len(CONVOLUTIONS):
                self.features.add_module(f"pool{number}", nn.MaxPool2d(2))
                height, width_px = height // 2, width_px // 2
            channels = out
        self.flatten = nn.Flatten()
        self.dense = nn.Linear(channels * height * width_px, embedding_dim)
        self.sigmoid = nn.Sigmoid()
        self.dropout = nn.Dropout(dropout)
        self._initialise(dense_std)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings [B, D] in (0, 1), of images [B, C, H, W]."""
        hidden = self.flatten(self.features(images))
        embedding: Tensor = self.dropout(self.sigmoid(self.dense(hidden)))
        return embedding

    @torch.no_grad()
    def _initialise(self, dense_std: float) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, 0.0, dense_std if isinstance(module, nn.Linear) else WEIGHT_STD)
                if module.bias is not None:
                    nn.init.normal_(module.bias, BIAS_MEAN, BIAS_STD)
