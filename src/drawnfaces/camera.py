"""From light to file: exposure, blur, noise, JPEG."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from drawnfaces import exact
from drawnfaces.capture import Camera
from drawnfaces.exact import Map

_GAMMA = 1 / 2.2
_SPREAD = 0.225  # deviation of the tones that automatic exposure aims at


def develop(scene: Map, camera: Camera) -> npt.NDArray[np.uint8]:
    """Linear light [h, w] to gray levels, uint8 [h, w]."""
    scene = _defocus(scene, camera)
    tones = exact.power(np.clip(scene, 0.0, None), _GAMMA)
    middle = tones[40:210, 40:210]
    spread = max(0.06, exact.deviation(middle))
    tones = (tones - np.float32(exact.mean(middle))) * np.float32(camera.contrast * (_SPREAD / spread) ** 0.7)
    levels = 255.0 * (camera.exposure + tones)
    rng = np.random.default_rng(camera.grain)
    levels = levels + np.float32(camera.noise) * rng.standard_normal(scene.shape, dtype=np.float32)
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)


def encode(levels: npt.NDArray[np.uint8], quality: int) -> bytes:
    """A baseline gray JPEG."""
    _, buffer = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(buffer)


def _defocus(scene: Map, camera: Camera) -> Map:
    scene = exact.blur(scene, camera.blur)
    if camera.motion < 1.0:
        return scene
    kernel = np.zeros((9, 9), np.float32)
    x, y = camera.motion / 2 * math.cos(camera.motion_angle), camera.motion / 2 * math.sin(camera.motion_angle)
    ends = [(round(16 * (4 + s * x)), round(16 * (4 + s * y))) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return exact.filtered(scene, kernel / kernel.sum())
