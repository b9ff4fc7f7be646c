from __future__ import annotations

import numpy as np
import pytest
import torch

from likeness.errors import ImageError, ModelError
from likeness.models.preprocess import Preprocess
from tests.models.parts import planned


def test_unit_leaves_grey_values_between_zero_and_one() -> None:
    pixels = torch.tensor([[[0, 51], [102, 255]]], dtype=torch.uint8)
    images = Preprocess((2, 2)).tensor(pixels)
    assert images.shape == (1, 1, 2, 2)
    assert images.dtype == torch.float32
    torch.testing.assert_close(images.flatten(), torch.tensor([0.0, 0.2, 0.4, 1.0]))


def test_image_takes_the_light_out_of_each_picture() -> None:
    pixels = torch.randint(0, 100, (3, 8, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Preprocess((8, 6), standardise="image").tensor(pixels)
    grey = pixels.double().numpy() / 255
    mean, deviation = grey.mean(axis=(1, 2), keepdims=True), grey.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(images[:, 0].numpy(), (grey - mean) / (deviation + 1 / 255), rtol=1e-5, atol=1e-5)


def test_a_flat_picture_becomes_zeros() -> None:
    images = Preprocess((4, 4), standardise="image").tensor(torch.full((1, 4, 4), 9, dtype=torch.uint8))
    assert images.abs().max() < 1e-3


def test_window_cuts_the_middle_and_averages_areas() -> None:
    picture = np.zeros((10, 12), np.uint8)
    picture[3:7, 4:8] = np.arange(16, dtype=np.uint8).reshape(4, 4) * 10
    small = Preprocess((2, 2), crop=(4, 4)).window(picture)
    # Means of the 2×2 quarters of 0…150: 25, 45, 105, 125.
    assert small.tolist() == [[25, 45], [105, 125]]
    assert small.dtype == np.uint8


def test_window_interpolates_linearly_where_it_enlarges() -> None:
    picture = np.array([[0, 100], [0, 100]], np.uint8)
    assert Preprocess((2, 4)).window(picture).tolist() == [[0, 25, 75, 100]] * 2


def test_window_of_the_stored_size_is_the_crop_itself() -> None:
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert np.array_equal(Preprocess((4, 6), crop=(4, 6)).window(picture), picture[3:7, 2:8])


@pytest.mark.parametrize("picture", [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32)])
def test_window_refuses_what_is_no_grey_picture(picture: np.ndarray) -> None:
    with pytest.raises(ImageError, match="expected a grey picture"):
        Preprocess((4, 4)).window(picture)


def test_window_refuses_a_picture_smaller_than_the_crop() -> None:
    with pytest.raises(ImageError, match=r"is 7×9 pixels .*smaller than the crop of 8×4"):
        Preprocess((4, 4), crop=(8, 4)).window(np.zeros((7, 9), np.uint8))


def test_an_external_tower_wants_plain_grey_values() -> None:
    external = planned(backbone="external", comparator="cosine", onnx="tower.onnx")
    Preprocess((4, 4)).require_fit(external)
    joined = planned(backbone="ensemble", comparator="cosine", embedding_dim=8192, members=(external, external))
    for model in (external, joined):
        with pytest.raises(ModelError, match="set standardise to unit, found image"):
            Preprocess((4, 4), standardise="image").require_fit(model)
