"""`--face` of `likeness verify` and `likeness identify`: which face of a photograph that shows several."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Likeness

ADA, CROWD = "photos/ada.png", "photos/crowd.png"


def test_a_face_is_taken_by_its_number(likeness: Likeness) -> None:
    chosen = [likeness("verify", ADA, CROWD, "--json", *face) for face in ((), ("--face", "1"), ("--face", "2"))]
    assert [done.lines[0]["faces"] for done in chosen] == [[1, 1], [1, 1], [1, 2]]
    largest, first, second = (done.lines[0]["score"] for done in chosen)
    assert largest == first == pytest.approx(1, abs=0.01)
    assert second < 0.998
    swapped = likeness("verify", CROWD, ADA, "--reference-face", "2", "--json").lines[0]
    assert swapped["faces"] == [2, 1]
    assert swapped["score"] == pytest.approx(second, abs=1e-6)


def test_all_gives_each_face_its_verdict_and_one_is_enough(likeness: Likeness) -> None:
    done = likeness("verify", ADA, CROWD, "--face", "all", "--threshold", "0.998", "--json")
    assert [(line["faces"], line["same"]) for line in done.lines] == [([1, 1], True), ([1, 2], False)]
    assert done.code == 0
    assert likeness("verify", ADA, CROWD, "--face", "2", "--threshold", "0.998").code == 1
    said = likeness("verify", ADA, CROWD, "--face", "all").out
    assert "number 2 of 2 faces was compared" in said


def test_every_face_is_identified(likeness: Likeness) -> None:
    likeness("enroll", "Ada", ADA)
    for option in (("--all",), ("--face", "all")):
        done = likeness("identify", CROWD, "photos/nobody.png", *option, "--threshold", "0.998", "--json")
        first, second, failed = done.lines
        assert [(line["face"], line["name"]) for line in (first, second)] == [(1, "Ada"), (2, None)]
        assert first["box"]["left"] < second["box"]["left"]
        assert "shows no face" in failed["error"]
        assert done.code == 2


def test_a_face_that_is_not_there_is_one_sentence(likeness: Likeness) -> None:
    done = likeness("verify", ADA, CROWD, "--face", "3")
    assert (done.code, done.err) == (2, "photos/crowd.png shows 2 faces: there is no face 3\n")
    for wrong in ("0", "-1", "both"):
        assert "expected largest, all or a number from 1" in likeness("verify", ADA, CROWD, "--face", wrong).err


def test_one_pair_of_faces_is_explained(likeness: Likeness) -> None:
    done = likeness("verify", ADA, CROWD, "--face", "all", "--explain", "why.png")
    assert done.code == 2
    assert "one pair of faces" in done.err
