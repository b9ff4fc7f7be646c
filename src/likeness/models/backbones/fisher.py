"""Fisher vectors of dense SIFT descriptors as a tower (Simonyan, Parkhi, Vedaldi and Zisserman 2013).

A face is described by how its thousands of local descriptors, each with its place in the face, differ from a
mixture of Gaussians of such descriptors, the codebook. No label and no gradient is needed for it; people are
distinguished by a map fitted behind it (PCA, then LDA).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.models.architecture import BACKBONES, BackboneParams
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.resampling import luminance, resampler
from likeness.models.backbones.sift import CELLS, LENGTH, DenseSift
from likeness.models.backbones.sizing import require_size

AXES = 64
LOCAL = AXES + 2
MINIMUM_SIZE = (32, 32)
_HEIGHT = 160  # in pixels, that a face is enlarged to; the width follows
_SCALES = 5  # each smaller than the one before by the square root of two
_CELL, _STRIDE = 6, 4
_AT_ONCE = 16  # faces, of some megabytes each


@dataclass(frozen=True, eq=False)
class Codebook:
    """A mixture of K Gaussians with diagonal covariance, of local descriptors mapped by (x - centre) @ axes.

    Attributes:
        centre: float32 [130], of descriptor and place.
        axes: float32 [130, 66].
        weights: float32 [K], their sum 1.
        means: float32 [K, 66].
        variances: float32 [K, 66].
    """

    centre: Tensor
    axes: Tensor
    weights: Tensor
    means: Tensor
    variances: Tensor


@BACKBONES.register("fisher", BackboneParams)
class FisherVectors(Backbone):
    """Improved Fisher vectors: gradients by means and deviations, signed square roots, length 1.

    Args:
        input_size: height and width in pixels.
        channels: of the pictures; of RGB ones the luminance is described.
        embedding_dim: 132 times the number of Gaussians in the codebook.

    Raises:
        ModelError: the pictures are too small, or the embedding has no such length.
    """

    by_gradient = False
    centre: Tensor
    axes: Tensor
    weights: Tensor
    means: Tensor
    variances: Tensor

    def __init__(self, input_size: tuple[int, int], embedding_dim: int, channels: int = 1) -> None:
        super().__init__()
        require_size("fisher", input_size, MINIMUM_SIZE)
        self.gaussians, left = divmod(embedding_dim, 2 * LOCAL)
        if left or not self.gaussians:
            raise ModelError(
                f"the fisher backbone gives {2 * LOCAL} numbers for each Gaussian of its codebook; "
                f"set embedding_dim to a multiple of that (33792 for 256), found {embedding_dim}"
            )
        heights = [_HEIGHT * 2 ** (-scale / 2) for scale in range(_SCALES)]
        sizes = [(round(height), round(height * input_size[1] / input_size[0])) for height in heights]
        sizes = [size for size in sizes if min(size) >= CELLS * _CELL] or sizes[:1]
        self.sifts = nn.ModuleList()
        for number, (height, width) in enumerate(sizes):
            sift = DenseSift((height, width), _CELL, _STRIDE)
            self.sifts.append(sift)
            self.register_buffer(f"down{number}", resampler(input_size[0], height), persistent=False)
            across = resampler(input_size[1], width).T.contiguous()
            self.register_buffer(f"across{number}", across, persistent=False)
            self.register_buffer(f"places{number}", sift.places, persistent=False)
        drawn = Codebook(
            centre=torch.zeros(LENGTH + 2),
            axes=nn.init.orthogonal_(torch.empty(LENGTH + 2, LOCAL)),
            weights=torch.full((self.gaussians,), 1 / self.gaussians),
            means=torch.randn(self.gaussians, LOCAL) * LOCAL**-0.5,
            variances=torch.full((self.gaussians, LOCAL), 1 / LOCAL),
        )
        for name, value in vars(drawn).items():
            self.register_buffer(name, value)

    def take(self, codebook: Codebook) -> None:
        """Puts a learnt codebook in the place of the one before, which was drawn at random."""
        for name, value in vars(codebook).items():
            self.get_buffer(name).copy_(value)

    def local(self, images: Tensor) -> Tensor:
        """Descriptors and their places [B, P, 130] of images [B, C, H, W], of all scales."""
        faces, found = luminance(images.float()), []
        for number, sift in enumerate(self.sifts):
            descriptors = sift(self.get_buffer(f"down{number}") @ faces @ self.get_buffer(f"across{number}"))
            places = self.get_buffer(f"places{number}").expand(descriptors.shape[0], -1, -1)
            found.append(torch.cat([descriptors, places], dim=-1))
        return torch.cat(found, dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Fisher vectors [B, 132·K] of images [B, C, H, W]."""
        with torch.autocast(images.device.type, enabled=False):
            if torch.compiler.is_exporting():  # which knows no loop over a batch of any length
                return self._encoded(images)
            return torch.cat([self._encoded(part) for part in torch.split(images, _AT_ONCE)])

    def _encoded(self, images: Tensor) -> Tensor:
        points = (self.local(images) - self.centre) @ self.axes  # [B, P, 66]
        points = torch.cat([points.square(), points], dim=-1)
        precision = 1 / self.variances
        linear = torch.cat([-precision / 2, self.means * precision], dim=-1).T
        constant = self.weights.log() - (self.variances.log() + self.means.square() * precision).sum(dim=-1) / 2
        shares = torch.softmax(points @ linear + constant, dim=-1)  # [B, P, K]
        mass = shares.sum(dim=1).unsqueeze(-1)
        squares, sums = torch.split(shares.transpose(1, 2) @ points, LOCAL, dim=-1)  # [B, K, 66] each
        count, root = points.shape[1], self.weights.sqrt().unsqueeze(-1)
        by_mean = (sums - self.means * mass) * precision.sqrt() / (count * root)
        spread = (squares - 2 * self.means * sums + self.means.square() * mass) * precision - mass
        by_deviation = spread / (count * root * 2**0.5)
        vector = torch.cat([by_mean, by_deviation], dim=-1).flatten(1)
        # Its square root has no finite slope at 0, but nothing is trained through this tower.
        return nn.functional.normalize(vector.sign() * vector.abs().sqrt(), dim=-1)
