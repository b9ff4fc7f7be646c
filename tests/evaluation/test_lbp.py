import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from likeness.evaluation.lbp import BINS, describe, histograms, patterns, resized


def smooth_faces(count: int = 4, height: int = 60, width: int = 50) -> np.ndarray:
    """Blurred noise: like photographs, it has slopes, edges and ties."""
    noise = np.random.default_rng(0).integers(0, 256, (count, height // 5, width // 5), dtype=np.uint8)
    return resized(noise, (height, width))


@pytest.mark.parametrize(
    "images", [smooth_faces(), np.random.default_rng(1).integers(0, 256, (4, 30, 30), np.uint8)]
)
def test_patterns_are_skimages_but_for_ties_of_rounding(images):
    theirs = np.stack([local_binary_pattern(image, 8, 2, method="nri_uniform") for image in images]).astype(int)
    ours = patterns(images).astype(int)
    # Bins are numbered differently: pair each of ours with theirs by majority, which must be one to one.
    table = np.zeros((BINS, BINS), int)
    np.add.at(table, (ours.ravel(), theirs.ravel()), 1)
    partner = table.argmax(axis=1)
    met = table.sum(axis=1) > 0
    assert len(set(partner[met])) == met.sum()
    differ = partner[ours] != theirs
    assert not (differ & ~_tied(images)).any()
    assert differ.mean() < 0.002


def _tied(images: np.ndarray) -> np.ndarray:
    """Where an interpolated neighbour is within rounding of its centre."""
    height, width = images.shape[1:]
    padded = np.pad(images.astype(float), ((0, 0), (2, 2), (2, 2)))
    off = np.sqrt(2) - 1
    tied = np.zeros(images.shape, bool)
    for down in (-1, 1):
        for across in (-1, 1):

            def at(y: int, x: int) -> np.ndarray:
                return padded[:, 2 + y : 2 + y + height, 2 + x : 2 + x + width]

            sides = at(2 * down, across) + at(down, 2 * across)
            value = (1 - off) ** 2 * at(down, across) + off * (1 - off) * sides + off**2 * at(2 * down, 2 * across)
            tied |= np.abs(value - images) < 2e-3
    return tied


@pytest.mark.parametrize("grey", [0, 3, 77, 255])
def test_a_flat_region_is_one_pattern(grey):
    flat = np.full((1, 12, 12), grey, np.uint8)
    assert len(np.unique(patterns(flat)[:, 2:-2, 2:-2])) == 1
    assert patterns(flat)[0, 5, 5] == patterns(np.full((1, 12, 12), 128, np.uint8))[0, 5, 5]


def test_brightness_and_contrast_change_no_pattern():
    images = smooth_faces() // 3
    np.testing.assert_array_equal(patterns(images)[:, 2:-2, 2:-2], patterns(images * 2 + 9)[:, 2:-2, 2:-2])


def test_histograms_count_cells():
    images = smooth_faces(2, 25, 30)
    found = histograms(images, 10).reshape(2, 2, 3, BINS)
    labels = patterns(images)
    for image in range(2):
        for row in range(2):
            for column in range(3):
                cell = labels[image, row * 10 : row * 10 + 10, column * 10 : column * 10 + 10]
                shares = np.bincount(cell.ravel(), minlength=BINS) / 100
                np.testing.assert_allclose(found[image, row, column], np.sqrt(shares), rtol=1e-6)


def test_describe_puts_the_scales_of_the_window_side_by_side():
    images = smooth_faces(5)
    rows, window = np.array([4, 0, 2]), (slice(10, 50), slice(5, 45))
    found = describe(images, rows, window, ((40, 40), (20, 20)), 10)
    seen = images[rows][:, 10:50, 5:45]
    expected = [histograms(seen, 10), histograms(resized(seen, (20, 20)), 10)]
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))


def test_resizing_keeps_flat_pictures_and_averages_blocks():
    flat = np.full((2, 17, 11), 93, np.uint8)
    assert (resized(flat, (40, 5)) == 93).all()
    stripes = np.tile(np.array([0, 200], np.uint8), (1, 16, 8))
    assert abs(int(resized(stripes, (4, 4))[0, 2, 2]) - 100) <= 1
    same = smooth_faces()
    assert resized(same, same.shape[1:]) is same
