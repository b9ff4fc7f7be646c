"""One photograph of one person, from identity and circumstances to JPEG bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drawnfaces import features, hair, skin
from drawnfaces.backdrop import paint_backdrop
from drawnfaces.body import paint_body, paint_ears
from drawnfaces.camera import develop, encode
from drawnfaces.capture import Capture, draw_capture
from drawnfaces.exact import Map
from drawnfaces.head import build_head, nodes
from drawnfaces.identity import Glasses, Identity
from drawnfaces.long_hair import paint_long_hair
from drawnfaces.occluders import paint_occluder
from drawnfaces.people import draw_identity
from drawnfaces.rays import cast
from drawnfaces.shade import illuminate
from drawnfaces.spectacles import paint_glasses
from drawnfaces.stage import Stage, build_stage, lay

_SUNGLASSES = Glasses(width=0.3, height=0.21, squareness=2.8, rim=2.0, tone=0.01)
_ROW = 128  # pixels of a head are painted in rows of so many, wherever they are


def draw_photographs(seed: int, people: list[tuple[int, int]]) -> list[bytes]:
    """JPEGs of all photographs of some people, each given by number and count of photographs."""
    return [draw_photograph(seed, person, number) for person, images in people for number in range(1, images + 1)]


def draw_photograph(seed: int, person: int, number: int) -> bytes:
    """JPEG of photograph `number` (from 1) of a person: gray, 250×250, the same bytes for the same three."""
    capture = draw_capture(seed, person, number)
    return encode(render(draw_identity(seed, person), capture), capture.camera.quality)


def render(identity: Identity, capture: Capture) -> npt.NDArray[np.uint8]:
    """The photograph before it is a file, uint8 [SIDE, SIDE], painted from the back to the front."""
    stage = build_stage(capture.pose, capture.light)
    scene = paint_backdrop(capture.background)
    paint_long_hair(scene, stage, identity.hair, identity.skull, before=False)
    paint_body(scene, stage, identity, capture.look)
    paint_ears(scene, stage, identity, near=False)
    _paint_head(scene, stage, identity, capture)
    paint_ears(scene, stage, identity, near=True)
    paint_long_hair(scene, stage, identity.hair, identity.skull, before=True)
    glasses = identity.glasses if capture.look.glasses else None
    if capture.look.sunglasses:
        paint_glasses(scene, stage, identity, _SUNGLASSES, dark=True)
    elif glasses is not None:
        paint_glasses(scene, stage, identity, glasses, dark=False)
    if capture.occluder is not None:
        paint_occluder(scene, capture.occluder)
    return develop(scene, capture.camera)


def _paint_head(scene: Map, stage: Stage, identity: Identity, capture: Capture) -> None:
    head = build_head(identity, capture.expression, hair.thickness(identity.hair, capture.look, *nodes()))
    window, part = stage.within(-1.2, -1.65, 1.2, 1.4)
    sight = cast(head, stage.rotation, np.ascontiguousarray(part.x), np.ascontiguousarray(part.y))
    met = np.flatnonzero(sight.cover)
    where = np.resize(met, (-(-len(met) // _ROW), _ROW))  # the last row is filled up with pixels of the first
    u, v = sight.u.ravel()[where], sight.v.ravel()[where]
    tone, gloss = _paint_face(identity, capture, u, v)
    light, shine = illuminate(head, stage, u, v)
    painted = np.zeros_like(part.x).ravel()
    painted[where] = tone * light + gloss * shine
    lay(scene, window, painted.reshape(part.x.shape), sight.cover)


def _paint_face(identity: Identity, capture: Capture, u: Map, v: Map) -> tuple[Map, Map]:
    """Tone and gloss of the points (u, v) of the head's chart."""
    expression = capture.expression
    tone = skin.paint_skin(identity.skin, u, v)
    gloss = np.ones_like(u)
    tone = features.paint_folds(tone, identity, expression, u, v)
    tone = features.paint_nose(tone, identity.nose, u, v)
    tone = hair.paint_beard(tone, identity, capture.look, u, v)
    tone, gloss = features.paint_mouth(tone, gloss, identity, expression, u, v)
    tone, gloss = features.paint_eyes(tone, gloss, identity, expression, u, v)
    tone = features.paint_brows(tone, identity, expression, u, v)
    return hair.paint_hair(tone, gloss, identity.hair, capture.look, u, v)
