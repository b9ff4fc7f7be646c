"""One ray a pixel, followed until it meets the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from drawnfaces.exact import Map
from drawnfaces.head import Head, Vectors, look_up, profile_at
from drawnfaces.noise import step

_COARSE_ROUNDS, _FINE_ROUNDS = 16, 8  # at half and at full resolution
_STRIDE = np.float32(0.03)  # rays that graze the head would creep for ever; only the last rounds are exact


@dataclass(frozen=True)
class Sight:
    """What the rays met, one entry a pixel: place on the chart, share of the pixel covered (0 to 1)."""

    u: Map
    v: Map
    cover: Map


def cast(head: Head, rotation: Vectors, x: Map, y: Map) -> Sight:
    """Follows the parallel rays through (x, y) of the picture plane until they meet the head.

    Sphere tracing, every fourth ray first: each advances by a share of its distance to the surface, which it
    never passes, and its neighbours start from where it came to.

    Args:
        head: the solid.
        rotation: [3, 3], head coordinates to picture coordinates.
        x: picture coordinates of the pixels in half heads, origin at the head's middle.
        y: likewise.
    """
    coarse = _advance(head, rotation, x[::2, ::2], y[::2, ::2], np.full_like(x[::2, ::2], 1.45), _COARSE_ROUNDS)
    front = cv2.dilate(coarse.depth, np.ones((3, 3), np.uint8)) + np.float32(0.02)
    start = np.repeat(np.repeat(front, 2, axis=0), 2, axis=1)[: x.shape[0], : x.shape[1]]
    fine = _advance(head, rotation, x, y, start, _FINE_ROUNDS)
    cover = step(0.035, 0.008, fine.nearest)  # closed, because rays that graze nose or hair may come too short
    return Sight(fine.u, fine.v, cv2.morphologyEx(cover, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)))


class _March(NamedTuple):
    """Where rays came nearest to the surface: chart position, depth, and that distance."""

    u: Map
    v: Map
    depth: Map
    nearest: Map


def _advance(head: Head, rotation: Vectors, x: Map, y: Map, depth: Map, rounds: int) -> _March:
    base = [rotation[0, axis] * x + rotation[1, axis] * y for axis in range(3)]
    met = _March(depth, depth, depth, np.full_like(x, 9.0))
    for count in range(rounds):
        u, v, gap = _gap(head, *(base[axis] + rotation[2, axis] * depth for axis in range(3)))
        distance = np.abs(gap)
        nearer = distance < met.nearest
        met = _March(*(np.where(nearer, new, old) for new, old in zip((u, v, depth, distance), met, strict=True)))
        pace = np.float32(0.75) * gap
        if count < rounds - 4:
            pace = np.where(gap > 0, np.maximum(pace, _STRIDE), pace)
        depth = depth - pace
    return met


def _gap(head: Head, x: Map, y: Map, z: Map) -> tuple[Map, Map, Map]:
    """Chart position and (roughly) distance from the surface of points in head coordinates."""
    high, low = head.height
    n_y = np.where(y < 0, y * np.float32(1 / high), y * np.float32(1 / low))
    pressed = profile_at(head.profile, n_y)
    n_x, n_z = x * pressed[..., 0], (z - pressed[..., 2]) * pressed[..., 1]
    radius = np.sqrt(n_x * n_x + n_y * n_y + n_z * n_z)
    scale = 2.0 / np.maximum(radius + n_z, np.float32(1e-3))
    u, v = n_x * scale, n_y * scale
    return u, v, radius - 1.0 - look_up(head.relief, u, v)
