"""Any picture file, from anyone, as an upright gray array; hostile ones are refused before they cost anything.

What is looked at before a pixel is decoded: the number of bytes, the kind of file by its own first bytes (a
name is never trusted), the number of pixels that its header announces, and the number of scans of a
progressive JPEG (each of them costs a pass over all pixels and may be a few bytes long).
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from likeness.errors import ImageError

Gray: TypeAlias = npt.NDArray[np.uint8]
"""uint8 [height, width], 0 black, 255 white, upright."""
Picture: TypeAlias = str | Path | bytes | npt.NDArray[np.uint8]
"""A file's path, a file's bytes, or pixels: gray [h, w], RGB [h, w, 3] or RGBA [h, w, 4]."""

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 4096
"""Larger photographs are reduced to this longer side: no face needs more, and memory stays bounded."""
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".pgm", ".ppm"})
"""What a folder is searched for; the kind of a file is then told by its content."""

_MAX_SCANS = 100  # encoders write about 10
_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"RIFF": "WEBP",
    b"GIF8": "GIF",
    b"P5": "PPM",
    b"P6": "PPM",
}
_UPRIGHT = {  # EXIF orientation -> what undoes it (Exif 2.32, tag 274)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 274
# What Pillow's decoders are known to raise on broken files.
_BROKEN = (OSError, ValueError, TypeError, SyntaxError, EOFError, struct.error, IndexError, KeyError, MemoryError)


def read_gray(picture: Picture, name: str | None = None) -> Gray:
    """The picture, upright and gray, at most 4096 pixels on its longer side.

    Args:
        picture: path, bytes or pixels, see `Picture`.
        name: what a message calls it; by default its path, or "the image".

    Raises:
        ImageError: absent, more than 20 MB or 50 million pixels, no JPEG, PNG, WebP, GIF, PGM or PPM,
            truncated or otherwise broken; the message says which.
    """
    if isinstance(picture, np.ndarray):
        return _from_pixels(picture, name or "the image")
    if isinstance(picture, bytes):
        return _decode(picture, name or "the image")
    path = Path(picture)
    return _decode(_read_file(path), name or str(path))


def _read_file(path: Path) -> bytes:
    """The file's bytes; one byte beyond the limit suffices to know that it is too long."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror or error})") from error


def _decode(data: bytes, name: str) -> Gray:
    kind = _check_bytes(data, name)
    try:
        image = Image.open(io.BytesIO(data), formats=[kind])
        _check_size(image, name)
        orientation = image.getexif().get(_ORIENTATION, 1)
        gray = _to_gray(image)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} announces far more than {MAX_PIXELS:,} pixels, the most that is read") from error
    except _BROKEN as error:
        raise ImageError(
            f"{name} is a broken {kind} file, or cut short ({error}); save or copy it anew"
        ) from error
    gray.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    if orientation in _UPRIGHT:
        gray = gray.transpose(_UPRIGHT[orientation])
    return np.asarray(gray)


def _check_bytes(data: bytes, name: str) -> str:
    """The kind of file, judged by its content.

    Raises:
        ImageError: empty, too long, of no kind that is read, or a JPEG of absurdly many scans.
    """
    if not data:
        raise ImageError(f"{name} is empty")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name} is larger than {MAX_BYTES >> 20} MB, the most that is read; save it smaller")
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None or (kind == "WEBP" and data[8:12] != b"WEBP"):
        raise ImageError(
            f"{name} is no image of a kind that is read (JPEG, PNG, WebP, GIF, PGM, PPM){_hint(data)}"
        )
    # In the compressed data of a JPEG a byte FF is followed by 00 or D0-D7, so FF DA is a scan's beginning.
    if kind == "JPEG" and data.count(b"\xff\xda") > _MAX_SCANS:
        raise ImageError(f"{name} is a JPEG of more than {_MAX_SCANS} scans, which no camera writes; save it anew")
    return kind


def _hint(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "; it looks like HEIC, AVIF or a video: export it as JPEG"
    if data.lstrip()[:1] == b"<":
        return "; it looks like a web page or SVG"
    return "; export it as JPEG or PNG"


def _check_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width}x{height} pixels, of which at most {MAX_PIXELS // 1_000_000} million are read; "
            "save it smaller"
        )
    if min(width, height) < 2:
        raise ImageError(f"{name} has {width}x{height} pixels, which can show nobody")


def _to_gray(image: Image.Image) -> Image.Image:
    """Decodes to 8-bit gray; a JPEG straight to its luminance, and no larger than needed."""
    image.draft("L", (MAX_SIDE, MAX_SIDE))
    image.load()
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_sixteen_bits(np.asarray(image)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("L")


def _sixteen_bits(pixels: npt.NDArray[np.generic]) -> Gray:
    """Upper 8 of 16 bits; Pillow's own conversion would clip at 255."""
    return (np.clip(pixels.astype(np.int32), 0, 65535) >> 8).astype(np.uint8)


def _from_pixels(pixels: npt.NDArray[np.uint8], name: str) -> Gray:
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))):
        raise ImageError(
            f"{name} expected uint8 pixels [h, w], [h, w, 3] or [h, w, 4], "
            f"found {pixels.dtype} {list(pixels.shape)}"
        )
    image = Image.fromarray(pixels)
    _check_size(image, name)
    gray = _to_gray(image)
    gray.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return np.asarray(gray)
