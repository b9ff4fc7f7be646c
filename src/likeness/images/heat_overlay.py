"""A heat map laid over a picture: the same in a report, on the page of the service and from the command line."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from likeness.images.geometry import rgb
from likeness.images.reader import Pixels

HeatMap = npt.NDArray[np.float32]
"""[H, W] in [0, 1], 1 where a place counted most."""


def heat_layer(heat: HeatMap) -> npt.NDArray[np.uint8]:
    """A layer to be laid over a face: colour by how much a place counted, transparent where it did not.

    Args:
        heat: of the face.

    Returns:
        uint8 [H, W, 4], RGBA.
    """
    values = np.clip(heat, 0, 1)
    colours = cv2.applyColorMap((255 * values).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = (200 * np.sqrt(values)).astype(np.uint8)
    return np.dstack([colours, opacity])


def under_heat(face: Pixels, heat: HeatMap) -> npt.NDArray[np.uint8]:
    """A face uint8 [H, W] or [H, W, 3] with its heat map laid over it, RGB uint8 [H, W, 3]."""
    layer = heat_layer(heat)
    opacity = layer[..., 3:].astype(np.float32) / 255
    mixed = rgb(face) * (1 - opacity) + layer[..., :3] * opacity
    return np.asarray(mixed.round(), dtype=np.uint8)
