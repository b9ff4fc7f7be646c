"""Pictures for the tests of serving: a real face that needs no download, and hostile files."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage import data

Pixels = npt.NDArray[np.uint8]


@cache
def portrait() -> Pixels:
    """NASA's portrait of Eileen Collins, RGB uint8 [512, 512, 3], which scikit-image carries."""
    return np.asarray(data.astronaut(), dtype=np.uint8)


def two_people() -> Pixels:
    """The portrait beside itself at 0.7 of its size, RGB uint8 [512, 900, 3]."""
    scene = np.full((512, 900, 3), 200, dtype=np.uint8)
    scene[:, :512] = portrait()
    scene[100:458, 530:888] = cv2.resize(portrait(), (358, 358), interpolation=cv2.INTER_AREA)
    return scene


def other_portrait() -> Pixels:
    """A face that is not quite the portrait's: mirrored, stretched and darkened, RGB uint8 [540, 430, 3]."""
    stretched = cv2.resize(portrait()[:, ::-1], (430, 540), interpolation=cv2.INTER_AREA)
    return np.asarray(stretched * 0.6, dtype=np.uint8)


def encoded(pixels: Pixels, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of an image file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG file whose header announces `width` by `height` pixels, with ten rows of them."""
    body = zlib.compress(bytes(1 + width) * 10)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
