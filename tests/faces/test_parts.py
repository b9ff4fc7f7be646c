"""Detectors and alignments by name, and one of each added by somebody else."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from likeness.artifacts.source_card import Alignment as StoredAlignment
from likeness.artifacts.source_card import Framing
from likeness.faces import ALIGNMENTS, DETECTORS, FRAME, Box, Detection, get_alignment, get_detector, needs_colour
from likeness.faces.alignments.alignment import LandmarkAlignment, align
from likeness.images import grey, read_image
from tests.serving.pictures import portrait, two_people


def test_the_alignments_are_those_that_params_may_name() -> None:
    assert {"none", *ALIGNMENTS.names} == set(get_args(Framing))
    aligned = {name for name in ALIGNMENTS.names if issubclass(ALIGNMENTS.part(name), LandmarkAlignment)}
    assert aligned <= set(get_args(StoredAlignment))
    wanted = {name: needs_colour(name) for name in get_args(Framing)}
    assert wanted == {"none": False, "lfw-frame": False} | dict.fromkeys(aligned, True)


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"unknown detector 'hog'; known are haar, mtcnn"):
        get_detector("hog")
    with pytest.raises(ValueError, match=r"unknown alignment 'x'; known are arcface-112, dlib-150, lfw-frame"):
        get_alignment("x")


@pytest.mark.parametrize("name", DETECTORS.names)
def test_every_detector_takes_colour_grey_and_several_photographs(name: str) -> None:
    detector = get_detector(name)
    photographs = [read_image(portrait(), colour=True), read_image(two_people())]
    found = detector.detect_all(photographs)
    assert [len(each) for each in found] == [1, 2]
    assert found == detector.detect_all(photographs)
    assert [len(detector.detect(grey(photograph))) for photograph in photographs] == [1, 2]


@pytest.mark.parametrize("name", DETECTORS.names)
def test_a_face_smaller_than_the_smallest_is_not_reported(name: str) -> None:
    photograph = read_image(portrait(), colour=True)
    (face,) = get_detector(name).detect(photograph)
    assert get_detector(name, 2 * face.box.side).detect(photograph) == []
    assert len(get_detector(name, face.box.side // 2).detect(photograph)) == 1


@pytest.mark.parametrize("name", ["arcface-112", "dlib-150"])
def test_the_middle_of_a_frame_is_the_template_s_own_face(name: str) -> None:
    alignment = get_alignment(name)
    assert isinstance(alignment, LandmarkAlignment)
    photograph = read_image(portrait(), colour=True)
    (found,) = get_detector(alignment.detector).detect(photograph)
    side, size = alignment.side, alignment.template.size[0]
    margin = (FRAME - side) // 2
    middle = alignment.frame(photograph, found)[margin : margin + side, margin : margin + side]
    assert found.landmarks is not None
    direct = align(photograph, found.landmarks, alignment.template.points(size, size), size)
    halved = middle.reshape(size, side // size, size, side // size, 3).mean((1, 3))
    assert np.abs(halved - direct).mean() < 3


def test_landmarks_are_asked_for_where_a_detector_has_none() -> None:
    with pytest.raises(ValueError, match="needs landmarks"):
        get_alignment("arcface-112").frame(np.zeros((9, 9), np.uint8), Detection(Box(0, 0, 9), 1.0))
