"""Pixels pictures and heat maps as PNG, for pages and files."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from likeness.images import Pixels, rgb


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file of grey [h, w], RGB [h, w, 3] or RGBA [h, w, 4] pixels."""
    if pixels.ndim == 3:  # which OpenCV expects the other way round
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    _, encoded = cv2.imencode(".png", pixels)
    return encoded.tobytes()


def heat_layer(heat: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """A layer to be laid over a face: colour by how much a place counted, transparent where it did not.

    Args:
        heat: [H, W] in [0, 1], 1 where a place counted most.

    Returns:
        uint8 [H, W, 4], RGBA.
    """
    values = np.clip(heat, 0, 1)
    colours = cv2.applyColorMap((255 * values).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = (200 * np.sqrt(values)).astype(np.uint8)
    return np.dstack([colours, opacity])


def under_heat(face: Pixels, heat: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """A face uint8 [H, W] or [H, W, 3] with its heat map laid over it, RGB uint8 [H, W, 3]."""
    layer = heat_layer(heat)
    opacity = layer[..., 3:].astype(np.float32) / 255
    mixed = rgb(face) * (1 - opacity) + layer[..., :3] * opacity
    return np.asarray(mixed.round(), dtype=np.uint8)
