"""Eyes, brows, nose, mouth and folds, painted on the chart of the face."""

from __future__ import annotations

import numpy as np

from drawnfaces import exact
from drawnfaces.capture import Expression
from drawnfaces.exact import Map
from drawnfaces.identity import Eyes, Identity, Mouth, Nose
from drawnfaces.noise import bell, grain, mix, sample, step

_SOFT = 0.016  # one pixel in half heads


def paint_eyes(
    tone: Map, gloss: Map, identity: Identity, expression: Expression, u: Map, v: Map
) -> tuple[Map, Map]:
    """Both eyes with lids and lashes; returns tone and gloss of the points (u, v)."""
    for side in (-1.0, 1.0):
        tone, gloss = _paint_eye(tone, gloss, identity, expression, side, u, v)
    return tone, gloss


def _paint_eye(
    tone: Map, gloss: Map, identity: Identity, expression: Expression, side: float, u: Map, v: Map
) -> tuple[Map, Map]:
    """One eye in its own coordinates: a from -1 at the inner to 1 at the outer corner, b down."""
    eyes = identity.eyes
    a = (side * u - eyes.spacing) / eyes.size
    b = v / eyes.size + eyes.tilt * a
    arch = np.clip(1.0 - a * a, 0.0, 1.0)
    opening = max(0.02, eyes.opening * expression.lids)
    upper = -opening * exact.power(arch, 0.7) * (1.05 - 0.15 * a)
    lower = 0.36 * opening**0.7 * arch * (1.0 + 0.15 * a)
    soft = _SOFT / eyes.size
    inside = step(-soft, soft, b - upper) * step(-soft, soft, lower - b) * step(0.0, 0.06, arch)
    skin = tone * _lid_shade(identity, a, b, upper)
    painted = mix(skin, _eyeball(eyes, expression, side, a, b, upper), inside)
    return painted * _lashes(eyes, a, b, upper, lower), gloss * (1.0 - inside)


def _lid_shade(identity: Identity, a: Map, b: Map, upper: Map) -> Map:
    """What the crease of the lid and the bag under the eye leave of the light."""
    bag = 0.16 * bell(b - 0.75, 0.35) * bell(a, 0.9) * (0.4 + identity.skin.wrinkles)
    crease = bell(b - 1.25 * upper + 0.14, 0.075) * step(1.15, 0.75, np.abs(a))
    return (1.0 - bag) * (1.0 - crease * (0.15 + 0.35 * identity.eyes.crease))


def _lashes(eyes: Eyes, a: Map, b: Map, upper: Map, lower: Map) -> Map:
    """What the dark rims of both lids leave of the light."""
    above = bell(b - upper, 0.075 + 0.04 * eyes.lashes) * step(1.12, 0.95, np.abs(a))
    below = bell(b - lower, 0.07) * step(1.05, 0.9, np.abs(a))
    return (1.0 - above * (0.45 + 0.5 * eyes.lashes)) * (1.0 - below * (0.18 + 0.25 * eyes.lashes))


def _eyeball(eyes: Eyes, expression: Expression, side: float, a: Map, b: Map, upper: Map) -> Map:
    """White, iris, pupil and the lamp's reflection."""
    x = a - side * expression.gaze_x
    y = b - expression.gaze_y + 0.06
    radius = np.sqrt(x * x + y * y)
    shade = step(-0.05, 0.45, b - upper)
    white = (0.30 + 0.34 * shade) * (1.0 - 0.35 * np.clip(a * a, 0.0, 1.0))
    iris = eyes.iris * (0.7 + 0.8 * step(0.2, 0.4, radius)) * (0.5 + 0.5 * shade)
    ball = mix(white, iris, step(0.57, 0.49, radius))
    ball = mix(ball, 0.008, np.maximum(step(0.25, 0.18, radius), 0.6 * bell(radius - 0.53, 0.06)))
    glint = step(0.13, 0.06, np.sqrt((x + 0.17) ** 2 + (y + 0.2) ** 2))
    return mix(ball, 1.0, 0.85 * glint)


def paint_brows(tone: Map, identity: Identity, expression: Expression, u: Map, v: Map) -> Map:
    """Both eyebrows."""
    brows = identity.brows
    side = np.abs(u)
    a = (side - 0.14) / (2.0 * brows.length)  # 0 inner end, 1 outer end
    line = -brows.height - brows.arch * (1.0 - ((a - 0.62) / 0.62) ** 2) + brows.tilt * (a - 0.5)
    line = line - 0.05 * (expression.brows + 0.5 * abs(expression.brows) * (0.5 - a))
    half = brows.thickness * (1.0 - 0.6 * step(0.45, 1.05, a)) * step(-0.04, 0.1, a)
    hairs = sample(grain(), 70.0 * (u - v), 55.0 * (u + v))
    ends = step(1.04, 0.9, a) * step(-0.03, 0.06, a)
    cover = step(0.018, -0.022, np.abs(v - line) - half + 0.012 * hairs) * ends
    colour = min(0.75 * identity.hair.tone + 0.01, 0.55 * identity.skin.tone)
    return mix(tone, colour, cover * min(0.95, 0.55 + 9.0 * brows.thickness))


