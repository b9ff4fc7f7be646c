"""A pair whose only difference is planted in one place: the heat must be there."""

import numpy as np
import pytest
import torch
from torch import nn

from likeness.errors import ModelError
from likeness.evaluation.heat_maps import best_method, explain_pair
from likeness.models.comparators.cosine import Cosine
from likeness.models.comparators.weighted_l1 import WeightedL1
from likeness.models.network import build_siamese, ensemble_of
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from tests.models.parts import planned

SIDE, PATCH = 32, 8
PREPROCESS = Preprocess((SIDE, SIDE))
PLACES = [(2, 3), (20, 22), (12, 2), (4, 21)]


def blob_detector() -> Siamese:
    """Finds bright blobs of three pixels, place by place, and counts the places that differ against a pair."""
    blobs = nn.Conv2d(1, 1, 3, bias=True)
    nn.init.constant_(blobs.weight, 1 / 9)
    nn.init.constant_(blobs.bias, -0.6)  # the background, at 0.3, is no blob
    backbone = nn.Sequential(blobs, nn.ReLU(), nn.Flatten())
    compare = WeightedL1((SIDE - 2) ** 2)
    nn.init.constant_(compare.logit.weight, -1.0)
    return Siamese(backbone, compare, (SIDE - 2) ** 2)


