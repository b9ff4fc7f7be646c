"""Bare skin: complexion, pores, freckles, moles, red cheeks."""

from __future__ import annotations

import numpy as np

from drawnfaces.exact import Map
from drawnfaces.identity import Skin
from drawnfaces.noise import bell, clouds, grain, sample, step


def paint_skin(skin: Skin, u: Map, v: Map) -> Map:
    """Tone of bare skin at (u, v) of the chart."""
    blotches = sample(clouds(), 45.0 * u, 45.0 * v)
    pores = sample(grain(), 75.0 * u, 75.0 * v)
    tone = skin.tone * (1.0 + 0.045 * blotches + (0.02 + 0.03 * skin.wrinkles) * pores)
    cheeks = bell(np.abs(u) - 0.6, 0.28) * bell(v - 0.42, 0.25) + bell(u, 0.14) * bell(v - 0.4, 0.14)
    tone = tone * (1.0 - 0.09 * cheeks)
    if skin.freckles:
        spots = step(1.25, 1.9, sample(grain(), 31.0 * u + 11.0, 31.0 * v))
        tone = tone * (1.0 - 0.4 * skin.freckles * spots * bell(np.abs(u) - 0.35, 0.45) * bell(v - 0.3, 0.3))
    for mole in skin.moles:
        away = np.sqrt((u - mole.u) ** 2 + (v - mole.v) ** 2)
        tone = tone * (1.0 - 0.72 * step(1.3 * mole.radius, 0.6 * mole.radius, away))
    return np.asarray(tone, np.float32)