def paint_nose(tone: Map, nose: Nose, u: Map, v: Map) -> Map:
    """Nostrils, the crease around the wings, and the shade under the tip."""
    side = np.abs(u)
    hole = exact.hypot((side - 0.45 * nose.width) / 0.058, (v - nose.length - 0.02 + 0.15 * side) / 0.03)
    tone = tone * (1.0 - (0.45 + 0.45 * nose.nostrils) * step(1.3, 0.6, hole))
    wing = exact.hypot((side - 0.62 * nose.width) / (0.52 * nose.width), (v - nose.length + 0.05) / 0.1)
    crease = bell(wing - 1.0, 0.16) * step(0.75 * nose.width, 1.0 * nose.width, side)
    under = bell(v - nose.length - 0.045, 0.035) * step(1.15 * nose.width, 0.5 * nose.width, side)
    return tone * (1.0 - 0.28 * crease) * (1.0 - 0.15 * under)


def paint_mouth(
    tone: Map, gloss: Map, identity: Identity, expression: Expression, u: Map, v: Map
) -> tuple[Map, Map]:
    """Lips, the line between them, teeth and the dark of the mouth; returns tone and gloss."""
    mouth, smile = identity.mouth, expression.smile
    a = u / (mouth.width * (1.0 + 0.22 * max(0.0, smile) - 0.12 * expression.jaw))  # ±1 at the corners
    line = v - mouth.height - 0.075 * smile * (0.45 - a * a)  # below the line between the lips
    gap = 0.24 * expression.jaw * (1.0 + 0.3 * smile)
    lips = _lips(mouth, a, line, gap, smile)
    shade = identity.skin.tone * mouth.tone * (1.0 - 0.28 * step(0.01, -0.05, line))
    tone = _open_mouth(mix(tone, shade, 0.85 * lips), a, line, gap, smile)
    seam = 0.75 * bell(line, 0.014) * step(1.08, 0.9, np.abs(a)) if gap < 0.02 else 0.0
    corner = 0.45 * bell(np.abs(a) - 1.02, 0.1) * bell(line, 0.035)
    return tone * (1.0 - seam) * (1.0 - corner), gloss + 0.3 * lips


def _lips(mouth: Mouth, a: Map, line: Map, gap: float, smile: float) -> Map:
    """Where the lips are, 0 to 1; they are thinner in a smile and part by `gap`."""
    arch = np.clip(1.0 - a * a, 0.0, 1.0)
    bow = 1.0 - 0.28 * bell(a, 0.13) + 0.1 * bell(np.abs(a) - 0.25, 0.2)
    thin = 1.0 - 0.3 * max(0.0, smile)
    top = -1.75 * thin * mouth.upper * exact.power(arch, 0.8) * bow - 0.18 * gap * arch
    bottom = 1.7 * thin * mouth.lower * np.sqrt(arch) * step(1.0, 0.75, np.abs(a)) + gap * arch
    return step(-_SOFT, _SOFT, line - top) * step(-_SOFT, _SOFT, bottom - line) * step(0.0, 0.08, arch)


def _open_mouth(tone: Map, a: Map, line: Map, gap: float, smile: float) -> Map:
    """What is seen between parted lips: the upper teeth before the dark."""
    arch = np.clip(1.0 - a * a, 0.0, 1.0)
    top, bottom = -0.18 * gap * np.sqrt(arch), gap * exact.power(arch, 0.8)
    opened = step(-0.008, 0.012, line - top) * step(-0.008, 0.012, bottom - line) * step(0.02, 0.1, arch)
    slits = 1.0 - 0.18 * exact.power(np.abs(exact.sin(11.0 * a)), 8)
    teeth = (0.55 if smile > 0.1 else 0.25) * step(0.12, 0.09, line - top) * (1.0 - 0.7 * a * a) * slits
    return mix(tone, 0.015 + teeth, opened)


def paint_folds(tone: Map, identity: Identity, expression: Expression, u: Map, v: Map) -> Map:
    """Folds from the nose to the mouth, and with age lines on the forehead and at the eyes."""
    nose, mouth, age = identity.nose, identity.mouth, identity.skin.wrinkles
    side = np.abs(u)
    along = np.clip((v - nose.length + 0.06) / (mouth.height - nose.length + 0.14), 0.0, 1.0)
    path = nose.width + 0.05 + (mouth.width + 0.13 - nose.width) * exact.power(along, 1.2)
    ends = step(nose.length - 0.1, nose.length + 0.05, v) * step(mouth.height + 0.14, mouth.height, v)
    depth = 0.05 + 0.14 * age + 0.17 * max(0.0, expression.smile)
    fold = depth * ends * bell(side - path, 0.035 + 0.012 * age)
    waves = exact.sin(34.0 * (v + 0.03 * exact.cos(4.0 * u))) * bell(v + 0.58, 0.17) * bell(u, 0.5)
    rays = exact.sin(30.0 * exact.arctan2(v, side - 0.5)) * bell(side - 0.7, 0.08) * bell(v, 0.12)
    raised = 0.08 * age + 0.06 * max(0.0, expression.brows)
    return np.asarray(tone * (1.0 - fold) * (1.0 - raised * waves) * (1.0 - 0.14 * age * rays))
