"""Neck, shoulders and ears: soft flat shapes around the solid head."""

from __future__ import annotations

import numpy as np

from drawnfaces.capture import Look
from drawnfaces.chance import Chance
from drawnfaces.clothes import paint_clothes
from drawnfaces.exact import Map
from drawnfaces.identity import Identity
from drawnfaces.noise import bell, mix, step
from drawnfaces.stage import SOFT, Stage, lay


def paint_body(scene: Map, stage: Stage, identity: Identity, look: Look) -> None:
    """Paints the neck, then clothes over shoulders and chest."""
    axis_x, axis_y, _ = stage.seen(0.0, 0.75, -0.3)
    window, part = stage.within(-9.0, 0.2, 9.0, 9.0)
    x, y = part.x - 0.75 * axis_x, part.y - 0.5 * (axis_y - 0.75)
    skin = _neck(scene[window], part, identity, x, y)
    scene[window] = paint_clothes(skin, part, identity.skull, Chance(look.dress), x, y)


def _neck(part: Map, stage: Stage, identity: Identity, x: Map, y: Map) -> Map:
    """A column that flares into the shoulders, in the shadow of the chin."""
    side = np.abs(x)
    half = identity.skull.neck + 0.5 * step(1.0, 1.75, y) ** 2
    under_chin = 0.22 + 0.78 * step(0.95, 1.75, y + 0.3 * side)
    sinews = 1.0 - 0.12 * bell(side - 0.25 * (1.9 - y), 0.06) * step(1.0, 1.4, y)
    light = stage.lit(0.85 * np.clip(x / half, -1.0, 1.0)) * under_chin * sinews
    return mix(part, 0.92 * identity.skin.tone * light, step(SOFT, -SOFT, side - half) * step(0.3, 0.4, y))


def paint_ears(scene: Map, stage: Stage, identity: Identity, near: bool) -> None:
    """Paints the ears that face the camera (`near`, after the head) or those that do not; long hair hides both."""
    if identity.hair.length > 0.3:
        return
    for side in (-1.0, 1.0):
        towards = stage.seen(side * 0.95, 0.0, 0.05)[2]
        if (towards > 0.12) == near:
            _ear(scene, stage, identity, side, towards)


def _ear(scene: Map, stage: Stage, identity: Identity, side: float, towards: float) -> None:
    """A leaning egg with a rim and a bowl, the wider the more it turns `towards` the camera (-1 to 1)."""
    skull = identity.skull
    x, y, _ = stage.seen(side * (0.725 * skull.width + 0.3 * skull.ear_spread), 0.16, -0.08)
    tall = skull.ear_size
    wide = tall * (0.34 + 0.45 * max(0.0, towards) + 2.0 * skull.ear_spread * (1.0 - abs(towards)))
    window, part = stage.within(x - 0.5, y - 0.4, x + 0.5, y + 0.4)
    b = (part.y - y) / tall
    a = (side * (part.x - x) + 0.22 * (part.y - y)) / wide * (1.0 + 0.35 * np.clip(b, -1.0, 1.0))
    radius = np.sqrt(a * a + b * b)
    relief = 0.85 - 0.5 * bell(a - 0.05, 0.55) * bell(b + 0.05, 0.5) + 0.15 * bell(radius - 0.82, 0.14)
    light = part.lit(0.75 * side * np.clip(radius, 0.0, 1.0))
    lay(scene, window, identity.skin.tone * light * relief, step(1.06, 0.94, radius))
