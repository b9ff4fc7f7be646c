"""The Siamese network: ONE tower that embeds a face, and a comparator that scores two embeddings."""

from __future__ import annotations

from typing import Self

from torch import Tensor, nn

from likeness.models.architecture import Window
from likeness.models.backbones.backbone import Backbone
from likeness.models.comparators.comparator import Comparator


class Siamese(nn.Module):
    """A tower and a comparator; both photographs of a pair pass through the same tower.

    An image goes through: window → backbone → unit sphere (`normalise`) → projection → unit sphere (`unit`).
    A photograph that occurs in several pairs of a batch needs one embedding only: embed the unique images, then
    `score` rows of the result.

    Args:
        backbone: images [B, C, H, W] → embeddings [B, D].
        comparator: embeddings [P, D'], [P, D'] → scores [P], see `Comparator`.
        embedding_dim: D', the length of what `embed` gives.
        normalise: put the backbone's embeddings on the unit sphere.
        projection: a linear map D → D' fitted on embeddings, such as LDA.
        unit: put what `embed` gives on the unit sphere.
        window: part of the input that the backbone sees; None for the whole.
        frozen: keep the backbone as it is: no gradients, and batch statistics stay as they were stored.
    """

    def __init__(
        self,
        backbone: Backbone,
        comparator: Comparator,
        embedding_dim: int,
        *,
        normalise: bool = False,
        projection: nn.Linear | None = None,
        unit: bool = False,
        window: Window | None = None,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.projection = projection
        self.comparator = comparator
        self.embedding_dim = embedding_dim
        self.normalise = normalise
        self.unit = unit
        self.window = window
        self.frozen = frozen
        if frozen:
            backbone.requires_grad_(False)

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings float [B, D] of preprocessed images float [B, 1, H, W]."""
        return self.mapped(self.backbone(self.seen(images)))

    def mapped(self, embeddings: Tensor) -> Tensor:
        """Embeddings [B, D'] of what the backbone gives, [B, D]."""
        if self.normalise:
            embeddings = nn.functional.normalize(embeddings, dim=-1)
        if self.projection is not None:
            embeddings = self.projection(embeddings)
        return nn.functional.normalize(embeddings, dim=-1) if self.unit else embeddings

    def seen(self, images: Tensor) -> Tensor:
        """The part [B, C, h, w] of images [B, C, H, W] that the backbone sees."""
        if self.window is None:
            return images
        top, left, height, width = self.window
        return images[..., top : top + height, left : left + width]

    def score(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] of pairs of embeddings [P, D], higher = more alike."""
        scores: Tensor = self.comparator(first, second)
        return scores

    def forward(self, images: Tensor) -> Tensor:
        """The same as `embed`; what a wrapper such as DistributedDataParallel calls."""
        return self.embed(images)

    def train(self, mode: bool = True) -> Self:
        """Switches between training and evaluation; a frozen backbone stays in evaluation."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self
