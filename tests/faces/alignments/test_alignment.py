"""The similarity transform against scikit-image's, and where aligned landmarks end up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from likeness.faces.alignments.alignment import align, similarity
from likeness.faces.alignments.arcface_112 import ARCFACE_112

ANGLES = st.floats(-180, 180)
SCALES = st.floats(0.2, 8)
SHIFTS = st.tuples(st.floats(-300, 300), st.floats(-300, 300))


@given(angle=ANGLES, scale=SCALES, shift=SHIFTS, seed=st.integers(0, 2**16))
def test_the_transform_is_that_of_scikit_image(
    angle: float, scale: float, shift: tuple[float, float], seed: int
) -> None:
    random = np.random.default_rng(seed)
    template = np.array(ARCFACE_112.landmarks)
    moved = SimilarityTransform(scale=scale, rotation=np.radians(angle), translation=shift)(template)
    source = moved + random.normal(0, 2 * scale, moved.shape)
    expected = SimilarityTransform.from_estimate(source, template)
    np.testing.assert_allclose(similarity(source, template), expected.params[:2], rtol=1e-6, atol=1e-6)


def test_mirrored_landmarks_are_not_mirrored_back() -> None:
    template = np.array(ARCFACE_112.landmarks)
    transform = similarity(template * [-1, 1], template)
    assert np.linalg.det(transform[:, :2]) > 0


def test_one_point_is_refused() -> None:
    with pytest.raises(ValueError, match="one point"):
        similarity(np.ones((5, 2)), np.array(ARCFACE_112.landmarks))


def test_the_template_takes_the_middle_of_a_frame() -> None:
    points = ARCFACE_112.points(250, 224)
    inside = (points - 13 + 0.5) / 2 - 0.5
    np.testing.assert_allclose(inside, ARCFACE_112.landmarks)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("scale", [0.6, 1.0, 5.0])
def test_landmarks_end_up_where_the_template_has_them(scale: float, colour: bool) -> None:
    """Five bright discs on black: after alignment their middles are the template's points."""
    template = ARCFACE_112.points(112, 112)
    landmarks = SimilarityTransform(scale=scale, rotation=0.4, translation=(200, 60))(template)
    down, right = np.mgrid[:900, :900]
    photograph = np.zeros((900, 900), np.uint8)
    for x, y in landmarks:
        photograph[(right - x) ** 2 + (down - y) ** 2 < (4 * scale) ** 2] = 255
    face = align(np.repeat(photograph[..., None], 3, 2) if colour else photograph, landmarks, template, 112)
    assert face.shape == ((112, 112, 3) if colour else (112, 112))
    plane = (face[..., 1] if colour else face).astype(float)
    down, right = np.mgrid[:112, :112]
    for x, y in template:
        weight = plane * ((right - x) ** 2 + (down - y) ** 2 < 49)
        found = np.array([(weight * right).sum(), (weight * down).sum()]) / weight.sum()
        np.testing.assert_allclose(found, (x, y), atol=0.3)
