"""Resampling as a matrix product, which is the same on every device and in an ONNX file."""

from __future__ import annotations

import torch
from torch import Tensor


def resampler(old: int, new: int) -> Tensor:
    """Weights [new, old] of a triangle filter whose half-width is one pixel of the coarser of the two grids."""
    reach = max(1.0, old / new)
    centres = (torch.arange(new, dtype=torch.float64) + 0.5) * old / new - 0.5
    weights = (1 - (centres[:, None] - torch.arange(old)).abs() / reach).clamp(min=0)
    return (weights / weights.sum(dim=1, keepdim=True)).float()


def luminance(images: Tensor) -> Tensor:
    """Grey values [B, H, W] of grey images [B, 1, H, W] or RGB ones [B, 3, H, W] (ITU-R BT.601, as JPEG's)."""
    if images.shape[1] == 1:
        return images.squeeze(1)
    red, green, blue = images.unbind(1)
    return 0.299 * red + 0.587 * green + 0.114 * blue
