"""The patterns tower against scikit-image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.feature import local_binary_pattern

from likeness.errors import ModelError
from likeness.models.backbones.patterns import BINS, CELL, SCALES, PatternHistograms
from likeness.models.backbones.resampling import resampler
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese
from likeness.models.onnx_tower import OnnxTower
from tests.models.parts import planned
from tests.models.samples import card

PLAN = planned("patterns", "cosine", embedding_dim=PatternHistograms.DIMENSIONS)


def tower(size: tuple[int, int]) -> PatternHistograms:
    return PatternHistograms(size, PatternHistograms.DIMENSIONS)


def faces(count: int, size: tuple[int, int]) -> np.ndarray:
    """Smooth pictures in which hardly two neighbouring pixels are equal."""
    coarse = torch.from_numpy(np.random.default_rng(0).uniform(0, 255, (count, 1, 9, 7))).float()
    fine = torch.nn.functional.interpolate(coarse, size, mode="bicubic", align_corners=True)
    return fine.squeeze(1).numpy()


@pytest.mark.filterwarnings("ignore:Applying .local_binary_pattern. to floating-point")
def test_histograms_are_those_of_scikit_image() -> None:
    size = SCALES[0]
    (picture,) = faces(1, size)
    codes = local_binary_pattern(picture, 8, 2, method="nri_uniform")
    found = tower(size)(torch.from_numpy(picture)[None, None])[0, : 12 * 10 * BINS].reshape(12, 10, BINS)
    inner = found[1:-1, 1:-1]  # the borders differ: outside the picture it is black there, and as at the edge here
    expected = np.stack(
        [
            [np.bincount(codes[y : y + CELL, x : x + CELL].astype(int).ravel(), minlength=BINS) for x in across]
            for y, across in ((y, range(CELL, 90, CELL)) for y in range(CELL, 110, CELL))
        ]
    )
    shares = (inner.numpy() ** 2 * CELL**2).round().astype(int)
    # The order of the bins is each implementation's own: compare how often each pattern occurs, sorted.
    assert np.abs(np.sort(shares.sum((0, 1))) - np.sort(expected.sum((0, 1)))).sum() <= 0.002 * expected.sum()


def test_resampling_keeps_brightness() -> None:
    for old, new in ((80, 120), (80, 60), (64, 64)):
        np.testing.assert_allclose(resampler(old, new).sum(dim=1), 1, atol=1e-6)
    assert torch.equal(resampler(64, 64), torch.eye(64))


def test_light_does_not_matter() -> None:
    pictures = torch.from_numpy(faces(3, (80, 64))).unsqueeze(1)
    described, lit = (tower((80, 64))(scaled) for scaled in (pictures / 255, pictures * 0.5 / 255 + 0.2))
    assert (described - lit).abs().mean() < 2e-3


def test_every_cell_has_length_one() -> None:
    described = tower((40, 32))(torch.from_numpy(faces(2, (40, 32))).unsqueeze(1))
    np.testing.assert_allclose(described.reshape(2, -1, BINS).norm(dim=-1), 1, atol=1e-5)


def test_it_runs_without_torch(tmp_path: Path) -> None:
    siamese = build_siamese(PLAN, (40, 32), 0).eval()
    described = card(PLAN, (40, 32))
    export_onnx(tmp_path / "tower.onnx", siamese, described)
    pixels = faces(3, (40, 32)).clip(0, 255).astype(np.uint8)
    found = OnnxTower(tmp_path / "tower.onnx").embed(pixels)
    expected = siamese.embed(described.preprocess.tensor(torch.from_numpy(pixels))).detach().numpy()
    assert (found * expected).sum(axis=1).min() > 0.99


def test_another_length_is_refused() -> None:
    with pytest.raises(ModelError, match="gives 12567 numbers a face"):
        build_siamese(planned("patterns", "cosine", embedding_dim=256), (40, 32), 0)
