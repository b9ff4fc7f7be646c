from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Generator, Tensor

from likeness.training.augment import AugmentParams, augment

EVERYTHING = AugmentParams(
    mirror=True, rotation=10, scale=0.1, shift=0.1, gamma=0.4, gradient=0.3, blur=0.5, noise=0.1, erase=0.5
)


def faces(count: int = 64, height: int = 24, width: int = 20) -> Tensor:
    return torch.rand(count, 1, height, width, generator=Generator().manual_seed(1))


def changed(images: Tensor, params: AugmentParams, seed: int = 0) -> Tensor:
    return augment(images, params, Generator().manual_seed(seed))


def test_everything_off_leaves_images_alone() -> None:
    images = faces()
    assert torch.equal(changed(images, AugmentParams()), images)


def test_equal_random_states_give_equal_images_whatever_the_global_state() -> None:
    images = faces()
    first = changed(images, EVERYTHING)
    torch.manual_seed(123)
    assert torch.equal(first, changed(images, EVERYTHING))
    assert not torch.equal(first, changed(images, EVERYTHING, seed=1))


def test_images_stay_grey_values_and_each_goes_its_own_way() -> None:
    same = faces(1).expand(32, -1, -1, -1)
    result = changed(same, EVERYTHING)
    assert result.shape == same.shape
    assert result.min() >= 0
    assert result.max() <= 1
    assert len({tuple(image.flatten().tolist()) for image in result}) == 32


