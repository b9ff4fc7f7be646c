"""Photographs on their side and upside down: found, framed and reported as the upright one is."""

from __future__ import annotations

import numpy as np
import pytest

from likeness.artifacts.source_card import Framing
from likeness.faces import Box, Detection, find_face, get_detector
from likeness.faces.listing import list_faces
from likeness.faces.turning import detect_turned, turn, turned_back
from likeness.images import read_image
from tests.serving.pictures import portrait

PHOTOGRAPH = read_image(portrait(), colour=True)[:, 30:]  # not square


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("align", ["lfw-landmarks", "lfw-frame", "arcface-112"])
def test_a_turned_photograph_is_framed_as_the_upright_one(align: Framing, turns: int) -> None:
    upright = find_face(PHOTOGRAPH, align=align)
    face = find_face(turn(PHOTOGRAPH, -turns % 4), align=align)
    assert face.turned == 90 * turns
    np.testing.assert_array_equal(face.frame, upright.frame)
    assert face.others == upright.others


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_listed_face_lies_where_the_turned_photograph_shows_it(turns: int) -> None:
    photograph = turn(PHOTOGRAPH, turns)
    marked = photograph.copy()
    (face,) = list_faces(photograph)
    box, (x, y) = face.box, np.rint(face.landmarks[2]).astype(int)
    marked[box.top : box.top + box.side, box.left : box.left + box.side] = 7
    marked[y, x] = 200
    (upright,) = list_faces(PHOTOGRAPH)
    expected = PHOTOGRAPH.copy()
    place, (x, y) = upright.box, np.rint(upright.landmarks[2]).astype(int)
    expected[place.top : place.top + place.side, place.left : place.left + place.side] = 7
    expected[y, x] = 200
    np.testing.assert_array_equal(turn(marked, -turns % 4), expected)
    assert face.quality.score == pytest.approx(upright.quality.score, rel=0.05)


def test_an_upright_face_that_is_not_sure_is_kept_where_no_turn_is_better() -> None:
    class Hesitant(type(get_detector("haar"))):  # type: ignore[misc]
        sure = 1e9

    turns, found = detect_turned(Hesitant(), PHOTOGRAPH)
    assert turns == 0
    assert len(found) == 1


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_box_turned_back_covers_the_same_pixels(turns: int) -> None:
    photograph = np.zeros((40, 60), np.uint8)
    turned = turn(photograph, turns).copy()
    turned[3:11, 5:13] = 1
    back = turned_back(Detection(Box(5, 3, 8), 1.0), turns, photograph.shape).box
    photograph[back.top : back.top + 8, back.left : back.left + 8] = 1
    np.testing.assert_array_equal(turn(photograph, turns), turned)
