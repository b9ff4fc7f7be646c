"""MobileNetV2 (Sandler et al. 2018) for small grey faces: the tower for a phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from likeness.models.architecture import BACKBONES, BackboneParams, Dropout, Width
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.heads import DenseHead, FaceHead
from likeness.models.backbones.sizing import halved, require_size

if TYPE_CHECKING:
    from likeness.models.vision import InvertedResidual

STAGES = [
    # expansion, channels, blocks, stride; as published but for the 24-channel stage, which does not halve
    [1, 16, 1, 1],
    [6, 24, 2, 1],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]
HALVINGS = 4
MINIMUM_SIZE = (32, 32)


@dataclass(frozen=True)
class MobileNetParams(BackboneParams):
    """Parameters of MobileNetV2.

    Attributes:
        width: multiplier of the channels of every convolution.
        dense_head: end in a `DenseHead` on the last bottleneck's map, which has more parameters and learns faster,
            instead of 1 280 channels and a `FaceHead`.
        dropout: probability of dropping a feature before the embedding.
    """

    width: Width = 1.0
    dense_head: bool = False
    dropout: Dropout = 0.4


@BACKBONES.register("mobilenet-v2", MobileNetParams)
class MobileNetTower(Backbone):
    """torchvision's MobileNetV2 with a stem for grey or RGB pictures and four halvings instead of five.

    Published for 224×224 pixels, it would leave 3×2 places of an 80×64 face; these leave 5×4.

    As torchvision draws them, its 53 layers learn little in their first hundred steps. Here each residual branch
    starts at zero (Goyal et al. 2017, "Accurate, large minibatch SGD"), and a depthwise filter is drawn for the
    nine numbers that it sums; docs/results.md has the gain of each.

    Args:
        input_size: height and width in pixels, at least 32×32.
        embedding_dim: numbers to give.
        channels: of the pictures, 1 or 3.
        The others: see `MobileNetParams`.

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
        dense_head: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        from likeness.models.vision import MobileNetV2  # torchvision takes long to import

        require_size("mobilenet-v2", input_size, MINIMUM_SIZE)
        network = MobileNetV2(num_classes=1, width_mult=width, inverted_residual_setting=STAGES)
        *bottlenecks, widening = network.features
        stem = bottlenecks[0][0]
        bottlenecks[0][0] = nn.Conv2d(channels, stem.out_channels, 3, stride=2, padding=1, bias=False)
        nn.init.kaiming_normal_(bottlenecks[0][0].weight, mode="fan_out")
        for block in bottlenecks[1:]:
            _start_small(block)
        map_size = halved(input_size, HALVINGS)
        if dense_head:
            self.features = nn.Sequential(*bottlenecks)
            self.head: nn.Module = DenseHead(bottlenecks[-1].out_channels, map_size, embedding_dim, dropout)
        else:
            self.features = nn.Sequential(*bottlenecks, widening)
            self.head = FaceHead(network.last_channel, map_size, embedding_dim, dropout)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings [B, D] of images [B, C, H, W]."""
        embedding: Tensor = self.head(self.features(images))
        return embedding


def _start_small(block: InvertedResidual) -> None:
    """Draws the depthwise filters again; a block with a shortcut starts as nothing but its shortcut."""
    for module in block.conv.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            nn.init.kaiming_normal_(module.weight, mode="fan_in")
    if block.use_res_connect:
        nn.init.zeros_(block.conv[-1].weight)
