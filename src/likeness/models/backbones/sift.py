"""SIFT descriptors on a dense grid (Lowe 2004; Vedaldi and Fulkerson 2010, the flat window of `vl_dsift`)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

CELLS, ORIENTATIONS = 4, 8
LENGTH = CELLS * CELLS * ORIENTATIONS
_CEILING = 0.2  # of one number of a descriptor of length 1, so that no single edge decides
_TINY = 1e-6


class DenseSift(nn.Module):
    """Histograms of gradient directions over 4×4 cells around every grid point, as roots of shares (RootSIFT).

    A gradient is divided between the two nearest directions and, in a straight line, between the nearest cells.
    The square root is Arandjelović and Zisserman's (2012).

    Args:
        size: height and width of the pictures.
        cell: side of a cell in pixels.
        stride: pixels between grid points.
    """

    def __init__(self, size: tuple[int, int], cell: int, stride: int) -> None:
        super().__init__()
        self.size, self.cell, self.stride = size, cell, stride
        self.register_buffer("down", _weights(size[0], cell), persistent=False)
        self.register_buffer("across", _weights(size[1], cell), persistent=False)

    @property
    def places(self) -> Tensor:
        """Middles [P, 2] of the descriptors, down and right, on axes from -0.5 to 0.5."""
        span = CELLS * self.cell
        down, right = (
            (torch.arange(0, length - span + 1, self.stride) + span / 2) / length - 0.5 for length in self.size
        )
        return torch.stack(torch.meshgrid(down, right, indexing="ij")).flatten(1).T.contiguous()

    def forward(self, pictures: Tensor) -> Tensor:
        """Descriptors [B, P, 128] of pictures [B, H, W], row by row; each of length 1."""
        votes = self.get_buffer("down") @ _votes(pictures) @ self.get_buffer("across").T  # [B, 8, H, W]
        rows, columns = (length - CELLS * self.cell + 1 for length in self.size)
        first = self.cell // 2
        cells = [
            votes[:, :, down : down + rows : self.stride, right : right + columns : self.stride]
            for down in range(first, first + CELLS * self.cell, self.cell)
            for right in range(first, first + CELLS * self.cell, self.cell)
        ]
        found = torch.stack(cells, dim=1).flatten(1, 2).flatten(2).transpose(1, 2)
        found = (found / (found.norm(dim=-1, keepdim=True) + _TINY)).clamp(max=_CEILING)
        shares: Tensor = found / (found.sum(dim=-1, keepdim=True) + _TINY)
        return shares.sqrt()


def _votes(pictures: Tensor) -> Tensor:
    """Strength of the gradient in each of eight directions [B, 8, H, W]; pictures [B, H, W]."""
    padded = nn.functional.pad(pictures.unsqueeze(1), (1, 1, 1, 1), mode="replicate").squeeze(1)
    right = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    strength = (right.square() + down.square() + _TINY**2).sqrt()
    turn = torch.atan2(down, right) * (ORIENTATIONS / (2 * math.pi))  # in steps between directions
    directions = torch.arange(ORIENTATIONS, device=pictures.device).reshape(-1, 1, 1) - ORIENTATIONS / 2
    apart = (turn.unsqueeze(1) - directions).abs()
    apart = torch.minimum(apart, ORIENTATIONS - apart)
    return strength.unsqueeze(1) * (1 - apart).clamp(min=0)


def _weights(length: int, cell: int) -> Tensor:
    """[L, L]: how much the pixel of a column belongs to a cell around the pixel of a row."""
    place = torch.arange(length)
    return (1 - (place.unsqueeze(1) - place).abs() / cell).clamp(min=0)