def background(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(50, 100, (SIDE, SIDE)).astype(np.uint8)


def planted(place: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """One picture, and the same with a bright patch."""
    first = background()
    second = first.copy()
    second[place[0] : place[0] + PATCH, place[1] : place[1] + PATCH] = 250
    return first, second


def hottest(heat: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    return int(row), int(column)


def is_inside(spot: tuple[int, int], place: tuple[int, int], margin: int = 0) -> bool:
    return all(low - margin <= at < low + PATCH + margin for at, low in zip(spot, place, strict=True))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_the_planted_difference_is_the_hottest_place(method, place):
    first, second = planted(place)
    heat = np.stack(explain_pair(blob_detector(), PREPROCESS, first, second, method, same=False))
    assert heat.max() == pytest.approx(1)
    assert heat.min() >= 0
    assert is_inside(hottest(heat[1]), place)
    away = np.ones((SIDE, SIDE), bool)
    away[max(0, place[0] - 6) : place[0] + PATCH + 6, max(0, place[1] - 6) : place[1] + PATCH + 6] = False
    assert heat[:, away].max() < 0.05


def test_hiding_a_place_is_no_difference_by_itself():
    """On a rough background a window hidden in one picture alone differs more than what is planted does."""
    first = np.random.default_rng(3).integers(0, 200, (SIDE, SIDE)).astype(np.uint8)
    second = first.copy()
    second[20:28, 4:12] += 25
    compare = WeightedL1(SIDE * SIDE)
    nn.init.constant_(compare.logit.weight, -1.0)
    pixels = Siamese(nn.Flatten(), compare, SIDE * SIDE)
    for heat in explain_pair(pixels, PREPROCESS, first, second, "occlusion", same=False):
        assert is_inside(hottest(heat), (20, 4))
        assert heat[:14].max() < 1e-3


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_swapping_the_pictures_swaps_the_maps(method):
    first, second = planted(PLACES[0])
    one = explain_pair(blob_detector(), PREPROCESS, first, second, method, same=False)
    two = explain_pair(blob_detector(), PREPROCESS, second, first, method, same=False)
    np.testing.assert_allclose(one[0], two[1], atol=1e-6)
    np.testing.assert_allclose(one[1], two[0], atol=1e-6)


@pytest.mark.parametrize("backbone", ["koch", "light-cnn", "residual"])
def test_occlusion_finds_the_difference_through_a_real_tower(backbone):
    """Random weights see every place, so even they must be swayed most by the only one that differs."""
    own = {"dense_std": 0.02} if backbone == "koch" else {}
    params = planned(backbone, "euclidean", embedding_dim=64, width=0.25, **own)
    preprocess = Preprocess((80, 72))
    siamese = build_siamese(params, preprocess.size, 0)
    first = np.random.default_rng(0).integers(60, 190, (80, 72)).astype(np.uint8)
    second = first.copy()
    second[40:56, 12:28] = 255
    heat = sum(explain_pair(siamese, preprocess, first, second, "occlusion", same=False))
    row, column = hottest(heat)
    assert 40 <= row < 56
    assert 12 <= column < 28


def test_what_agrees_is_found_where_a_pair_is_said_to_be_the_same():
    """Two pictures of black but for the same bright patch: hiding the patch in one takes the agreement away."""
    picture = np.zeros((SIDE, SIDE), np.uint8)
    picture[18:26, 5:13] = 255
    other = background(1) // 20
    other[18:26, 5:13] = 255
    backbone = nn.Sequential(nn.AvgPool2d(4), nn.Flatten())
    siamese = around(backbone, 64)
    for heat in explain_pair(siamese, PREPROCESS, picture, other, "occlusion", same=True):
        assert is_inside(hottest(heat), (18, 5), margin=1)


def around(backbone: nn.Module, dim: int) -> Siamese:
    return Siamese(backbone, Cosine(), dim, unit=True)


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_identical_pictures_give_no_evidence_of_difference(method):
    first = background()
    for heat in explain_pair(blob_detector(), PREPROCESS, first, first, method, same=False):
        assert np.isfinite(heat).all()
        assert not heat.any()


def test_an_ensemble_is_the_sum_of_its_members_where_each_of_them_looks():
    params = planned("residual", "cosine", embedding_dim=16, width=0.125, window=(0, 0, 48, 64))
    lower = planned("residual", "cosine", embedding_dim=16, width=0.125, window=(32, 0, 48, 64))
    members = [(part, build_siamese(part, (80, 64), 0)) for part in (params, lower)]
    pictures = np.random.default_rng(0).integers(0, 256, (2, 80, 64)).astype(np.uint8)
    preprocess = Preprocess((80, 64))
    _, joined = ensemble_of(members)
    heat = np.stack(explain_pair(joined, preprocess, *pictures, "grad-cam"))
    parts = [np.stack(explain_pair(member, preprocess, *pictures, "grad-cam")) for _, member in members]
    assert not parts[0][:, 48:].any()
    assert not parts[1][:, :32].any()
    assert heat.any()
    assert not heat[:, :32][parts[0][:, :32] == 0].any()


def test_the_network_is_left_as_it_was():
    siamese = build_siamese(planned("residual", "cosine", embedding_dim=16, width=0.125), (80, 64), 0).train()
    before = {name: value.clone() for name, value in siamese.state_dict().items()}
    pictures = np.random.default_rng(0).integers(0, 256, (2, 80, 64)).astype(np.uint8)
    explain_pair(siamese, Preprocess((80, 64)), *pictures, "grad-cam")
    assert siamese.training
    assert all(torch.equal(before[name], value) for name, value in siamese.state_dict().items())
    assert all(parameter.grad is None for parameter in siamese.parameters())
    assert not any(module._forward_hooks for module in siamese.modules())


def test_a_frozen_tower_can_be_explained():
    siamese = blob_detector()
    siamese.requires_grad_(False)
    first, second = planted(PLACES[0])
    assert explain_pair(siamese, PREPROCESS, first, second, "grad-cam", same=False)[1].max() == pytest.approx(1)


def test_a_tower_without_places_is_explained_by_occlusion():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 4))
    siamese = around(flat, 4)
    assert best_method(siamese, PREPROCESS) == "occlusion"
    assert best_method(blob_detector(), PREPROCESS) == "grad-cam"
    with pytest.raises(ModelError, match="by occlusion"):
        explain_pair(siamese, PREPROCESS, background(), background(1), "grad-cam")


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ModelError, match="expected pictures of"):
        explain_pair(blob_detector(), PREPROCESS, background(), np.zeros((9, 9), np.uint8), "occlusion")
