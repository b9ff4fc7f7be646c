"""EXIF orientation: how a camera was held, read from a photograph's tags and undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image as Pillow

from likeness.images.geometry import Pixels

ORIENTATION = 274
"""The tag (Exif 2.32)."""


def orientation_of(exif: bytes) -> int:
    """The orientation, 1 to 8, in EXIF data; 1 where there is none or it cannot be read."""
    if not exif:
        return 1
    try:
        tags = Pillow.Exif()
        tags.load(exif)
        return int(tags.get(ORIENTATION, 1))
    except Exception:  # Pillow's parser raises whatever malformed tags make it raise
        return 1


def upright(picture: Pixels, orientation: int) -> Pixels:
    """Undoes an orientation: 1 to 8; any other value counts as 1."""
    undo = _UNDO.get(orientation)
    return np.ascontiguousarray(undo(picture)) if undo else picture


_UNDO: Mapping[int, Callable[[Pixels], Pixels]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: np.swapaxes(p, 0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(np.swapaxes(p, 0, 1), 2),
    8: lambda p: np.rot90(p),
}
