"""Networks that are fed RGB pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from likeness.errors import ImageError, ModelError
from likeness.images import grey
from likeness.models.backbones.patterns import PatternHistograms
from likeness.models.backbones.resampling import luminance
from likeness.models.embedding import embed_pixels
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese, ensemble_of
from likeness.models.onnx_tower import OnnxTower
from likeness.models.preprocess import Preprocess
from likeness.models.weights import load_model, save_model
from tests.models.parts import planned
from tests.models.samples import TINY, card

SIZE = (40, 32, 3)
NETWORKS = {
    "residual": (TINY, SIZE),
    "mobilenet-v2": (planned("mobilenet-v2", "cosine", embedding_dim=8, width=0.25), SIZE),
    "light-cnn": (planned("light-cnn", "cosine", embedding_dim=8, width=0.25), SIZE),
    "koch": (planned("koch", embedding_dim=8, width=0.125), (65, 65, 3)),
}


def colours(count: int, size: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *size), dtype=np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_colours_is_saved_loaded_and_exported(name: str, tmp_path: Path) -> None:
    model, size = NETWORKS[name]
    siamese = build_siamese(model, size, 0).eval()
    save_model(tmp_path, siamese, card(model, size))
    loaded = load_model(tmp_path)
    assert loaded.card.preprocess.colour
    pixels = colours(5, size)
    expected = embed_pixels(siamese, loaded.card.preprocess, pixels)
    np.testing.assert_array_equal(embed_pixels(loaded.siamese, loaded.card.preprocess, pixels), expected)
    assert export_onnx(tmp_path / "tower.onnx", loaded.siamese, loaded.card) < 1e-4
    tower = OnnxTower(tmp_path / "tower.onnx")
    assert tower.size == size
    np.testing.assert_allclose(tower.embed(pixels), expected, atol=1e-4)
    with pytest.raises(ModelError, match=r"expected faces uint8 \[B, \d+, \d+, 3\]"):
        tower.embed(pixels[..., 0])


@pytest.mark.parametrize("name", NETWORKS)
def test_each_channel_has_a_say(name: str) -> None:
    model, size = NETWORKS[name]
    siamese, preprocess = build_siamese(model, size, 0).eval(), Preprocess(size)
    pixels = colours(1, size)
    before = embed_pixels(siamese, preprocess, pixels)
    for channel in range(3):
        changed = pixels.copy()
        changed[..., channel] //= 2
        assert np.abs(embed_pixels(siamese, preprocess, changed) - before).max() > 1e-7


def test_fisher_vectors_and_patterns_describe_the_luminance() -> None:
    for plan in (
        planned("fisher", "cosine", embedding_dim=264),
        planned("patterns", "cosine", embedding_dim=PatternHistograms.DIMENSIONS),
    ):
        colour, plain = (build_siamese(plan, size, 0).eval() for size in (SIZE, SIZE[:2]))
        images = torch.rand(3, 3, *SIZE[:2])
        with torch.no_grad():
            torch.testing.assert_close(colour(images), plain(luminance(images).unsqueeze(1)))


def test_an_ensemble_may_join_what_sees_colours_and_what_sees_none() -> None:
    fisher = planned("fisher", "cosine", embedding_dim=264)
    members = [(plan, build_siamese(plan, SIZE, 0).eval()) for plan in (TINY, fisher)]
    params, joined = ensemble_of(members)
    again = build_siamese(params, SIZE, 1).eval()
    again.load_state_dict(joined.state_dict())
    images = torch.rand(2, 3, *SIZE[:2])
    with torch.no_grad():
        torch.testing.assert_close(again(images), joined.eval()(images))


def test_luminance_of_pictures_and_of_tensors_agree_within_a_grey_level() -> None:
    pixels = colours(4, SIZE)
    expected = grey(pixels).astype(np.float32)
    found = luminance(torch.from_numpy(pixels).permute(0, 3, 1, 2).float()).numpy()
    assert np.abs(found - expected).max() <= 0.51


def test_a_window_of_the_wrong_colours_is_refused() -> None:
    picture = np.zeros((50, 50), np.uint8)
    with pytest.raises(ImageError, match="expected an RGB picture"):
        Preprocess(SIZE).window(picture)
    with pytest.raises(ImageError, match="expected a grey picture"):
        Preprocess(SIZE[:2]).window(np.repeat(picture[..., None], 3, 2))
    assert Preprocess(SIZE).window(np.repeat(picture[..., None], 3, 2)).shape == SIZE
