"""Pixels as PNG, for pages and files."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file of grey [h, w], RGB [h, w, 3] or RGBA [h, w, 4] pixels."""
    if pixels.ndim == 3:  # which OpenCV expects the other way round
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    _, encoded = cv2.imencode(".png", pixels)
    return encoded.tobytes()
