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
