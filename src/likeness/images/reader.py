"""From the bytes of any image file to upright pixels: one decoder a format, for training and for use.

JPEG goes through libjpeg-turbo (simplejpeg), which announces the very size that it decodes and reports damage
inside; everything else through Pillow. What a picture may cost is in `limits`.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image as Pillow

from likeness.errors import ImageError
from likeness.images import jpeg
from likeness.images.exif_orientation import ORIENTATION, orientation_of, upright
from likeness.images.formats import kind_of
from likeness.images.geometry import Pixels, reduced, rgb
from likeness.images.limits import MAX_BYTES, MAX_SIDE, check_bytes, check_scans, check_size, scans_matter

__all__ = ["Decoded", "Image", "Pixels", "decode", "read_image", "work"]

Image: TypeAlias = str | Path | bytes | npt.NDArray[np.uint8] | Pillow.Image
"""A file's path, a file's bytes, a Pillow image, or pixels: grey [h, w], RGB [h, w, 3] or RGBA [h, w, 4]."""

_INKS = ("CMYK", "YCCK")
_SAMPLES = {"Gray": 1, "444": 3, "422": 2, "440": 2}  # a pixel; of other samplings at most 1.5
# What Pillow's decoders are known to raise on broken files.
_BROKEN = (OSError, ValueError, TypeError, RuntimeError, SyntaxError, EOFError, struct.error, IndexError, KeyError)
_ROWS = 512  # composed over white at a time


class Decoded(NamedTuple):
    """A picture and what its file says of it.

    Attributes:
        pixels: uint8 [h, w] or [h, w, 3], upright, at most 4096 pixels on its longer side.
        width: of the upright picture as it is in the file.
        height: likewise.
        mode: Pillow's name of the file's colours, such as L, RGB or CMYK.
    """

    pixels: Pixels
    width: int
    height: int
    mode: str


def read_image(image: Image, name: str | None = None, *, colour: bool = False) -> Pixels:
    """Upright pixels of a picture in any form.

    Args:
        image: see `Image`.
        name: what a message calls it; by default its path, or "the image".
        colour: RGB instead of grey.

    Raises:
        ImageError: it is absent, too large, of a kind that is not read, truncated or damaged; the message says
            which, and what to do.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image, name or "the image", colour)
    if isinstance(image, Pillow.Image):
        return _from_pillow(image, name or "the image", colour)
    if isinstance(image, bytes):
        return decode(image, name or "the image", colour=colour).pixels
    path = Path(image)
    return decode(_read_file(path), name or str(path), colour=colour).pixels


def decode(data: bytes, name: str = "the image", *, colour: bool = False) -> Decoded:
    """Decodes the bytes of an image file.

    Args:
        data: the whole file.
        name: what a message calls it.
        colour: RGB instead of grey; of a JPEG grey is its luminance.

    Raises:
        ImageError: as for `read_image`.
    """
    check_bytes(len(data), name)
    kind = kind_of(data, name)
    try:
        return _decode_jpeg(data, name, colour) if kind == "JPEG" else _decode_any(data, kind, name, colour)
    except Pillow.DecompressionBombError as error:
        raise ImageError(
            f"{name} announces far more pixels than are read: not decoded; save it smaller"
        ) from error
    except MemoryError as error:
        raise ImageError(f"{name} needs more memory than there is: not decoded; save it smaller") from error
    except _BROKEN as error:
        raise ImageError(
            f"{name} is a broken {kind} file, or cut short ({' '.join(str(error).split())}); save or copy it again"
        ) from error


def work(data: bytes) -> int:
    """What decoding a file costs, as its header announces: pixels, counted once for each scan of a JPEG.

    A file that cannot be read costs nothing, since its reading ends at the header.
    """
    try:
        if (kind := kind_of(data, "")) != "JPEG":
            with _opened(data, kind) as image:
                return image.width * image.height
        height, width, *_ = simplejpeg.decode_jpeg_header(data, strict=False)
        return int(height * width) * (jpeg.scans(data) if jpeg.header(data).progressive else 1)
    except (ImageError, MemoryError, Pillow.DecompressionBombError, *_BROKEN):
        return 0


