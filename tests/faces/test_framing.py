from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.artifacts.manifest import LANDMARK_COLUMNS
from likeness.artifacts.source_card import FaceChoice, Framing
from likeness.data.archive import open_reader
from likeness.data.archive_members import Member
from likeness.data.images import read_images
from likeness.data.problems import PROFILE
from likeness.data.sources import Cut, DataParams
from likeness.errors import FaceNotFoundError, ProfileFaceError, SmallFaceError
from likeness.faces import (
    FRAME,
    Box,
    Detection,
    find_face,
    framed,
    framing,
    get_detector,
    iter_faces,
    largest_clear,
)
from likeness.faces.alignments.lfw_frame import cut_frame
from likeness.faces.alignments.lfw_landmarks import LFW_LANDMARKS
from likeness.faces.detectors import haar
from likeness.faces.detectors.haar import HaarDetector
from likeness.faces.quality import Quality, measure_quality
from likeness.images import read_image
from tests.serving.pictures import encoded, portrait, two_people

DETECTOR = HaarDetector()
SOURCES: dict[str, FaceChoice] = {"lfw": "central", "lfw-deepfunneled": "central", "folder": "largest"}


def detect(photograph: np.ndarray) -> list[Box]:
    return [each.box for each in DETECTOR.detect(photograph)]


def test_the_face_is_found_and_is_in_the_middle_of_its_frame() -> None:
    face = find_face(read_image(portrait()))
    assert face.box is not None
    assert face.others == 0
    assert face.frame.shape == (FRAME, FRAME)
    again = detect(face.frame)[0]
    middle = np.array([again.left, again.top]) + again.side / 2
    assert np.abs(middle - FRAME / 2).max() < 8
    assert 0.85 < again.side / (FRAME / 2.2) < 1.15


def test_the_largest_of_several_is_taken_and_the_others_counted() -> None:
    face = find_face(read_image(two_people()))
    assert face.box is not None
    assert face.box.left < 512
    assert face.others == 1


def test_a_reduced_search_gives_places_in_the_original() -> None:
    large = np.kron(read_image(portrait()), np.ones((4, 4), dtype=np.uint8))
    small, big = detect(read_image(portrait()))[0], detect(large)[0]
    assert abs(big.side / 4 - small.side) < 10
    assert abs(big.left / 4 - small.left) < 10


def test_a_steadied_box_follows_a_shifted_photograph_more_closely() -> None:
    gray = read_image(portrait())
    first: list[tuple[int, int, int]] = []
    steady: list[tuple[int, int, int]] = []
    for shift in range(12):
        picture = np.ascontiguousarray(gray[shift : 400 + shift, shift : 400 + shift])
        box = detect(picture)[0]
        for boxes, found in ((first, box), (steady, DETECTOR.refine(picture, box))):
            boxes.append((found.left + shift, found.top + shift, found.side))
    assert np.std(steady, axis=0).sum() < 0.9 * np.std(first, axis=0).sum()


def test_a_mirrored_photograph_has_its_box_mirrored() -> None:
    gray = read_image(portrait())
    box = find_face(gray).box
    mirrored = find_face(np.ascontiguousarray(gray[:, ::-1])).box
    assert box is not None
    assert mirrored is not None
    assert abs(gray.shape[1] - mirrored.left - mirrored.side - box.left) <= 3
    assert abs(mirrored.top - box.top) <= 3
    assert abs(mirrored.side - box.side) <= 3


def test_a_finer_look_sees_a_tilted_face(monkeypatch: pytest.MonkeyPatch) -> None:
    tilt = cv2.getRotationMatrix2D((225, 115), 24, 1)  # about the face
    tilted = cv2.warpAffine(read_image(portrait()), tilt, (512, 512))
    assert detect(tilted)
    monkeypatch.setattr(haar, "_SCALE_STEPS", (1.1,))
    assert not detect(tilted)


