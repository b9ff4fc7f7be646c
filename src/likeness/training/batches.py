"""What one training step sees: rows of the pixel store, and what is known about them under the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_GPU_SHARE = 0.5  # of a GPU's free memory that the pixel store may take


class IndexPairs(NamedTuple):
    """P pairs of positions within a batch: `first` and `second` int64 [P], `same` bool [P]."""

    first: Tensor
    second: Tensor
    same: Tensor


@dataclass(frozen=True, eq=False)
class PairBatch:
    """A batch of listed or drawn pairs over its unique images, so that each image is embedded once.

    Attributes:
        rows: int64 [U], rows of the pixel store, each once.
        pairs: P pairs of positions in `rows`.
    """

    rows: Tensor
    pairs: IndexPairs

    def to(self, device: torch.device) -> PairBatch:
        """The same batch on another device."""
        return PairBatch(_move(self.rows, device), IndexPairs(*(_move(column, device) for column in self.pairs)))


@dataclass(frozen=True, eq=False)
class PersonBatch:
    """A batch of images with the identity of each; exists only where the protocol gives identities.

    Attributes:
        rows: int64 [U], rows of the pixel store; one twice where a person's only photograph is seen in two
            augmented views.
        labels: int64 [U], person of each, 0..C-1.
    """

    rows: Tensor
    labels: Tensor

    @property
    def pairs(self) -> IndexPairs:
        """All U(U-1)/2 unordered pairs of the batch."""
        count = len(self.labels)
        first, second = torch.triu_indices(count, count, offset=1, device=self.labels.device).unbind()
        return IndexPairs(first, second, self.labels[first] == self.labels[second])

    def to(self, device: torch.device) -> PersonBatch:
        """The same batch on another device."""
        return PersonBatch(_move(self.rows, device), _move(self.labels, device))


Batch = PairBatch | PersonBatch


def _move(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.to(device, non_blocking=True)


class PixelSource:
    """The pixel store, whole on a GPU if it fits into half of the free memory, else read from the host by batch.

    13 233 faces of 105×105 pixels are 146 MB: put there once, no later step waits for the bus.

    Args:
        pixels: uint8 [N, H, W], possibly a memory map.
        device: where batches are wanted.
    """

    def __init__(self, pixels: npt.NDArray[np.uint8], device: torch.device) -> None:
        self.pixels, self.device = pixels, device
        self.resident: Tensor | None = None
        if device.type == "cuda" and pixels.nbytes < _GPU_SHARE * torch.cuda.mem_get_info(device)[0]:
            self.resident = torch.from_numpy(np.array(pixels)).to(device)

    def batch(self, rows: Tensor) -> Tensor:
        """Pixels uint8 [B, H, W] on the device, of rows int64 [B] on the host."""
        if self.resident is not None:
            return self.resident[rows.to(self.device, non_blocking=True)]
        return torch.from_numpy(np.asarray(self.pixels[rows.numpy()])).to(self.device, non_blocking=True)
