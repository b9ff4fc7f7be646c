"""What comes between the camera and a person: microphones, shoulders, hands."""

from __future__ import annotations

import cv2
import numpy as np

from drawnfaces import exact
from drawnfaces.chance import Chance
from drawnfaces.exact import Map
from drawnfaces.noise import mix

_FOOT = 280  # below the lower edge of the picture


def paint_occluder(scene: Map, seed: int) -> None:
    """Paints one thing over an edge of the face."""
    chance = Chance(seed)
    (_microphone, _shoulder, _hand)[chance.whole(0, 3)](scene, chance)


def _cover(scene: Map, shape: Map, tone: float, softness: float) -> None:
    """Lays a filled shape over the scene, rounded by a shade towards its edge."""
    scene[:] = mix(scene, tone * (0.35 + 0.75 * exact.blur(shape, 7.0)), exact.blur(shape, softness))


def _microphone(scene: Map, chance: Chance) -> None:
    shape = np.zeros_like(scene)
    tip = (chance.whole(75, 175), chance.whole(158, 195))
    cv2.line(shape, tip, (tip[0] + chance.whole(-60, 60), _FOOT), 1.0, chance.whole(6, 11), cv2.LINE_AA)
    cv2.ellipse(shape, tip, (chance.whole(9, 15), chance.whole(11, 18)), chance.between(-30, 30), 0, 360, 1.0, -1)
    _cover(scene, shape, chance.between(0.01, 0.12), 1.0)


def _shoulder(scene: Map, chance: Chance) -> None:
    """Of somebody who is nearer, out of focus."""
    shape = np.zeros_like(scene)
    side = 1 if chance.happens(0.5) else -1
    centre = (125 + side * chance.whole(115, 150), chance.whole(190, 260))
    cv2.ellipse(shape, centre, (chance.whole(60, 85), chance.whole(60, 110)), 0, 0, 360, 1.0, -1)
    _cover(scene, shape, chance.between(0.01, 0.5), chance.between(2.0, 6.0))


def _hand(scene: Map, chance: Chance) -> None:
    """A fist with fingers, at the chin or the cheek."""
    shape = np.zeros_like(scene)
    side = 1 if chance.happens(0.5) else -1
    x, y = 125 + side * chance.whole(15, 50), chance.whole(165, 190)
    tone = chance.between(0.08, 0.5)
    elbow = (x + side * chance.whole(10, 50), _FOOT)
    cv2.line(shape, (x, y + 15), elbow, 1.0, chance.whole(30, 42), cv2.LINE_AA)
    cv2.ellipse(shape, (x, y + 8), (19, 22), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    _cover(scene, shape, tone, 1.0)
    for finger in range(4):
        shape[:] = 0.0
        knuckle = (x - 14 + 9 * finger, y + 2)
        cv2.line(shape, knuckle, (knuckle[0] - side * 5, y - 20 - 3 * (finger % 3)), 1.0, 8, cv2.LINE_AA)
        _cover(scene, shape, 1.25 * tone, 0.8)