@pytest.mark.parametrize("affine", [AugmentParams(mirror=True), AugmentParams(mirror=True, scale=1e-7)])
def test_about_half_the_images_are_mirrored_by_either_way(affine: AugmentParams) -> None:
    images = faces(200)
    result = changed(images, affine)
    kept = (result - images).abs().amax(dim=(1, 2, 3)) < 1e-4
    mirrored = (result - images.flip(-1)).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert (kept ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_rotation_keeps_shapes_on_a_picture_that_is_not_square() -> None:
    """A disc stays a disc: its extent along both axes is equal after any turn."""
    height, width = 40, 64
    down, right = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    disc = ((down - 19.5) ** 2 + (right - 31.5) ** 2 < 14**2).float().expand(16, 1, -1, -1)
    for image in changed(disc, AugmentParams(rotation=90)):
        extent = [(image[0].amax(dim=axis) > 0.5).sum().item() for axis in (0, 1)]
        assert abs(extent[0] - 28) <= 1
        assert abs(extent[1] - 28) <= 1


def test_shift_and_scale_stay_within_their_bounds() -> None:
    """A bright square of 8×8 in the middle of 40×40: its centre and its area show what was done."""
    images = torch.zeros(200, 1, 40, 40)
    images[:, :, 16:24, 16:24] = 1
    moved = changed(images, AugmentParams(shift=0.1))
    weights = moved.sum(dim=(1, 2, 3))
    centre = (moved.sum(dim=(1, 2)) * torch.arange(40)).sum(dim=1) / weights
    assert (centre - 19.5).abs().max() <= 4.01
    assert (centre - 19.5).abs().max() > 3
    areas = changed(images, AugmentParams(scale=0.2)).sum(dim=(1, 2, 3))
    assert 64 * 0.8**2 - 5 < areas.min() < 64 * 0.85**2
    assert 64 * 1.15**2 < areas.max() < 64 * 1.2**2 + 5


def test_light_changes_as_stated() -> None:
    grey = torch.full((100, 1, 9, 9), 0.25)
    gamma = changed(grey, AugmentParams(gamma=0.5)).amax(dim=(1, 2, 3))
    assert 0.25 ** (2.7182818**0.5) - 1e-6 <= gamma.min() < 0.15
    assert 0.3 < gamma.max() <= 0.25 ** (2.7182818**-0.5) + 1e-6
    lit = changed(grey, AugmentParams(gradient=0.4))
    assert torch.allclose(lit[:, 0, 4, 4], torch.tensor(0.25))  # the middle keeps its light
    assert (lit - 0.25).abs().max() <= 0.25 * 0.4 * 2**0.5


def test_blur_takes_contrast_and_noise_adds_as_much_as_it_may() -> None:
    images = faces()
    blurred = changed(images, AugmentParams(blur=1.0))
    assert (blurred.std(dim=(1, 2, 3)) < images.std(dim=(1, 2, 3))).all()
    assert torch.allclose(changed(torch.full_like(images, 0.3), AugmentParams(blur=1.0)), torch.tensor(0.3))
    noisy = changed(torch.full((400, 1, 20, 20), 0.5), AugmentParams(noise=0.1)).std(dim=(1, 2, 3))
    assert 0.09 < noisy.max() < 0.115


def test_erasing_paints_one_rectangle_over_the_chosen_images() -> None:
    images = faces(300)
    painted = changed(images, AugmentParams(erase=0.5, erase_size=0.5)) != images
    touched = painted.any(dim=(1, 2, 3))
    assert 110 < touched.sum() < 190
    for mask in painted[touched][:, 0]:
        rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
        height, width = (int(side.max() - side.min()) + 1 for side in (rows, columns))
        assert height <= 13
        assert width <= 11
        assert mask.sum() >= 0.99 * height * width - 1  # a random pixel may have had that very grey


RECOLOURED = AugmentParams(saturation=0.5, white_balance=0.3, grey=0.3)


def colours(count: int = 64) -> Tensor:
    return torch.rand(count, 3, 24, 20, generator=Generator().manual_seed(2))


def test_grey_images_have_no_colours_to_change() -> None:
    images = faces()
    assert torch.equal(changed(images, RECOLOURED), images)


def test_every_change_of_grey_images_is_made_of_colours_too() -> None:
    """The same draws move, relight and erase an image whatever its channels."""
    images = faces().expand(-1, 3, -1, -1)
    params = dataclasses.replace(EVERYTHING, noise=0.0)  # noise is drawn for each channel
    torch.testing.assert_close(changed(images, params), changed(faces(), params).expand(-1, 3, -1, -1))


def test_about_the_share_that_was_asked_for_loses_its_colours() -> None:
    result = changed(colours(400), AugmentParams(grey=0.25))
    grey = (result - result[:, :1]).abs().amax(dim=(1, 2, 3)) < 1e-6
    assert 70 < grey.sum() < 130
    torch.testing.assert_close(result[~grey], colours(400)[~grey])


def test_white_balance_scales_each_channel_alone() -> None:
    images = colours() / 2 + 0.1
    ratio = changed(images, AugmentParams(white_balance=0.2)) / images
    torch.testing.assert_close(ratio.amin(dim=(2, 3)), ratio.amax(dim=(2, 3)))
    assert ((ratio >= 0.799) & (ratio <= 1.201)).all()
    assert ratio.std(dim=1).max() > 0.05


def test_saturation_keeps_the_grey_value() -> None:
    images = colours() / 4 + 0.4
    result = changed(images, AugmentParams(saturation=0.5))
    weights = torch.tensor([0.299, 0.587, 0.114]).reshape(3, 1, 1)
    torch.testing.assert_close((result * weights).sum(1), (images * weights).sum(1))
    assert not torch.equal(result, images)


def test_brightness_and_contrast_stay_in_their_ranges() -> None:
    images = faces() / 2 + 0.25
    ratio = changed(images, AugmentParams(brightness=0.1)) / images
    torch.testing.assert_close(ratio.amin(dim=(1, 2, 3)), ratio.amax(dim=(1, 2, 3)))
    assert ((ratio >= 0.899) & (ratio <= 1.101)).all()
    spread = changed(images, AugmentParams(contrast=0.3))
    torch.testing.assert_close(spread.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)))
    shares = spread.std(dim=(1, 2, 3)) / images.std(dim=(1, 2, 3))
    assert ((shares >= 0.699) & (shares <= 1.301)).all()
