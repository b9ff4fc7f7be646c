"""Fisher vectors against the gradient of the mixture's log-likelihood, which they are by definition."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from likeness.errors import ModelError
from likeness.models.backbones.fisher import LOCAL, Codebook, FisherVectors
from likeness.models.backbones.sift import LENGTH
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese
from likeness.models.onnx_tower import OnnxTower
from tests.models.parts import planned
from tests.models.samples import card

SIZE = (40, 32)
PLAN = planned("fisher", "cosine", embedding_dim=2 * LOCAL * 4)


def codebook(gaussians: int) -> Codebook:
    random = torch.Generator().manual_seed(0)
    return Codebook(
        centre=torch.randn(LENGTH + 2, generator=random) / 10,
        axes=torch.randn((LENGTH + 2, LOCAL), generator=random) / 5,
        weights=torch.softmax(torch.randn(gaussians, generator=random), 0),
        means=torch.randn((gaussians, LOCAL), generator=random) / 5,
        variances=torch.rand((gaussians, LOCAL), generator=random) + 0.5,
    )


def faces(count: int) -> Tensor:
    return torch.rand((count, 1, *SIZE), generator=torch.Generator().manual_seed(1))


def log_likelihood(points: Tensor, weights: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    apart = (points[:, None] - means) / deviations
    each = -(apart.square() + math.log(2 * math.pi)).sum(-1) / 2 - deviations.log().sum(-1)
    return torch.logsumexp(each + weights.log(), dim=-1).sum()


def test_they_are_scaled_gradients_of_the_log_likelihood() -> None:
    book = codebook(3)
    tower = FisherVectors(SIZE, 2 * LOCAL * 3)
    tower.take(book)
    (image,) = faces(1)
    points = ((tower.local(image[None])[0].double() - book.centre) @ book.axes.double()).detach()
    weights, means = book.weights.double(), book.means.double().requires_grad_()
    deviations = book.variances.double().sqrt().requires_grad_()
    by_means, by_deviations = torch.autograd.grad(
        log_likelihood(points, weights, means, deviations), (means, deviations)
    )
    # Scaled by the inverse square root of the Fisher information, in closed form (Perronnin and Dance 2007).
    scale = deviations.detach() / (len(points) * weights.sqrt()[:, None])
    vector = torch.cat([scale * by_means, scale / 2**0.5 * by_deviations], dim=-1).flatten()
    expected = vector.sign() * vector.abs().sqrt()
    np.testing.assert_allclose(tower(image[None])[0], expected / expected.norm(), atol=2e-4)


def test_many_faces_are_described_as_each_alone() -> None:
    tower = FisherVectors(SIZE, PLAN.embedding_dim)
    many = faces(19)
    np.testing.assert_allclose(tower(many), torch.cat([tower(one[None]) for one in many]), atol=1e-5)


@pytest.mark.parametrize("length", [LOCAL, 2 * LOCAL + 1])
def test_a_length_that_no_codebook_gives_is_refused(length: int) -> None:
    with pytest.raises(ModelError, match="a multiple of that"):
        FisherVectors(SIZE, length)


def test_pictures_too_small_are_refused() -> None:
    with pytest.raises(ModelError, match="fisher network needs pictures of at least 32×32"):
        FisherVectors((31, 40), PLAN.embedding_dim)


@pytest.mark.slow
def test_it_runs_without_torch(tmp_path: Path) -> None:
    siamese = build_siamese(PLAN, SIZE, 0).eval()
    assert isinstance(siamese.backbone, FisherVectors)
    siamese.backbone.take(codebook(4))
    described = card(PLAN, SIZE)
    assert export_onnx(tmp_path / "tower.onnx", siamese, described) < 1e-3
    pixels = np.random.default_rng(0).integers(0, 256, (5, *SIZE), dtype=np.uint8)
    found = OnnxTower(tmp_path / "tower.onnx").embed(pixels)
    expected = siamese.embed(described.preprocess.tensor(torch.from_numpy(pixels))).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