@pytest.mark.fault("D07")
def test_a_larger_box_with_a_low_score_is_not_preferred() -> None:
    true, false = (
        Detection(Box(66, 67, 116), 114.0),
        Detection(Box(12, 62, 118), 7.0),
    )  # Martin_Scorsese_0004 of LFW
    assert largest_clear([false, true]) is true
    near, far = Detection(Box(0, 0, 200), 40.0), Detection(Box(300, 0, 90), 90.0)
    assert largest_clear([near, far]) is near


@pytest.mark.fault("D07")
@pytest.mark.lfw
@pytest.mark.skipif("LIKENESS_LFW" not in os.environ, reason="LIKENESS_LFW names no folder of real faces")
def test_the_true_face_of_a_real_photograph_is_taken() -> None:
    archive = Path(os.environ["LIKENESS_LFW"]) / "lfw-deepfunneled.tgz"
    (member,) = open_reader(archive, lambda path: path.endswith("Martin_Scorsese_0004.jpg"))
    face = find_face(read_image(member.data), align="lfw-frame")
    assert face.others == 1
    assert face.box is not None
    assert abs(face.box.left + face.box.side / 2 - FRAME / 2) < 10


def test_a_face_smaller_than_asked_for_is_refused() -> None:
    gray = read_image(portrait())
    box = find_face(gray, smallest=50).box
    assert box is not None
    with pytest.raises(SmallFaceError, match=rf"^b\.jpg shows a face of {box.side} pixels, fewer than 400"):
        find_face(gray, "b.jpg", smallest=400)


@pytest.mark.parametrize("picture", [np.zeros((300, 300), np.uint8), np.full((2, 900), 255, np.uint8)])
def test_no_face_is_said(picture: np.ndarray) -> None:
    with pytest.raises(FaceNotFoundError, match=r"^b\.jpg shows no face"):
        find_face(picture, "b.jpg")


def test_a_frame_reaches_2_2_times_as_far_as_its_box() -> None:
    ramp = np.tile(np.arange(500, dtype=np.float64) / 2, (500, 1)).round().astype(np.uint8)
    frame = cut_frame(ramp, Box(left=150, top=150, side=200))
    places = 250 + 440 * ((np.arange(FRAME) + 0.5) / FRAME - 0.5)
    assert np.abs(frame - places / 2).max() <= 1


@pytest.mark.parametrize("corner", [(0, 0), (0, 380), (380, 0), (380, 380)])
def test_beyond_the_border_the_edge_is_repeated(corner: tuple[int, int]) -> None:
    picture = np.full((500, 500), 90, dtype=np.uint8)
    top, left = corner
    frame = cut_frame(picture, Box(left, top, 120))
    assert (frame == 90).all()


def test_a_framed_picture_is_taken_as_it_is_or_scaled() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (FRAME, FRAME), dtype=np.uint8)
    np.testing.assert_array_equal(framed(picture).frame, picture)
    assert framed(np.kron(picture, np.ones((2, 2), np.uint8))).frame.tolist() == picture.tolist()
    assert framed(picture[:100, :80]).frame.shape == (FRAME, FRAME)


def test_many_threads_find_what_one_finds() -> None:
    gray = read_image(portrait())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detect, [gray] * 8))
    assert all(boxes == detect(gray) for boxes in found)


@pytest.mark.lfw
@pytest.mark.skipif("LIKENESS_LFW" not in os.environ, reason="LIKENESS_LFW names no folder of real faces")
def test_on_real_faces_nearly_all_are_found_where_lfw_has_them() -> None:
    from tests.serving.real import lfw_photographs

    photographs = lfw_photographs(Path(os.environ["LIKENESS_LFW"]), 100)
    boxes = [found[0] for found in map(detect, photographs) if found]
    assert len(boxes) >= 97
    assert np.median([box.side for box in boxes]) == pytest.approx(FRAME / 2.2, abs=5)
    assert np.median([abs(box.left + box.side / 2 - FRAME / 2) for box in boxes]) < 5


def test_every_face_is_framed_and_numbered() -> None:
    crowd = read_image(two_people())
    first, second = iter_faces(crowd)
    np.testing.assert_array_equal(first.frame, find_face(crowd).frame)
    assert [(face.number, face.others) for face in (first, second)] == [(1, 1), (2, 1)]
    assert second.box is not None
    assert second.box.left > 512
    assert abs(int(detect(second.frame)[0].side) - FRAME / 2.2) < 20


