"""MobileNetV2 (Sandler et al. 2018) for small grey faces: the tower for a phone."""

from __future__ import annotations

from torch import Tensor, nn

from likeness.models.backbones.heads import FaceHead
from likeness.models.backbones.sizing import halved, require_size
from likeness.models.vision import MobileNetV2

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


class MobileNetTower(nn.Module):
    """torchvision's MobileNetV2 with a one-channel stem and four halvings instead of five.

    Published for 224×224 pixels, it would leave 3×2 places of an 80×64 face; these leave 5×4.

    Args:
        input_size: height and width in pixels, at least 32×32.
        embedding_dim: numbers to give.
        width: multiplier of all channels.
        dropout: probability of dropping a pooled channel before the embedding.

    Raises:
        ModelError: the pictures are too small.
    """

    def __init__(
        self,
        input_size: tuple[int, int] = (80, 64),
        embedding_dim: int = 128,
        *,
        width: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        require_size("mobilenet-v2", input_size, MINIMUM_SIZE)
        network = MobileNetV2(num_classes=1, width_mult=width, inverted_residual_setting=STAGES)
        self.features: nn.Sequential = network.features
        stem = self.features[0][0]
        self.features[0][0] = nn.Conv2d(1, stem.out_channels, 3, stride=2, padding=1, bias=False)
        nn.init.kaiming_normal_(self.features[0][0].weight, mode="fan_out")
        self.head = FaceHead(network.last_channel, halved(input_size, HALVINGS), embedding_dim, dropout)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings [B, D] of images [B, 1, H, W]."""
        embedding: Tensor = self.head(self.features(images))
        return embedding
