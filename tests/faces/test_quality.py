"""What is measured of a face moves as the photograph is changed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from likeness.faces.detectors.mtcnn import MtcnnDetector
from likeness.faces.quality import Quality, head_pose, measure_quality
from likeness.images import Pixels, read_image
from tests.serving.pictures import other_portrait, portrait


def photograph(picture: Pixels) -> Pixels:
    return read_image(picture, colour=True)


def quality(picture: Pixels) -> Quality:
    landmarks = MtcnnDetector().detect(picture)[0].landmarks
    assert landmarks is not None
    return measure_quality(picture, landmarks)


@pytest.mark.parametrize("picture", [portrait(), other_portrait()], ids=["one", "other"])
def test_a_clear_face_has_a_high_score_in_range(picture: Pixels) -> None:
    found = quality(photograph(picture))
    assert 0.2 < found.score <= 1
    assert 0 < found.brightness < 1
    assert 0 <= found.clipped < 0.5


def test_blur_darkness_and_smallness_lower_the_score() -> None:
    clear = photograph(portrait())
    found = quality(clear)
    blurred = quality(np.asarray(cv2.GaussianBlur(clear, (0, 0), 6), np.uint8))
    small = quality(np.asarray(cv2.resize(clear, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), np.uint8))
    dark = quality((clear * 0.15).astype(np.uint8))
    assert blurred.sharpness < found.sharpness / 2
    assert dark.clipped > found.clipped
    assert small.eye_distance == pytest.approx(found.eye_distance / 4, rel=0.1)
    assert max(blurred.score, dark.score, small.score) < found.score


@pytest.mark.parametrize("angle", [-25.0, 15.0])
def test_a_turned_photograph_has_that_roll(angle: float) -> None:
    clear = photograph(portrait())
    height, width = clear.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1)  # OpenCV's angles are counter-clockwise
    turned = np.asarray(cv2.warpAffine(clear, turn, (width, height)), np.uint8)
    assert quality(turned).roll - quality(clear).roll == pytest.approx(angle, abs=4)


@pytest.mark.parametrize("picture", [portrait(), other_portrait()], ids=["one", "other"])
def test_a_mirrored_face_looks_the_other_way(picture: Pixels) -> None:
    clear = photograph(picture)
    found, mirrored = quality(clear), quality(np.ascontiguousarray(clear[:, ::-1]))
    assert mirrored.yaw == pytest.approx(-found.yaw, abs=4)
    assert mirrored.roll == pytest.approx(-found.roll, abs=4)
    assert mirrored.pitch == pytest.approx(found.pitch, abs=4)


@pytest.mark.parametrize("yaw", [-40.0, -15.0, 0.0, 25.0])
def test_the_pose_of_a_turned_head_is_found_again(yaw: float) -> None:
    """The generic head itself, turned about the vertical axis and projected."""
    from likeness.faces.quality import _HEAD

    angle = np.radians(yaw)
    turned = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]) @ _HEAD.T
    found = head_pose(3 * turned[:2].T + 100)
    np.testing.assert_allclose(found, (yaw, 0, 0), atol=1e-6)
