"""Packs a pixel store for transfer to a machine to which only tens of megabytes can be sent.

Neighbouring pixels of a face are nearly equal, so their differences deflate to little more than half of the pixels
(which themselves hardly deflate at all). Nothing is lost.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from likeness.artifacts.manifest import PIXELS
from likeness.data.digests import write_digests
from likeness.files import atomic_path

_PACKED = "pixels.npz"


def pack(faces: Path, out: Path, rows: npt.NDArray[np.int64]) -> None:
    """Copies a store with its pixels packed.

    Args:
        faces: the store.
        out: folder for the copy.
        rows: int64 [M], the pictures that are needed; the others are packed as black ones, and cost nothing.
    """
    pixels = np.load(faces / PIXELS, mmap_mode="r")
    needed = np.zeros_like(pixels)
    needed[rows] = pixels[rows]
    shutil.copytree(faces, out, ignore=shutil.ignore_patterns(PIXELS), dirs_exist_ok=True)
    with atomic_path(out / _PACKED) as path, path.open("wb") as file:
        np.savez_compressed(file, differences=differences(needed))


def unpack(faces: Path) -> None:
    """Writes the pixels of a packed store in the place of the packed ones, and the digests again.

    Nothing happens to a store that is not packed.
    """
    if not (faces / _PACKED).exists():
        return
    with np.load(faces / _PACKED) as packed:
        pixels = summed(packed["differences"])
    with atomic_path(faces / PIXELS) as path, path.open("wb") as file:
        np.save(file, pixels)
    (faces / _PACKED).unlink()
    write_digests(faces)  # pictures that were not needed have become black


def differences(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Of each pixel from its left neighbour, modulo 256; uint8 [N, H, W] to the same shape."""
    left = np.zeros_like(pixels)
    left[..., 1:] = pixels[..., :-1]
    return np.asarray(pixels - left, np.uint8)


def summed(differing: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The pixels that `differences` were taken of."""
    return np.asarray(np.add.accumulate(differing, axis=-1, dtype=np.uint8))
