"""Dense SIFT against loops over single pixels in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from likeness.models.backbones.sift import LENGTH, DenseSift


def descriptor(picture: np.ndarray, top: int, left: int, cell: int) -> np.ndarray:
    """One descriptor of 4×4 cells, by the definition: pixel for pixel, cell for cell, direction for direction."""
    padded = np.pad(picture.astype(float), 1, mode="edge")
    found = np.zeros((4, 4, 8))
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            right = (padded[y + 1, x + 2] - padded[y + 1, x]) / 2
            down = (padded[y + 2, x + 1] - padded[y, x + 1]) / 2
            turn = (math.atan2(down, right) + math.pi) / (2 * math.pi) * 8
            for i in range(4):
                for j in range(4):
                    apart = abs(y - top - cell // 2 - i * cell), abs(x - left - cell // 2 - j * cell)
                    near = max(0, 1 - apart[0] / cell) * max(0, 1 - apart[1] / cell)
                    for k in range(8):
                        turned = min(abs(turn - k), 8 - abs(turn - k))
                        found[i, j, k] += near * math.hypot(right, down) * max(0, 1 - turned)
    flat = np.minimum(found.ravel() / np.linalg.norm(found), 0.2)
    return np.asarray(np.sqrt(flat / flat.sum()))


@pytest.mark.parametrize(("cell", "stride"), [(3, 1), (4, 3)])
def test_descriptors_are_those_of_the_definition(cell: int, stride: int) -> None:
    picture = np.random.default_rng(0).random((20, 18)).astype(np.float32)
    sift = DenseSift((20, 18), cell, stride)
    found = sift(torch.from_numpy(picture)[None])[0].numpy()
    rows, columns = (len(range(0, length - 4 * cell + 1, stride)) for length in (20, 18))
    assert found.shape == (rows * columns, LENGTH)
    for row, column in ((0, 0), (rows - 1, columns - 1), (1, 0)):
        expected = descriptor(picture, row * stride, column * stride, cell)
        np.testing.assert_allclose(found[row * columns + column], expected, atol=2e-4)


def test_places_are_the_middles_and_symmetric() -> None:
    places = DenseSift((20, 16), 3, 2).places.numpy()
    np.testing.assert_allclose(places.min(axis=0), [6 / 20 - 0.5, 6 / 16 - 0.5], atol=1e-6)
    np.testing.assert_allclose(places.max(axis=0), -places.min(axis=0), atol=1e-6)


def test_neither_brightness_nor_contrast_matters() -> None:
    picture = torch.rand((2, 24, 20), generator=torch.Generator().manual_seed(0))
    sift = DenseSift((24, 20), 4, 2)
    np.testing.assert_allclose(sift(picture * 3 - 1), sift(picture), atol=1e-3)


def test_a_flat_picture_divides_nothing_by_zero() -> None:
    found = DenseSift((24, 20), 4, 2)(torch.full((1, 24, 20), 0.5))
    assert torch.isfinite(found).all()
