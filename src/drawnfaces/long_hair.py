"""Hair that hangs down beside face and neck."""

from __future__ import annotations

import numpy as np

from drawnfaces import exact
from drawnfaces.exact import Map
from drawnfaces.identity import Hair, Skull
from drawnfaces.noise import clouds, sample, step, strands
from drawnfaces.stage import SOFT, Stage, lay


def paint_long_hair(scene: Map, stage: Stage, hair: Hair, skull: Skull, before: bool) -> None:
    """Paints what hangs behind the neck, or (`before`) beside the face and over the shoulders."""
    if hair.length < 0.15:
        return
    middle, _, _ = stage.seen(0.0, 0.2, -0.25)
    window, part = stage.within(middle - 1.5, -0.6, middle + 1.5, 2.3)
    x, y = part.x - middle, part.y
    side, temple = np.abs(x), 0.74 * skull.width
    wave = 0.05 * hair.curl * exact.sin(9.0 * y + 2.0 * np.sign(x)) + 0.03 * sample(clouds(), 9.0 * x, 25.0 * y)
    swell = 0.12 * step(0.2, 1.4, y) + 0.2 * hair.curl * step(-0.6, 0.5, y)
    outer = temple + hair.sides + 0.06 + swell + wave
    lock = sample(strands(), 105.0 * (x + 0.4 * wave) + 31.0, 40.0 * y)
    tips = 0.6 + 1.3 * hair.length + 0.03 * lock + 0.1 * sample(clouds(), 14.0 * x, 5.0 * y)
    cover = step(SOFT, -SOFT, side - outer) * step(-0.55, -0.15, y) * step(0.12, -0.08, y - tips)
    light = part.lit(np.clip(0.8 * x / outer, -0.9, 0.9), -0.1)
    tone = hair.tone * np.clip(0.9 + 0.4 * lock, 0.2, 2.2) * light
    if not before:
        lay(scene, window, 0.55 * tone, cover)
        return
    inner = temple - 0.06 + 0.08 * step(0.0, 0.9, y) - 0.22 * step(0.9, 1.7, y) + 0.6 * wave
    far_side = step(0.1, 0.35, float(part.rotation[0, 2]) * np.sign(x))  # there the face is in front of the hair
    lay(scene, window, tone, cover * step(-SOFT, SOFT, side - inner) * step(-0.3, 0.05, y) * (1.0 - far_side))
