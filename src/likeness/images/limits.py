"""What reading one picture may cost at most; checked before the memory is taken and the work is done."""

from __future__ import annotations

from likeness.errors import ImageError

MAX_BYTES = 32 << 20
"""Of a file; a photograph of 50 megapixels takes about 20 MB."""
MAX_PIXELS = 64_000_000
MAX_SIDE = 4096
"""A larger picture is reduced to this longer side after decoding: no face needs more."""
MAX_DECODED = 400 << 20
"""Bytes that a decoder may hold of one picture."""
MAX_SCANS = 100
"""Of a JPEG; encoders write about ten. Each is a pass over all pixels, and may be a few bytes long. Counted only
where as many as the file has room for would matter."""
MAX_SCANNED = 10 * MAX_PIXELS
"""Pixels times scans of a JPEG, each scan counted as `SCAN_START` pixels more."""
SCAN_START = 1 << 16
MIN_SIDE = 2


def check_bytes(count: int, name: str) -> None:
    """Refuses a file that is empty or too long.

    Raises:
        ImageError: it is.
    """
    if not count:
        raise ImageError(f"{name} is empty")
    if count > MAX_BYTES:
        raise ImageError(f"{name} is larger than {MAX_BYTES >> 20} MB, the most that is read; save it smaller")


def check_size(width: int, height: int, name: str, bytes_a_pixel: float = 3.0) -> None:
    """Refuses a picture of too many pixels, or of so few that it can show nobody.

    Args:
        width: in pixels, as the decoder announces it.
        height: likewise.
        name: what the message calls it.
        bytes_a_pixel: that the decoder will hold.

    Raises:
        ImageError: it is too large or too small.
    """
    if width * height > MAX_PIXELS or width * height * bytes_a_pixel > MAX_DECODED:
        raise ImageError(
            f"{name} announces {width}×{height} pixels, more than is read ({MAX_PIXELS // 1_000_000} million "
            f"pixels, {MAX_DECODED >> 20} MB decoded): not decoded; save it smaller"
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{name} has {width}×{height} pixels, which can show nobody")


def scans_matter(most: int, width: int, height: int) -> bool:
    """Whether `most` scans would cost more than is allowed, so that they have to be counted."""
    return most * (width * height + SCAN_START) > MAX_SCANNED


def check_scans(scans: int, width: int, height: int, name: str) -> None:
    """Refuses a JPEG whose scans cost more than those of any camera.

    Raises:
        ImageError: it has too many.
    """
    if scans > MAX_SCANS or scans_matter(scans, width, height):
        raise ImageError(
            f"{name} is a JPEG of {scans} scans at {width}×{height} pixels, which no camera writes: not decoded; "
            "save it again"
        )
