"""Photographs as people have them, and as they should not be: a framed face, or one sentence."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from likeness.artifacts.source_card import Framing
from likeness.data.archive_members import Member
from likeness.data.images import read_images
from likeness.data.sources import Cut
from likeness.errors import ImageError
from likeness.faces import FRAME, Face
from likeness.serving.face_reading import Reading, read_face
from tests.serving.pictures import encoded, portrait

ALIGNS: tuple[Framing, ...] = ("lfw-frame", "arcface-112")
UNDO = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF orientation: the transposition that a camera has done


def scaled(side: int) -> np.ndarray:
    return np.asarray(cv2.resize(portrait(), (side, side), interpolation=cv2.INTER_AREA))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    stored = Image.fromarray(portrait()).transpose(Image.Transpose(UNDO[orientation]))
    return saved(stored, "JPEG", exif=exif, quality=95)


def of_sixteen_bits() -> bytes:
    return saved(Image.fromarray(cv2.cvtColor(portrait(), cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257), "PNG")


def animated() -> bytes:
    others = [Image.new("RGB", (512, 512), colour) for colour in ("red", "blue")]
    return saved(Image.fromarray(portrait()), "WEBP", save_all=True, append_images=others, quality=90)


def with_alpha() -> bytes:
    return saved(Image.fromarray(np.dstack([portrait(), np.full((512, 512), 255, np.uint8)])), "PNG")


SEEN: dict[str, Callable[[], bytes]] = {
    "CMYK": lambda: saved(Image.fromarray(portrait()).convert("CMYK"), "JPEG", quality=95),
    "16 bits": of_sixteen_bits,
    "alpha": with_alpha,
    "palette": lambda: saved(Image.fromarray(portrait()).quantize(256), "PNG"),
    "animated": animated,
    "AVIF": lambda: encoded(portrait(), "AVIF"),
    **{f"EXIF {number}": lambda number=number: oriented(number) for number in UNDO},  # type: ignore[misc]
}


@pytest.mark.parametrize("case", SEEN)
def test_whatever_the_file_the_same_face_is_framed(case: str) -> None:
    reading = Reading("arcface-112", colour=True)
    expected, face = (read_face(data, reading, "it") for data in (portrait(), SEEN[case]()))
    assert expected.landmarks is not None
    assert face.landmarks is not None
    assert np.abs(face.landmarks - expected.landmarks).max() < 6  # of 512 pixels
    frames = [each.frame.mean(axis=2) if case == "16 bits" else each.frame for each in (expected, face)]
    assert np.abs(frames[0].astype(float) - frames[1]).mean() < 16


@pytest.mark.parametrize("align", ALIGNS)
def test_of_fifty_faces_one_is_taken_and_the_others_counted(align: Framing) -> None:
    crowd = np.tile(portrait()[20:220:2, 120:320:2], (5, 10, 1))
    face = read_face(encoded(crowd), Reading(align, colour=True), "it")
    assert (10 if align == "lfw-frame" else 49) <= face.others <= 49  # the cascade misses many so small


@pytest.mark.parametrize("align", ALIGNS)
@pytest.mark.parametrize("cut", ["left", "top", "bottom", "narrow"])
def test_a_face_cut_by_the_border_is_framed_or_refused_in_a_sentence(cut: str, align: Framing) -> None:
    places = {"left": np.s_[:, 225:], "top": np.s_[110:], "bottom": np.s_[:130], "narrow": np.s_[:, 190:260]}
    _framed_or_refused(encoded(np.ascontiguousarray(portrait()[places[cut]])), align)


@pytest.mark.parametrize("align", ALIGNS)
@pytest.mark.parametrize("side", [2, 20, 60, 90])
def test_a_tiny_face_is_framed_or_refused_in_a_sentence(side: int, align: Framing) -> None:
    """Of 90 pixels the face has 20."""
    _framed_or_refused(encoded(scaled(side), "PNG"), align)


@pytest.mark.parametrize("align", ALIGNS)
@pytest.mark.parametrize("picture", ["black", "noise", "strip"])
def test_nobody_is_refused_in_a_sentence(picture: str, align: Framing) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    shown = {"black": np.zeros((300, 300), np.uint8), "noise": noise, "strip": np.full((3, 4000), 128, np.uint8)}
    assert _framed_or_refused(encoded(shown[picture], "PNG"), align) is None


@pytest.mark.slow
@pytest.mark.parametrize("align", ALIGNS)
def test_sixty_megapixels_are_read(align: Framing) -> None:
    large = cv2.resize(portrait(), (7740, 7740), interpolation=cv2.INTER_LINEAR)
    assert _framed_or_refused(encoded(np.asarray(large)), align) is not None


def _framed_or_refused(data: bytes, align: Framing) -> Face | None:
    """The face as use has it, which is also what ingest has; None where one sentence refuses it."""
    cut = Cut(None, (FRAME, FRAME), True, align, 12)
    pixels, (facts,) = read_images([Member("a/1.jpg", data)], cut)
    if facts.problem:
        assert facts.error.startswith("the photograph ")
        assert "\n" not in facts.error
        with pytest.raises(ImageError, match=f"^{re.escape(facts.error)}$"):
            read_face(data, Reading(align, colour=True), "the photograph")
        return None
    face = read_face(data, Reading(align, colour=True), "the photograph")
    assert face.frame.shape == (FRAME, FRAME, 3)
    np.testing.assert_array_equal(pixels[0], face.frame)
    return face
