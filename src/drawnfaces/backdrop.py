"""What is behind people: walls, curtains, lamps, boards, crowds, trees."""

from __future__ import annotations

import math

import cv2
import numpy as np

from drawnfaces import exact
from drawnfaces.chance import Chance
from drawnfaces.exact import Map
from drawnfaces.noise import clouds, mix, sample
from drawnfaces.stage import SIDE


def paint_backdrop(seed: int) -> Map:
    """A background, linear tones [SIDE, SIDE]."""
    chance = Chance(seed)
    base = chance.between(0.01, 0.6) ** 1.5
    scene = _gradient(chance, base, chance.between(0.01, 0.6))
    painters = (_plain, _stripes, _lamps, _boards, _crowd, _foliage)
    for _ in range(chance.whole(1, 3)):
        scene = painters[chance.whole(0, len(painters))](scene, chance)
    softness = chance.between(0.6, 5.0)
    return np.asarray(np.clip(exact.blur(scene, softness), 0.003, 1.2))


def _gradient(chance: Chance, first: float, second: float) -> Map:
    angle = chance.between(0.0, 2.0 * math.pi)
    axis = np.linspace(-0.7, 0.7, SIDE, dtype=np.float32)
    ramp = np.clip(0.5 + math.cos(angle) * axis[None, :] + math.sin(angle) * axis[:, None], 0.0, 1.0)
    return np.asarray(first + (second - first) * ramp, np.float32)


def _plain(scene: Map, chance: Chance) -> Map:
    return scene + 0.02 * _texture(chance, chance.between(0.3, 2.0))


def _texture(chance: Chance, zoom: float) -> Map:
    axis = np.arange(SIDE, dtype=np.float32) * np.float32(zoom)
    x, y = np.meshgrid(axis + chance.between(0, 256), axis + chance.between(0, 256))
    return sample(clouds(), x, y)


def _stripes(scene: Map, chance: Chance) -> Map:
    """Curtains, shelves, panels."""
    width, angle = chance.between(12.0, 70.0), chance.between(-0.15, 0.15) + chance.whole(0, 2) * math.pi / 2
    axis = np.arange(SIDE, dtype=np.float32) / np.float32(width)
    phase = axis[None, :] * math.cos(angle) + axis[:, None] * math.sin(angle) + chance.between(0, 1)
    hard = chance.happens(0.5)
    wave = np.sign(phase % 1.0 - chance.between(0.1, 0.8)) if hard else exact.sin(2 * math.pi * phase)
    return scene * (1.0 + chance.between(0.1, 0.7) * wave)


def _lamps(scene: Map, chance: Chance) -> Map:
    """Out-of-focus lights."""
    for _ in range(chance.whole(3, 18)):
        disc = np.zeros_like(scene)
        cv2.circle(disc, _somewhere(chance), chance.whole(4, 22), 1.0, -1, cv2.LINE_AA)
        scene = mix(scene, chance.between(0.2, 1.1), disc * np.float32(chance.between(0.3, 0.9)))
    return scene


def _boards(scene: Map, chance: Chance) -> Map:
    """Posters, windows, lettering on a press wall."""
    for _ in range(chance.whole(2, 9)):
        x, y = _somewhere(chance)
        far = (x + chance.whole(15, 130), y + chance.whole(10, 110))
        cv2.rectangle(scene, (x, y), far, chance.between(0.0, 0.9) ** 1.5, -1, cv2.LINE_AA)
        if chance.happens(0.5):
            word = "".join(chr(chance.whole(65, 91)) for _ in range(chance.whole(3, 9)))
            size, ink = chance.between(0.5, 1.6), chance.between(0.0, 0.9)
            cv2.putText(scene, word, (x, far[1]), cv2.FONT_HERSHEY_DUPLEX, size, ink, 2, cv2.LINE_AA)
    return scene


def _crowd(scene: Map, chance: Chance) -> Map:
    """Other heads and shoulders, out of focus."""
    for _ in range(chance.whole(2, 9)):
        x, y = chance.whole(0, SIDE), chance.whole(30, 200)
        size = chance.between(14.0, 34.0)
        coat, skin, hair = chance.between(0.01, 0.4), chance.between(0.08, 0.4), chance.between(0.01, 0.2)
        _disc(scene, x, y + 3.1 * size, 1.9 * size, 2.0 * size, coat)
        _disc(scene, x, y - 0.25 * size, 0.85 * size, size, hair)
        _disc(scene, x, y + 0.1 * size, 0.7 * size, 0.9 * size, skin)
    return exact.blur(scene, 2.5)


def _disc(scene: Map, x: float, y: float, width: float, height: float, tone: float) -> None:
    cv2.ellipse(scene, (int(x), int(y)), (int(width), int(height)), 0, 0, 360, tone, -1, cv2.LINE_AA)


def _foliage(scene: Map, chance: Chance) -> Map:
    leaves = 0.55 * _texture(chance, chance.between(0.5, 1.6))
    return np.asarray(scene * np.clip(1.0 + leaves, 0.1, 3.0))


def _somewhere(chance: Chance) -> tuple[int, int]:
    return chance.whole(-20, SIDE), chance.whole(-20, SIDE)
