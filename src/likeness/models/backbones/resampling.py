"""Resampling as a matrix product, which is the same on every device and in an ONNX file."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@cache
def triangle_weights(old: int, new: int) -> NDArray[np.float32]:
    """Weights [new, old] of a triangle filter whose half-width is one pixel of the coarser of the two grids."""
    reach = max(1.0, old / new)
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    weights = np.clip(1 - np.abs(centres[:, None] - np.arange(old)) / reach, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def resampler(old: int, new: int) -> Tensor:
    """The same for torch: float32 [new, old]."""
    return torch.tensor(triangle_weights(old, new))


def luminance(images: Tensor) -> Tensor:
    """Grey values [B, H, W] of grey images [B, 1, H, W] or RGB ones [B, 3, H, W] (ITU-R BT.601, as JPEG's)."""
    if images.shape[1] == 1:
        return images.squeeze(1)
    red, green, blue = images.unbind(1)
    return 0.299 * red + 0.587 * green + 0.114 * blue
