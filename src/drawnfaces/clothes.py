"""Clothes: they change from photograph to photograph and say nothing about who wears them."""

from __future__ import annotations

import numpy as np

from drawnfaces import exact
from drawnfaces.chance import Chance
from drawnfaces.exact import Map
from drawnfaces.identity import Skull
from drawnfaces.noise import bell, clouds, grain, mix, sample, step
from drawnfaces.stage import SOFT, Stage


def paint_clothes(part: Map, stage: Stage, skull: Skull, chance: Chance, x: Map, y: Map) -> Map:
    """The part of the scene that (x, y) stand for, dressed; the origin is the middle of the head."""
    side = np.abs(x)
    slope, height = chance.between(0.14, 0.32), chance.between(1.16, 1.31)
    below = step(-SOFT, SOFT, y - height - slope * side * np.sqrt(side) - 1.5 * step(1.9, 2.8, side))
    folds = sample(clouds(), 22.0 * x + chance.between(0, 200), 9.0 * y + chance.between(0, 200))
    light = stage.lit(np.clip(0.45 * x, -0.9, 0.9), -0.25) * (1.0 + 0.08 * folds)
    cloth = light * _cloth(chance, x, y)
    if chance.happens(0.45):
        return _suit(part, chance, x, y, below, light, cloth)
    inside = y - _neckline(chance, skull, side)
    seam = 1.0 - 0.4 * bell(inside - 0.02, 0.025) - 0.15 * bell(inside - 0.1, 0.015)
    return mix(part, cloth * seam, below * step(-SOFT, SOFT, inside))


def _neckline(chance: Chance, skull: Skull, side: Map) -> Map:
    """Height of the edge of a jersey: round, pointed or high."""
    kind, deep = chance.whole(0, 3), chance.between(0.0, 0.25)
    if kind == 0:
        return 1.42 + deep - 1.3 * side * side
    if kind == 1:
        return 1.5 + 2.0 * deep - 1.4 * side
    return np.float32(1.05 + 0.4 * deep) * (side < skull.neck + 0.04) + 0.1 * side * side


def _cloth(chance: Chance, x: Map, y: Map) -> Map:
    """Tone of a cloth, woven and sometimes striped."""
    tone = chance.between(0.0, 0.85) ** 2 + 0.008
    cloth = tone * (1.0 + 0.05 * sample(grain(), 110.0 * x, 110.0 * y))
    if chance.happens(0.2):
        stripes = exact.sin(chance.between(9.0, 26.0) * (x if chance.happens(0.5) else y))
        cloth = cloth * (1.0 + 0.5 * np.sign(stripes))
    return cloth


def _suit(part: Map, chance: Chance, x: Map, y: Map, below: Map, light: Map, cloth: Map) -> Map:
    """Shirt, mostly a tie, and a jacket."""
    side = np.abs(x)
    part = _shirt(part, light * chance.between(0.35, 0.8), side, y)
    if chance.happens(0.75):
        half = 0.075 + 0.045 * np.maximum(y - 1.65, 0.0) + 0.03 * bell(y - 1.58, 0.07)
        pattern = 0.4 * chance.happens(0.4) * np.sign(exact.sin(30.0 * (y + x)))
        tie = light * chance.between(0.01, 0.45) * (1.0 + pattern)
        part = mix(part, tie, step(SOFT, -SOFT, side - half) * step(1.48, 1.53, y))
    lapel = side - 0.52 * (2.15 - y)
    seam = 1.0 - 0.5 * bell(lapel - 0.02, 0.03) - 0.3 * bell(lapel - 0.3, 0.02) * step(1.4, 1.6, y)
    return mix(part, 0.5 * cloth * seam, below * step(-SOFT, SOFT, lapel))


def _shirt(part: Map, tone: Map, side: Map, y: Map) -> Map:
    """An upright collar at the neck, its two wings, and the front below."""
    edge = 1.13 + 0.62 * (0.62 - np.minimum(side, 0.62))
    cover = step(-SOFT, SOFT, y - edge) * step(0.75, 0.65, side + 0.1 * y) * step(1.0, 1.1, y)
    wing = 1.0 - 0.45 * bell(y - 1.62 - 0.55 * (0.3 - side), 0.025) * step(0.5, 0.45, side)
    return mix(part, tone * wing, cover)
