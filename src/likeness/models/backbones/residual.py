"""A small residual network for aligned faces, laid out for two CPU cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn

from likeness.models.architecture import BACKBONES, BackboneParams, Dropout, Width
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.heads import DenseHead, FaceHead
from likeness.models.backbones.sizing import halved, require_size, scaled
from likeness.params import Range

STEM_CHANNELS = 32
STAGES = ((64, 1), (128, 2), (192, 2), (192, 1))
"""Channels and blocks of each stage; all but the first halve the map."""
HALVINGS = 4
MINIMUM_SIZE = (32, 32)


class Block(nn.Module):
    """BN → 3×3 convolution → BN → PReLU → 3×3 convolution → BN, added to its input.

    The form of Deng et al. 2019 ("ArcFace", the improved residual unit): nothing clips the sum. Where the map is
    halved or widened, the shortcut averages 2×2 places and maps them linearly, so that no place is skipped.

    Args:
        channels: given.
        out: channels to give.
        stride: of the first convolution, 1 or 2.
    """

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.PReLU(out),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.AvgPool2d(2, ceil_mode=True))
        if channels != out:
            self.shortcut.append(nn.Conv2d(channels, out, 1, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out))

    def forward(self, features: Tensor) -> Tensor:
        """Features [B, out, h', w'] of features [B, channels, h, w]."""
        total: Tensor = self.body(features) + self.shortcut(features)
        return total


@dataclass(frozen=True)
class ResidualParams(BackboneParams):
    """Parameters of the residual network.

    Attributes:
        width: multiplier of the channels of every convolution.
        depth: multiplier of the blocks of every stage.
        dense_head: let every place of the last map have a say in every number of the embedding; more parameters,
            faster learning.
        dropout: probability of dropping a feature before the embedding.
    """

    width: Width = 1.0
    depth: Annotated[int, Range(1, 16)] = 1
    dense_head: bool = False
    dropout: Dropout = 0.4


@BACKBONES.register("residual", ResidualParams)
class Residual(Backbone):
    """A stem that halves the picture, four stages of residual blocks, and a face head.

    About 2.5 million parameters and 0.36 billion multiply-accumulates at 80×64 and width 1. The stem halves at
    once: with so few input channels the first full-size map would cost the most memory traffic and add the least.

    Args:
        input_size: height and width in pixels, at least 32×32.
        embedding_dim: numbers to give.
        channels: of the pictures, 1 or 3.
        The others: see `ResidualParams`.

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
        depth: int,
        dense_head: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        require_size("residual", input_size, MINIMUM_SIZE)
        stem = scaled(STEM_CHANNELS, width)
        self.stem = nn.Sequential(
            nn.Conv2d(channels, stem, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.PReLU(stem),
        )
        channels = stem
        self.stages = nn.Sequential()
        for number, (planned, blocks) in enumerate(STAGES):
            out = scaled(planned, width)
            strides = [2 if number else 1] + [1] * (blocks * depth - 1)
            for stride in strides:
                self.stages.append(Block(channels, out, stride))
                channels = out
        head = DenseHead if dense_head else FaceHead
        self.head = head(channels, halved(input_size, HALVINGS), embedding_dim, dropout)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.groups == 1:
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings [B, D] of images [B, C, H, W]."""
        embedding: Tensor = self.head(self.stages(self.stem(images)))
        return embedding
