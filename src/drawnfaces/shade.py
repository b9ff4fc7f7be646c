"""Light on the head: lamp and sky, cast shadows, hollows, gloss."""

from __future__ import annotations

import math

import numpy as np

from drawnfaces import exact
from drawnfaces.exact import Map
from drawnfaces.head import EXTENT, NODES, Head, look_up
from drawnfaces.noise import step
from drawnfaces.stage import Stage, lambert, open_sky

_REACHES = (0.05, 0.1, 0.16, 0.24, 0.34)  # distances on the chart at which something may be in the light


def illuminate(head: Head, stage: Stage, u: Map, v: Map) -> tuple[Map, Map]:
    """Light that reaches the points (u, v) of the head's chart, and the gloss that they throw back."""
    lamp, light = stage.lamp, stage.light
    inner = [float(stage.rotation[:, axis].astype(np.float64) @ np.array(lamp)) for axis in range(3)]
    baked = np.dstack([head.normals, _openness(head.relief), _sunlit(head.relief, inner)])
    found = look_up(baked, u, v)
    normal, openness, sunlit = exact.rotate(stage.rotation, found[..., :3]), found[..., 3], found[..., 4]
    towards = normal[..., 0] * lamp[0] + normal[..., 1] * lamp[1]
    facing = towards + normal[..., 2] * lamp[2]
    received = light.lamp * lambert(facing) * sunlit + light.sky * open_sky(normal[..., 1]) * openness
    halfway = (towards + normal[..., 2] * (lamp[2] + 1.0)) / math.sqrt(2.0 + 2.0 * lamp[2])
    return received, light.lamp * light.shine * exact.power(np.clip(halfway, 0.0, 1.0), 18) * sunlit


def _openness(relief: Map) -> Map:
    """How much of the sky a node sees: less in hollows (the relief against its own blurred self)."""
    return np.clip(1.0 - 9.0 * np.maximum(exact.blur(relief, 4.0) - relief, 0.0), 0.35, 1.0)


def _sunlit(relief: Map, lamp: list[float]) -> Map:
    """Share of the lamp's light that passes the bumps around each node, 1 in the open, 0.25 in full shadow."""
    across = math.hypot(lamp[0], lamp[1])
    if across < 0.05:
        return np.ones_like(relief)
    rise = max(lamp[2], 0.15) / across
    height = np.full_like(relief, -1.0)
    for reach in _REACHES:
        nodes = reach * (NODES - 1) / (2 * EXTENT)
        there = exact.shifted(relief, lamp[0] / across * nodes, lamp[1] / across * nodes)
        np.maximum(height, there - relief - reach * rise - reach**2 / 2, out=height)
    return exact.blur(1.0 - 0.75 * step(-0.01, 0.06, height), 1.0)
