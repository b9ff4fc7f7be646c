"""From the bytes of an image file to a row of the pixel store and what the manifest says about it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from likeness.artifacts.manifest import LANDMARK_COLUMNS
from likeness.data.archive_members import Member
from likeness.data.problems import NO_FACE, PROFILE, SMALL_FACE, TOO_SMALL, UNDECODABLE
from likeness.data.sources import Cut
from likeness.errors import FaceNotFoundError, ImageError, ProfileFaceError, SmallFaceError, SmallImageError
from likeness.faces import Face, find_face, needs_colour
from likeness.images import Pixels, crop_and_resize, decode, grey

SQUARE, THUMB = 128, 32
_FREQUENCY, _POSITION = np.ogrid[:8, :THUMB]
LOW_FREQUENCIES = np.cos(np.pi * _FREQUENCY * (2 * _POSITION + 1) / (2 * THUMB)).astype(np.float32)
"""The 8 lowest basis vectors of the DCT-II over 32 samples, unscaled."""
_PROBLEMS: Mapping[type[ImageError], str] = {
    SmallImageError: TOO_SMALL,
    FaceNotFoundError: NO_FACE,
    SmallFaceError: SMALL_FACE,
    ProfileFaceError: PROFILE,
}


class ImageRecord(NamedTuple):
    """What the manifest holds about one image file, under the names of its columns, and `face_seconds`, the time
    that finding and framing its face took."""

    path: str
    bytes: int
    sha256: str
    width: int = 0
    height: int = 0
    mode: str = ""
    phash: str = ""
    brightness: float = float("nan")
    contrast: float = float("nan")
    sharpness: float = float("nan")
    other_faces: int = 0
    face_left: int = 0
    face_top: int = 0
    face_side: int = 0
    face_turned: int = 0
    face_score: float = float("nan")
    face_quality: float = float("nan")
    left_eye_x: float = float("nan")
    left_eye_y: float = float("nan")
    right_eye_x: float = float("nan")
    right_eye_y: float = float("nan")
    nose_x: float = float("nan")
    nose_y: float = float("nan")
    left_mouth_x: float = float("nan")
    left_mouth_y: float = float("nan")
    right_mouth_x: float = float("nan")
    right_mouth_y: float = float("nan")
    problem: str = ""
    error: str = ""
    face_seconds: float = 0.0


def read_images(files: Sequence[Member], cut: Cut) -> tuple[Pixels, list[ImageRecord]]:
    """Decodes, frames, cuts and measures a batch of image files.

    Args:
        files: path and bytes of each.
        cut: how they are framed and cut.

    Returns:
        Pixels uint8 [N, *cut.shape], zero where a file is no usable image, and the facts of each file.
    """
    pixels = np.zeros((len(files), *cut.shape), np.uint8)
    squares = np.zeros((len(files), SQUARE, SQUARE), np.uint8)
    facts = [_read_image(file, cut, pixels[row], squares[row]) for row, file in enumerate(files)]
    hashes = perceptual_hashes(squares)
    return pixels, [
        fact._replace(phash=phash) if not fact.problem else fact for fact, phash in zip(facts, hashes, strict=True)
    ]


def read_image_file(path: Path, name: str, cut: Cut) -> tuple[Pixels, ImageRecord]:
    """Pixels uint8 [*cut.shape] and facts of one file; `name` is its path in the data set."""
    pixels, facts = read_images([Member(name, path.read_bytes())], cut)
    return pixels[0], facts[0]


def read_batch(files: Sequence[Member], cut: Cut) -> tuple[Pixels, list[ImageRecord]]:
    """`read_images` on one thread, for worker processes that share the cores among them."""
    cv2.setNumThreads(1)
    return read_images(files, cut)


def square(picture: Pixels, out: Pixels | None = None) -> Pixels:
    """The whole picture shrunk to uint8 [128, 128], whatever its proportions, for the perceptual hash.

    Up to twice the size bilinear interpolation leaves no pixel out, at a fifth of the time of area averaging.
    """
    method = cv2.INTER_LINEAR if max(picture.shape) <= 2 * SQUARE else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (SQUARE, SQUARE), out, interpolation=method), np.uint8)


def perceptual_hashes(squares: Pixels) -> list[str]:
    """64-bit DCT hashes in hex of pictures uint8 [N, 128, 128]; alike pictures differ in few bits.

    Each bit says whether one of the 8 × 8 lowest frequencies of the picture at 32 × 32 lies above their median
    (Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1).
    """
    strip = squares.reshape(-1, SQUARE)  # halvings do not reach across pictures, so all are halved at once
    for side in (SQUARE // 2, THUMB):
        strip = np.asarray(cv2.resize(strip, (side, len(strip) // 2), interpolation=cv2.INTER_AREA), np.uint8)
    thumbs = strip.reshape(-1, THUMB, THUMB).astype(np.float32)
    low = (LOW_FREQUENCIES @ thumbs @ LOW_FREQUENCIES.T).reshape(-1, 64)
    bits = low > np.median(low, axis=1, keepdims=True)
    return [row.tobytes().hex() for row in np.packbits(bits, axis=1)]


def _with_face(facts: ImageRecord, face: Face) -> ImageRecord:
    """The facts of a photograph with those of its face."""
    box, marks = face.box, face.landmarks
    if box is None:
        return facts
    points: dict[str, Any] = (
        {} if marks is None else dict(zip(LANDMARK_COLUMNS, marks.ravel().tolist(), strict=True))
    )
    return facts._replace(
        other_faces=face.others,
        face_left=box.left,
        face_top=box.top,
        face_side=box.side,
        face_turned=face.turned,
        face_score=face.score,
        face_quality=face.quality,
        **points,
    )


def _read_image(file: Member, cut: Cut, pixels: Pixels, shrunk: Pixels) -> ImageRecord:
    """Facts of one file; its pixels and its square are written into the rows given."""
    facts = ImageRecord(file.path, len(file.data), hashlib.sha256(file.data).hexdigest())
    try:
        picture, width, height, mode = decode(file.data, "the file", colour=cut.colour or needs_colour(cut.align))
        facts = facts._replace(width=width, height=height, mode=mode)
        frame = picture
        if cut.align != "none":
            started = time.perf_counter()
            face = find_face(picture, "the photograph", cut.smallest_face, cut.align, cut.face)
            frame, facts = face.frame, _with_face(facts, face)
            facts = facts._replace(face_seconds=time.perf_counter() - started)
        pixels[...] = crop_and_resize(frame if cut.colour else grey(frame), cut.crop, cut.size)
    except ImageError as error:
        return facts._replace(problem=_PROBLEMS.get(type(error), UNDECODABLE), error=str(error))
    square(grey(picture), shrunk)
    stored = grey(pixels)
    mean, deviation = cv2.meanStdDev(stored)
    edges = cv2.meanStdDev(cv2.Laplacian(stored, cv2.CV_16S))[1]
    return facts._replace(
        brightness=mean.item() / 255,
        contrast=deviation.item() / 255,
        sharpness=edges.item() ** 2,
    )
