"""From the bytes of an image file to a row of the pixel store and what the manifest says about it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from likeness.data.archive import Member
from likeness.errors import ImageError

Pixels = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM")
MAX_PIXELS = 64_000_000
"""A picture of more pixels is refused by its header, before memory is taken for it."""

FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {
    0xC4,
    0xC8,
    0xCC,
}  # baseline, progressive and so on; three are tables

SQUARE, THUMB = 128, 32
_FREQUENCY, _POSITION = np.ogrid[:8, :THUMB]
LOW_FREQUENCIES = np.cos(np.pi * _FREQUENCY * (2 * _POSITION + 1) / (2 * THUMB)).astype(np.float32)
"""The 8 lowest basis vectors of the DCT-II over 32 samples, unscaled."""


class Facts(NamedTuple):
    """What the manifest holds about one image file; the names are its columns."""

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
    decodable: bool = False
    error: str = ""


def read_images(
    files: Sequence[Member], crop: tuple[int, int] | None, size: tuple[int, int]
) -> tuple[Pixels, list[Facts]]:
    """Decodes, cuts and measures a batch of image files.

    Args:
        files: path and bytes of each.
        crop: height and width of the central window in source pixels, None for the whole picture.
        size: height and width to store.

    Returns:
        Pixels uint8 [N, *size], zero where a file is no usable image, and the facts of each file.
    """
    pixels = np.zeros((len(files), *size), np.uint8)
    squares = np.zeros((len(files), SQUARE, SQUARE), np.uint8)
    facts = [_read_image(file, crop, pixels[row], squares[row]) for row, file in enumerate(files)]
    hashes = perceptual_hashes(squares)
    return pixels, [
        fact._replace(phash=phash) if fact.decodable else fact for fact, phash in zip(facts, hashes, strict=True)
    ]


def decode_grey(data: bytes) -> Pixels:
    """Grey picture uint8 [h, w] of an image file, turned upright where its EXIF tag says so.

    Raises:
        ImageError: the bytes are no complete image of a known format.
    """
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:  # OpenCV has limits of its own
        picture = None
    if picture is None:
        raise ImageError(_why_not_decodable(data))
    return np.asarray(picture, np.uint8)


def cut(picture: Pixels, crop: tuple[int, int] | None, size: tuple[int, int]) -> Pixels:
    """Central crop, then area averaging where that shrinks an axis and bilinear interpolation otherwise.

    Raises:
        ImageError: the picture is smaller than the crop.
    """
    height, width = crop or picture.shape
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    if top < 0 or left < 0:
        found = f"{picture.shape[0]}×{picture.shape[1]}"
        raise ImageError(f"is {found} pixels (height × width), smaller than the crop of {height}×{width}")
    window = picture[top : top + height, left : left + width]
    shrinks = size[0] < height or size[1] < width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(window, (size[1], size[0]), interpolation=method), np.uint8)


def square(picture: Pixels) -> Pixels:
    """The whole picture shrunk to uint8 [128, 128], whatever its proportions, for the perceptual hash.

    Up to twice the size bilinear interpolation leaves no pixel out, at a fifth of the time of area averaging.
    """
    method = cv2.INTER_LINEAR if max(picture.shape) <= 2 * SQUARE else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (SQUARE, SQUARE), interpolation=method), np.uint8)


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


def _read_image(file: Member, crop: tuple[int, int] | None, pixels: Pixels, shrunk: Pixels) -> Facts:
    """Facts of one file; its pixels and its square are written into the rows given."""
    facts = Facts(file.path, len(file.data), hashlib.sha256(file.data).hexdigest())
    try:
        width, height, mode = _read_header(file.data)
        facts = facts._replace(width=width, height=height, mode=mode)
        picture = decode_grey(file.data)
        pixels[...] = cut(picture, crop, (pixels.shape[0], pixels.shape[1]))
    except ImageError as error:
        return facts._replace(error=str(error))
    shrunk[...] = square(picture)
    mean, deviation = cv2.meanStdDev(pixels)
    edges = cv2.meanStdDev(cv2.Laplacian(pixels, cv2.CV_16S))[1]
    return facts._replace(
        width=picture.shape[1],
        height=picture.shape[0],
        brightness=mean.item() / 255,
        contrast=deviation.item() / 255,
        sharpness=edges.item() ** 2,
        decodable=True,
    )


def _read_header(data: bytes) -> tuple[int, int, str]:
    """Width, height and Pillow's mode from the header alone.

    Raises:
        ImageError: the bytes are no image of a known format, or the picture is too large to be decoded.
    """
    width, height, mode = _jpeg_header(data) or _any_header(data)
    if width * height > MAX_PIXELS:
        raise ImageError(f"declares {width} × {height} pixels, more than {MAX_PIXELS}: not decoded")
    return width, height, mode


def _jpeg_header(data: bytes) -> tuple[int, int, str] | None:
    """The frame header of a JPEG (ITU T.81, B.2.2), None where it is not found.

    Pillow reads all tables on the way to it, which takes ten times as long: a fifth of the decoding itself.
    """
    at = 2
    while data.startswith(b"\xff\xd8") and at + 10 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker in FRAME_MARKERS:
            height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
            mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(data[at + 9])
            return (width, height, mode) if mode else None
        at += 2 + length
    return None


def _any_header(data: bytes) -> tuple[int, int, str]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return *image.size, image.mode
    except Image.DecompressionBombError as error:
        raise ImageError(f"declares more than {MAX_PIXELS} pixels: not decoded") from error
    except Exception as error:  # Pillow's readers raise whatever a malformed header makes them raise
        raise ImageError("is no image, or of an unknown format") from error


def _why_not_decodable(data: bytes) -> str:
    """OpenCV does not say why it gives up; Pillow does."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.load()
    except Exception as error:  # the reason is all that is wanted
        return f"cannot be decoded: {error}"
    return "cannot be decoded"
