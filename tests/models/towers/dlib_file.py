"""A file in dlib's serialisation with random weights, and the network that it describes, by torch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

BLOCKS = [
    *([(32, 32)] * 3 + [(32, 64)] + [(64, 64)] * 3),
    *([(64, 128)] + [(128, 128)] * 2 + [(128, 256)] + [(256, 256)] * 2),
]
"""Filters before and after each residual block but the last."""
LAST = (256, 256)  # the last block halves the picture too, and keeps the number of filters


class RandomNetwork:
    """dlib's network for faces with weights of its own."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self.layers = [self._layer(3, 32, 7)]
        for before, after in [*BLOCKS, LAST]:
            self.layers += [self._layer(before, after, 3), self._layer(after, after, 3)]
        self.last = self._values(256, 128) / 16

    def _values(self, *shape: int) -> np.ndarray:
        return self._random.standard_normal(shape).astype(np.float32)

    def _layer(self, before: int, after: int, size: int) -> tuple[np.ndarray, ...]:
        kernel = self._values(after, before, size, size) / np.float32(np.sqrt(before * size**2))
        return kernel, self._values(after) / 10, 1 + self._values(after) / 10, self._values(after) / 10

    def content(self) -> bytes:
        """As dlib writes it, but for settings that are not read."""
        parts = [b"\x01\x01" * 40]
        for kernel, bias, gamma, beta in self.layers:
            parts += [text("con_4"), _tensor(kernel, bias), text("affine_"), _tensor(gamma, beta)]
        parts += [text("fc_2"), number(128), number(256), _tensor(self.last), b"\x01\x02"]
        return b"".join(parts)

    def __call__(self, faces: Tensor) -> Tensor:
        """Embeddings [B, 128] of faces [B, 3, 150, 150]."""
        layers = iter(self.layers)
        maps = functional.max_pool2d(torch.relu(_apply(faces, layers, 2)), 3, 2)
        for number, (before, after) in enumerate([*BLOCKS, LAST]):
            halved = before != after or number == len(BLOCKS)
            inner = torch.relu(_apply(maps, layers, 2 if halved else 1))
            inner = _apply(inner, layers, 1)
            shortcut = functional.avg_pool2d(maps, 2, 2) if halved else maps
            maps = torch.relu(_sum(inner, shortcut))
        return maps.mean(dim=(2, 3)) @ torch.from_numpy(self.last)


def _apply(maps: Tensor, layers: Iterator[tuple[np.ndarray, ...]], stride: int) -> Tensor:
    kernel, bias, gamma, beta = (torch.from_numpy(values) for values in next(layers))
    padding = kernel.shape[-1] // 2 if stride == 1 else 0
    found = functional.conv2d(maps, kernel, bias, stride, padding)
    return found * gamma[:, None, None] + beta[:, None, None]


def _sum(first: Tensor, second: Tensor) -> Tensor:
    """As dlib's add_prev: of the larger size in every dimension, what one lacks counts as zero."""
    total = torch.zeros([max(pair) for pair in zip(first.shape, second.shape, strict=True)])
    for maps in (first, second):
        total[: maps.shape[0], : maps.shape[1], : maps.shape[2], : maps.shape[3]] += maps
    return total


def number(value: int) -> bytes:
    """As dlib writes a whole number."""
    length = max(1, (value.bit_length() + 7) // 8)
    return bytes([length]) + value.to_bytes(length, "little")


def text(value: str) -> bytes:
    """As dlib writes a text."""
    return number(len(value)) + value.encode()


def _tensor(*parts: np.ndarray) -> bytes:
    values = np.concatenate([part.ravel() for part in parts]).astype("<f4")
    return number(2) + number(len(values)) + number(1) * 3 + values.tobytes()
