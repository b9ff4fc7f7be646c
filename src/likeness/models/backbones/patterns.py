"""Histograms of uniform local binary patterns as a tower: nothing in it is learnt (Ojala et al. 2002).

What the classical baseline describes a face by, in a form that has an embedding, a comparator, an ONNX file and a
place in an ensemble like any network. A map fitted behind it (PCA, then LDA) makes it the baseline itself.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.models.architecture import BACKBONES, BackboneParams
from likeness.models.backbones.backbone import Backbone
from likeness.models.backbones.resampling import luminance, resampler
from likeness.models.backbones.sizing import require_size

SCALES = ((120, 100), (90, 75), (60, 50))
"""Height and width that a face is looked at in."""
CELL = 10
BINS = 59
RADIUS = 2
CIRCLE = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
"""The eight neighbours, down and across, in circular order: one bit of a code each."""
MINIMUM_SIZE = (32, 32)
_OFF = RADIUS / math.sqrt(2) - 1  # how far a diagonal neighbour lies beyond the pixel at (1, 1), each way
_EVEN = 1e-4  # darker than the centre by less than this counts as equal: rounding, in deviations of the image


@BACKBONES.register("patterns", BackboneParams)
class PatternHistograms(Backbone):
    """Histograms of patterns over a grid of cells at three sizes, as square roots of shares (the Hellinger map).

    Eight neighbours on a circle of radius 2, of which the diagonal ones are interpolated; 58 uniform patterns with
    a bin of their own and one bin for all others. A pattern compares pixels with one another, so that brightness
    and contrast, and therefore the standardisation, do not matter.

    Args:
        input_size: height and width in pixels.
        channels: of the pictures; of RGB ones the luminance is described.
        embedding_dim: must be what the scales and cells give, `PatternHistograms.DIMENSIONS`.

    Raises:
        ModelError: the pictures are too small, or the embedding is not of that length.
    """

    by_gradient = False
    DIMENSIONS = sum((height // CELL) * (width // CELL) * BINS for height, width in SCALES)

    def __init__(self, input_size: tuple[int, int], embedding_dim: int, channels: int = 1) -> None:
        super().__init__()
        require_size("patterns", input_size, MINIMUM_SIZE)
        if embedding_dim != self.DIMENSIONS:
            raise ModelError(
                f"the patterns backbone gives {self.DIMENSIONS} numbers a face; set embedding_dim to that, found "
                f"{embedding_dim}"
            )
        bins = torch.from_numpy(bin_of_code().astype(np.int64))
        self.register_buffer("bin_of_code", bins, persistent=False)
        for number, (height, width) in enumerate(SCALES):
            self.register_buffer(f"down{number}", resampler(input_size[0], height), persistent=False)
            across = resampler(input_size[1], width).T.contiguous()
            self.register_buffer(f"across{number}", across, persistent=False)
            self.register_buffer(f"cells{number}", _cells(height, width), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Histograms [B, D] of images [B, C, H, W]."""
        with torch.autocast(images.device.type, enabled=False):  # half a precision would break ties at random
            faces = luminance(images.float())
            found = [self._described(faces, number) for number in range(len(SCALES))]
        return torch.cat(found, dim=-1)

    def _described(self, faces: Tensor, number: int) -> Tensor:
        """Histograms at one scale; `faces` [B, H, W]."""
        resized = self.get_buffer(f"down{number}") @ faces @ self.get_buffer(f"across{number}")
        height, width = (length // CELL * CELL for length in resized.shape[-2:])
        bins = self.get_buffer("bin_of_code")[_codes(resized)[:, :height, :width]]
        places = (self.get_buffer(f"cells{number}") * BINS + bins).flatten(1)
        # shape[0], since `len` would fix the batch of an exported graph.
        empty = places.new_zeros((faces.shape[0], height * width // CELL**2 * BINS), dtype=torch.float32)
        counts = empty.scatter_add(1, places, torch.ones_like(places, dtype=torch.float32))
        return (counts / CELL**2).sqrt()


@cache
def bin_of_code() -> NDArray[np.uint8]:
    """Bin of each of the 256 codes: uniform ones (at most two changes around the circle), then the rest."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    uniform = np.sum(bits != np.roll(bits, 1, axis=1), axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, BINS - 1).astype(np.uint8)


def _cells(height: int, width: int) -> Tensor:
    """Number of the cell of each pixel, int64 [H, W], without the pixels that fill no whole cell."""
    down, across = torch.arange(height // CELL * CELL) // CELL, torch.arange(width // CELL * CELL) // CELL
    return down[:, None] * (width // CELL) + across


def _codes(faces: Tensor) -> Tensor:
    """One bit a neighbour, set where it is at least as bright as the centre; int64 [B, H, W] of [B, H, W]."""
    height, width = faces.shape[-2:]
    padded = nn.functional.pad(faces.unsqueeze(1), (RADIUS,) * 4, mode="replicate").squeeze(1)

    def moved(down: int, across: int) -> Tensor:
        return padded[:, RADIUS + down : RADIUS + down + height, RADIUS + across : RADIUS + across + width]

    codes = torch.zeros_like(faces, dtype=torch.int64)
    for bit, (down, across) in enumerate(CIRCLE):
        if down and across:
            inner = torch.lerp(moved(down, across), moved(down, 2 * across), _OFF)
            outer = torch.lerp(moved(2 * down, across), moved(2 * down, 2 * across), _OFF)
            neighbour = torch.lerp(inner, outer, _OFF)
        else:
            neighbour = moved(RADIUS * down, RADIUS * across)
        codes = codes + ((neighbour >= faces - _EVEN).long() << bit)
    return codes
