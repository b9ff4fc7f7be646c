"""A decision as one picture: the two crops that the network saw, and below them where it looked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from likeness.files import atomic_path
from likeness.images import rgb
from likeness.images.heat_overlay import HeatMap, under_heat

_HEIGHT = 210  # of each crop in the picture, in pixels
_GAP = 6

Picture = NDArray[np.uint8]


def decision_picture(crops: tuple[Picture, Picture], maps: tuple[HeatMap, HeatMap]) -> Picture:
    """Two rows of two: crops above, the same crops under their heat maps below.

    Args:
        crops: uint8 [H, W] or RGB [H, W, 3] each.
        maps: float32 [H, W] in [0, 1] each.

    Returns:
        RGB uint8 [2·210 + 6, ., 3] on white.
    """
    plain = [rgb(_enlarged(crop)) for crop in crops]
    heated = [under_heat(_enlarged(crop), _enlarged(heat)) for crop, heat in zip(crops, maps, strict=True)]
    rows = [_joined(row, axis=1) for row in (plain, heated)]
    return _joined(rows, axis=0)


def save_picture(path: Path, picture: Picture) -> None:
    """Writes an RGB picture as PNG, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")


def _enlarged(plane: NDArray[Any]) -> NDArray[Any]:
    width = round(plane.shape[1] * _HEIGHT / plane.shape[0])
    return np.asarray(cv2.resize(np.asarray(plane), (width, _HEIGHT), interpolation=cv2.INTER_CUBIC))


def _joined(parts: list[Picture], axis: int) -> Picture:
    shape = list(parts[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    return np.concatenate([parts[0], gap, parts[1]], axis=axis)
