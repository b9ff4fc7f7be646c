"""Glasses, clear or dark, set on the nose in three dimensions."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from drawnfaces import exact
from drawnfaces.exact import Map
from drawnfaces.identity import Glasses, Identity
from drawnfaces.noise import mix
from drawnfaces.stage import Stage

_FINE = 4  # bits of the fractional pixel that cv2 draws with


def paint_glasses(scene: Map, stage: Stage, identity: Identity, frame: Glasses, dark: bool) -> None:
    """Paints rims, bridge, temples and the glass, clear or `dark`."""
    rims = [_pixels(stage, _rim(identity, frame, side)) for side in (-1.0, 1.0)]
    lens = np.zeros_like(scene)
    cv2.fillPoly(lens, rims, 1.0, cv2.LINE_AA, _FINE)
    glazed = _glass(scene, lens, dark)
    wire = np.zeros_like(scene)
    thick = max(1, round(frame.rim))
    cv2.polylines(wire, rims, True, 1.0, thick, cv2.LINE_AA, _FINE)
    arms = [_temple(identity, frame, side) for side in (-1.0, 1.0) if stage.seen(side, 0.0, 0.1)[2] > -0.25]
    lines = [_pixels(stage, line) for line in (_bridge(identity, frame), *arms)]
    cv2.polylines(wire, lines, False, 1.0, thick, cv2.LINE_AA, _FINE)
    shadow = exact.blur(np.roll(wire, 3, axis=0), 2.0)
    scene[:] = mix(glazed * (1.0 - 0.3 * np.clip(shadow, 0.0, 1.0)), frame.tone, wire * min(1.0, frame.rim))


def _glass(scene: Map, lens: Map, dark: bool) -> Map:
    """The lens absorbs a little light, or most of it, and mirrors the sky in its upper part."""
    rows = np.linspace(0.0, 1.0, scene.shape[0], dtype=np.float32)[:, None]
    mirror = np.clip(0.5 - rows, 0.0, 1.0)
    if dark:
        return mix(scene, 0.02 + 0.12 * mirror, 0.93 * lens)
    return mix(scene, scene * 0.93 + 0.05 * mirror, lens)


def _rim(identity: Identity, frame: Glasses, side: float) -> npt.NDArray[np.float64]:
    """A superellipse before the eye, [48, 3] in head coordinates."""
    turn = np.linspace(0.0, 2.0 * math.pi, 48, endpoint=False)
    power = 2.0 / frame.squareness
    x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * frame.width
    y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power * frame.height
    x = side * (0.86 * identity.eyes.spacing + 0.02) + x
    return np.stack([x, y + 0.05, 1.02 - 0.35 * x * x], axis=1)


def _bridge(identity: Identity, frame: Glasses) -> npt.NDArray[np.float64]:
    half = max(0.03, 0.86 * identity.eyes.spacing + 0.02 - frame.width)
    x = np.linspace(-half, half, 7)
    return np.stack([x, -0.04 - 0.04 * np.cos(x / half * math.pi / 2), np.full(7, 1.04)], axis=1)


def _temple(identity: Identity, frame: Glasses, side: float) -> npt.NDArray[np.float64]:
    start = 0.86 * identity.eyes.spacing + 0.02 + frame.width
    half = 0.76 * identity.skull.width
    return np.array(
        [[side * start, -0.05, 1.02 - 0.35 * start**2], [side * half, -0.04, 0.45], [side * half, 0.0, 0.0]]
    )


def _pixels(stage: Stage, points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Points of the head as cv2's fixed-point picture coordinates, [n, 1, 2]."""
    seen = points @ stage.rotation.astype(np.float64).T
    corner = np.array([stage.x[0, 0], stage.y[0, 0]], np.float64)
    return np.asarray(np.round((seen[:, :2] - corner) * stage.pixels * 2**_FINE), np.int32)[:, None, :]