def _read_file(path: Path) -> bytes:
    """The file's bytes; one byte beyond the limit suffices to know that it is too long."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except IsADirectoryError as error:
        raise ImageError(f"{path} is a folder, and no photograph of it was found") from error
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror or error})") from error


def _decode_jpeg(data: bytes, name: str, colour: bool) -> Decoded:
    height, width, space, sampling = simplejpeg.decode_jpeg_header(data, strict=False)
    inks = space in _INKS
    header = jpeg.header(data)
    kept = 2 * _SAMPLES.get(sampling, 4 if inks else 1.5) if header.progressive else 0  # coefficients of 16 bits
    check_size(width, height, name, kept + (12 if inks else 3 if colour else 1))
    if scans_matter(len(data) // jpeg.SHORTEST_SCAN, width, height):
        check_scans(jpeg.scans(data), width, height, name)
    try:
        pixels = simplejpeg.decode_jpeg(data, "CMYK" if inks else "RGB" if colour else "GRAY")
    except ValueError as error:
        raise ImageError(f"{name} is a damaged JPEG file ({error}); save or copy it again") from error
    if inks:
        np.invert(pixels, out=pixels)  # as Adobe's programs write them
        pixels = _to_pixels(Pillow.fromarray(pixels, "CMYK"), colour)
    elif not colour:
        pixels = pixels[..., 0]
    return _finished(pixels, orientation_of(header.exif), "CMYK" if inks else "L" if space == "Gray" else "RGB")


def _decode_any(data: bytes, kind: str, name: str, colour: bool) -> Decoded:
    with _opened(data, kind) as image:
        check_size(*image.size, name, 2 * len(image.getbands()))
        mode = image.mode
        image.load()
        orientation = image.getexif().get(ORIENTATION, 1)
        return _finished(_to_pixels(image, colour), orientation, mode)


def _opened(data: bytes, kind: str) -> Pillow.Image:
    """The picture of a file, its header read."""
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    return Pillow.open(io.BytesIO(data), formats=[kind])


def _finished(pixels: Pixels, orientation: int, mode: str) -> Decoded:
    turned = upright(pixels, orientation)
    return Decoded(reduced(turned, MAX_SIDE), turned.shape[1], turned.shape[0], mode)


def _to_pixels(image: Pillow.Image, colour: bool) -> Pixels:
    """8-bit grey or RGB; transparent parts over white."""
    if image.mode.startswith("I") or image.mode == "F":
        grey = _upper_bits(np.asarray(image))
        return rgb(grey) if colour else grey
    plain = "RGB" if colour else "L"
    if image.has_transparency_data:
        return _over_white(image.convert("RGBA"), plain)
    return np.asarray(image.convert(plain))


def _over_white(image: Pillow.Image, mode: str) -> Pixels:
    """Some rows at a time, so that no second picture is held."""
    parts = []
    for top in range(0, image.height, _ROWS):
        rows = image.crop((0, top, image.width, min(top + _ROWS, image.height)))
        parts.append(
            np.asarray(Pillow.alpha_composite(Pillow.new("RGBA", rows.size, "white"), rows).convert(mode))
        )
    return np.concatenate(parts)


def _upper_bits(pixels: npt.NDArray[np.generic]) -> Pixels:
    """Upper 8 of 16 bits; Pillow's own conversion would clip at 255."""
    return (np.clip(pixels.astype(np.int32), 0, 65535) >> 8).astype(np.uint8)


def _from_array(pixels: npt.NDArray[np.uint8], name: str, colour: bool) -> Pixels:
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))):
        raise ImageError(
            f"{name} expected uint8 pixels [h, w], [h, w, 3] or [h, w, 4], "
            f"found {pixels.dtype} {list(pixels.shape)}"
        )
    return _from_pillow(Pillow.fromarray(pixels), name, colour)


def _from_pillow(image: Pillow.Image, name: str, colour: bool) -> Pixels:
    check_size(*image.size, name, 2 * len(image.getbands()))
    try:
        pixels = _to_pixels(image, colour)
        return reduced(upright(pixels, image.getexif().get(ORIENTATION, 1)), MAX_SIDE)
    except _BROKEN as error:
        raise ImageError(f"{name} cannot be decoded ({error}); save or copy it again") from error
