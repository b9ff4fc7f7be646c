"""Hair on the head: where it grows, how far it is off, and its strands; beards too."""

from __future__ import annotations

import numpy as np

from drawnfaces import exact
from drawnfaces.capture import Look
from drawnfaces.exact import Map
from drawnfaces.identity import Beard, Hair, Identity, Mouth
from drawnfaces.noise import bell, clouds, grain, mix, sample, step, strands


def edge(hair: Hair, look: Look, u: Map, v: Map) -> Map:
    """Signed place relative to the hair line on the chart: positive in the hair, in half heads or so."""
    side = np.abs(u)
    part = float(np.clip(hair.parting + look.hair_shift, -1.0, 1.0))
    top = hair.line + hair.recession * bell(side - 0.52, 0.24) - hair.widow_peak * bell(u, 0.14)
    top = top - hair.fringe * step(1.0, 0.5, side) * (1.0 + 0.45 * part * u)
    lateral = 1.3 + 0.65 * step(0.1, 0.4, v)
    above = np.sqrt(exact.hypot(np.square(side / lateral), np.square(np.maximum(-v, 0.0) / top)))
    return np.asarray(above - 1.0, np.float32)


def thickness(hair: Hair, look: Look, u: Map, v: Map) -> Map:
    """How far the hair is off the head at (u, v) of the chart, in half heads."""
    inside = edge(hair, look, u, v)
    lumps = sample(clouds(), 40.0 * u + 97.0 * hair.parting, 40.0 * v)
    body = mix(hair.sides, hair.volume * look.hair_volume, step(0.0, -1.1, v))
    body = body * (1.0 + 0.25 * hair.parting * np.clip(u, -1.0, 1.0))
    return np.asarray(step(0.0, 0.3, inside) * (body + (0.008 + 0.03 * hair.curl) * lumps), np.float32)


def paint_hair(tone: Map, gloss: Map, hair: Hair, look: Look, u: Map, v: Map) -> tuple[Map, Map]:
    """Covers skin with hair: returns tone and gloss of the pixels at (u, v)."""
    lock = _lock(hair, look, u, v)
    inside = edge(hair, look, u, v) + 0.035 * lock
    cover = step(-0.03, 0.05, inside)
    shadow = 1.0 - 0.3 * step(-0.16, 0.0, inside)
    colour = hair.tone * np.clip(0.9 + 0.38 * lock, 0.25, 2.2)
    sheen = (0.9 - 0.6 * hair.curl) * (0.35 + 0.3 * np.clip(lock, 0.0, 2.0))
    return mix(tone * shadow, colour, cover), mix(gloss, sheen, cover)


def _lock(hair: Hair, look: Look, u: Map, v: Map) -> Map:
    """Light and dark of the strands, about -2 to 2: streaks from the parting down, blobs where curly."""
    part = 0.6 * float(np.clip(hair.parting + look.hair_shift, -1.0, 1.0))
    x, y = u - part, v + 2.1
    around = exact.arctan2(x, y)
    along = np.sqrt(x * x + y * y)
    wave = hair.curl**2 * 0.12 * exact.sin(along * 11.0 + 5.0 * sample(clouds(), 20.0 * u, 20.0 * v))
    straight = sample(strands(), 110.0 * (around + wave), 45.0 * along)
    curled = sample(clouds(), 95.0 * u, 95.0 * v)
    lock = mix(straight, curled, max(0.0, 1.6 * hair.curl - 0.7))
    return lock * (0.25 + 0.75 * step(4.2, 1.3, u * u + v * v))  # towards the outline strands are too fine to see


def paint_beard(tone: Map, identity: Identity, look: Look, u: Map, v: Map) -> Map:
    """Darkens the skin where a beard grows."""
    hairs = sample(grain(), 90.0 * u, 55.0 * v)
    rough = 0.06 * sample(clouds(), 60.0 * u, 60.0 * v)
    dense = _beard_density(identity.beard, identity.mouth, look, np.abs(u), v, rough)
    cover = np.clip(dense * (0.85 + 0.12 * hairs), 0.0, 1.0)
    return mix(tone, identity.hair.tone * (1.0 + 0.2 * hairs), cover)


def _beard_density(beard: Beard, mouth: Mouth, look: Look, side: Map, v: Map, rough: Map) -> Map:
    """0 bare to 1 full: jaw and cheeks, upper lip, chin; never on the lips. `rough` frays the edges."""
    jaw = step(-0.06, 0.12, v - 0.98 + 0.7 * side + rough) * step(0.0, 0.2, v)
    upper = bell(v - mouth.height + 0.15, 0.085) * step(1.5 * mouth.width, mouth.width, side + rough)
    chin = step(0.3, 0.16, side + rough) * step(mouth.height + 0.1, mouth.height + 0.2, v)
    full = max(beard.full, 0.3 * look.stubble if beard.full > 0.0 else 0.0)
    dense = np.maximum(np.maximum(full * jaw, beard.moustache * upper), beard.goatee * chin)
    off_lips = np.abs(v - mouth.height) - 1.2 * mouth.lower - 0.02 + 2.0 * np.maximum(side - mouth.width, 0.0)
    return dense * step(-0.04, 0.05, off_lips)