@pytest.mark.parametrize("align", ["lfw-landmarks", "lfw-frame", "arcface-112"])
def test_of_lfw_the_face_nearest_to_the_middle_is_taken(align: Framing) -> None:
    photograph = np.ascontiguousarray(two_people()[:, 150:])  # the larger face beside the left border
    for source, choice in SOURCES.items():
        face = find_face(photograph, align=align, choice=choice)
        assert face.box is not None
        assert face.others
        assert (face.box.left > 350) == (choice == "central")
        cut = DataParams(source, None, size=(32, 32), colour=True, align=align).cut
        _, (facts,) = read_images([Member("a/1.png", encoded(photograph, "PNG"))], cut)
        assert facts.face_left == face.box.left


def test_a_face_in_profile_is_refused_with_that_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = read_image(portrait(), colour=True)
    yaw = abs(quality_of(photograph).yaw)
    monkeypatch.setattr(framing, "_PROFILE", yaw - 1)
    with pytest.raises(ProfileFaceError, match=r"^b\.jpg shows a face in profile \(turned by about \d+°"):
        find_face(photograph, "b.jpg", align="arcface-112")
    _, (facts,) = read_images(
        [Member("a/1.png", encoded(portrait(), "PNG"))], Cut(None, (32, 32), True, "dlib-150")
    )
    assert facts.problem == PROFILE
    monkeypatch.setattr(framing, "_PROFILE", yaw + 1)
    assert find_face(photograph, align="arcface-112").quality == quality_of(photograph).score


def quality_of(photograph: np.ndarray) -> Quality:
    (found,) = get_detector().detect(photograph)
    assert found.landmarks is not None
    return measure_quality(photograph, found.landmarks)


@pytest.mark.parametrize("align", ["lfw-landmarks", "lfw-frame", "arcface-112"])
def test_low_quality_is_warned_of(align: Framing) -> None:
    clear = read_image(portrait(), colour=True)
    small = cv2.resize(clear, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    assert find_face(clear, align=align).warnings == ()
    assert find_face(small, align=align).warnings[0] in {f"too small: {side} px" for side in range(25, 40)}
    assert "blurred" in find_face(np.asarray(cv2.GaussianBlur(clear, (0, 0), 5)), align=align).warnings
    dark = find_face((clear * 0.25).astype(np.uint8), align=align).warnings
    assert any(said.startswith("too dark: brightness") for said in dark)


def test_the_manifest_says_where_the_face_is() -> None:
    data = encoded(portrait(), "PNG")
    _, (facts,) = read_images([Member("a/1.png", data)], Cut(None, (32, 32), True, "arcface-112"))
    face = find_face(read_image(data, colour=True), align="arcface-112")
    assert face.box is not None
    assert face.landmarks is not None
    assert (facts.face_left, facts.face_top, facts.face_side) == (face.box.left, face.box.top, face.box.side)
    assert (facts.face_turned, facts.face_score, facts.face_quality) == (0, face.score, face.quality)
    assert [getattr(facts, name) for name in LANDMARK_COLUMNS] == face.landmarks.ravel().tolist()
    _, (facts,) = read_images([Member("a/1.png", data)], Cut(None, (32, 32)))
    assert facts.face_side == 0
    assert np.isnan([facts.face_score, facts.face_quality, facts.nose_x]).all()


@pytest.mark.parametrize("degrees", [-25, 0, 25])
def test_a_tilted_head_is_turned_upright(degrees: int) -> None:
    photograph = read_image(portrait(), colour=True)
    middle = (photograph.shape[1] / 2, photograph.shape[0] / 2)
    tilt = cv2.getRotationMatrix2D(middle, degrees, 0.8)
    tilted = np.asarray(cv2.warpAffine(photograph, tilt, photograph.shape[1::-1]), np.uint8)
    (found,) = get_detector("mtcnn").detect(find_face(tilted).frame)
    assert found.landmarks is not None
    assert np.abs(found.landmarks - LFW_LANDMARKS.landmarks).mean() < 6
