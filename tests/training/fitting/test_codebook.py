"""The codebook of Fisher vectors, learnt from pictures with a known make-up."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from likeness.models.backbones.fisher import LOCAL, Codebook, FisherVectors
from likeness.training.fitting.codebook import learn_codebook

SIZE = (40, 32)
TOWER = FisherVectors(SIZE, 2 * LOCAL * 4)
ROWS = np.arange(30)


def images_of(rows: np.ndarray) -> Tensor:
    """A picture a row: smooth, and the same whenever it is asked for."""
    coarse = [torch.rand((1, 9, 7), generator=torch.Generator().manual_seed(int(row))) for row in rows]
    return torch.nn.functional.interpolate(torch.stack(coarse), SIZE, mode="bicubic", align_corners=True)


def points_of(codebook: Codebook) -> Tensor:
    return (TOWER.local(images_of(ROWS)).flatten(0, 1) - codebook.centre) @ codebook.axes


def test_the_same_seed_gives_the_same_codebook() -> None:
    first, again, other = (learn_codebook(TOWER, images_of, ROWS, seed) for seed in (0, 0, 1))
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name))
    assert not torch.equal(first.means, other.means)


def test_it_describes_the_descriptors_that_it_saw() -> None:
    codebook = learn_codebook(TOWER, images_of, ROWS, 0)
    np.testing.assert_allclose(codebook.weights.sum(), 1, atol=1e-5)
    points = points_of(codebook)
    np.testing.assert_allclose(points.mean(dim=0), 0, atol=0.05)  # it saw a sample of them
    np.testing.assert_allclose(points.std(dim=0), 1, atol=0.1)
    uncorrelated = np.corrcoef(points[:, :-2].numpy(), rowvar=False) - np.eye(LOCAL - 2)
    assert np.abs(uncorrelated).max() < 0.1
    # The mixture has the moments of what it was fitted to: total mean and variance, each axis.
    share = codebook.weights[:, None]
    np.testing.assert_allclose((share * codebook.means).sum(dim=0), points.mean(dim=0), atol=0.05)
    total = (share * (codebook.variances + codebook.means.square())).sum(dim=0)
    np.testing.assert_allclose(total, points.square().mean(dim=0), rtol=0.1)
