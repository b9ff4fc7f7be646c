"""The segments of a JPEG file (ITU T.81, annex B): its kind, its EXIF data, and how many scans it has.

Every length is held against the bytes that are there, and what follows the end of the image (a video, in the
"motion photographs" of many phones) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SHORTEST_SCAN = 10
"""Bytes of the marker and the header of a scan, without which there is none."""
_SOS, _EOI, _APP1 = 0xDA, 0xD9, 0xE1
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_EXIF = b"Exif\0\0"


class Header(NamedTuple):
    """What the segments before the first scan say.

    Attributes:
        progressive: whether the decoder holds the coefficients of the whole picture.
        exif: the EXIF data with its identifier, as Pillow takes it; empty where there is none.
    """

    progressive: bool
    exif: bytes


def header(data: bytes) -> Header:
    """Reads the segments before the first scan."""
    progressive, exif = False, b""
    for marker, start, end in _segments(data):
        if marker == _SOS:
            break
        if marker in _PROGRESSIVE:
            progressive = True
        elif marker == _APP1 and not exif and data.startswith(_EXIF, start):
            exif = data[start:end]
    return Header(progressive, exif)


def scans(data: bytes) -> int:
    """How many scans the image has, up to its end.

    In the data of a scan a byte FF is followed by 00 or by D0 to D7, so that a marker in between ends it.
    """
    return sum(marker == _SOS for marker, _, _ in _segments(data))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the content of each segment, until the end of the image or of the bytes."""
    at = 2
    while found := _NEXT_MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == _EOI:
            return
        if marker in _ALONE:
            continue
        end = at + int.from_bytes(data[at : at + 2])
        yield marker, at + 2, min(end, len(data))
        at = max(end, at + 2)
