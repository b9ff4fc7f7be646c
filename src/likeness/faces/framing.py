"""Finds the face of any photograph and frames it, in training and in use alike. Each way of doing so has a name.

`lfw-frame`: as LFW's own pictures are framed. LFW was cut from press photographs by the Viola-Jones detector: the
detected box enlarged 2.2 times and scaled to 250×250 (Huang et al. 2007, "Labeled Faces in the Wild"). The same is
done here, so that a network trained on LFW meets faces of the size and place that it knows.

`arcface-112`: the face turned and scaled so that its five landmarks lie where ArcFace's template has them. The
frame shows the template's 112×112 pixels twice as large and in the middle: its central 224×224, halved, are the
aligned face that towers trained elsewhere expect.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from likeness.artifacts.source_card import Framing
from likeness.errors import FaceNotFoundError, SmallFaceError
from likeness.faces.alignment import ARCFACE_112, Alignment
from likeness.faces.alignment import align as aligned
from likeness.faces.detector import Box, Detection, Detector, Landmarks
from likeness.faces.haar import HaarDetector
from likeness.faces.mtcnn import MtcnnDetector
from likeness.images import Pixels, grey
from likeness.images.geometry import FRAME, resize

ENLARGEMENT = 2.2

_CLEAR = 1 / 3
"""Of the highest score in a photograph: a box below it is taken for no face where another is found."""
_HAAR = HaarDetector()
_TEMPLATES: Mapping[Framing, Alignment] = {"arcface-112": ARCFACE_112}
_ALIGNED_SIDE = 224
"""Pixels of the frame that an aligned face takes; beyond it a network may see more than the template shows."""


@dataclass(frozen=True)
class Face:
    """One person's face, framed.

    Attributes:
        frame: uint8 [250, 250] or RGB [250, 250, 3]; not shown by `repr`, which ends up in logs.
        box: where the detector saw it; None for a photograph that was taken as framed already.
        others: how many other faces the detector reports.
        number: of this face among them all, from 1, the largest clear one; the others follow by size.
        landmarks: five points in the photograph, [5, 2]; None where the detector reports none.
    """

    frame: Pixels = field(repr=False)
    box: Box | None = None
    others: int = 0
    number: int = 1
    landmarks: Landmarks | None = field(default=None, compare=False)


def needs_colour(align: Framing) -> bool:
    """Whether faces are found in colour, whatever the network is fed."""
    return align in _TEMPLATES


def find_face(
    photograph: Pixels, name: str = "the image", smallest: int = 0, align: Framing = "lfw-frame"
) -> Face:
    """The largest clear face of an upright photograph, framed.

    Args:
        photograph: uint8 [h, w] or RGB [h, w, 3].
        name: what a message calls it.
        smallest: side that the face must have, in pixels.
        align: how it is framed; "none" counts as "lfw-frame", for photographs that are compared by a network that
            was trained on pictures framed before.

    Raises:
        FaceNotFoundError: the detector sees no face.
        SmallFaceError: the face is smaller than that.
    """
    face = next(iter_faces(photograph, name, align))
    if face.box is not None and face.box.side < smallest:
        raise SmallFaceError(
            f"{name} shows a face of {face.box.side} pixels, fewer than {smallest}; use a larger photograph"
        )
    return face


def iter_faces(photograph: Pixels, name: str = "the image", align: Framing = "lfw-frame") -> Iterator[Face]:
    """Every face of an upright photograph, framed when it is asked for: the largest clear one, the others by size.

    For the arguments and errors see `find_face`.
    """
    template = _TEMPLATES.get(align)
    detector: Detector = _HAAR if template is None else _landmark_detector()
    searched = photograph if template is not None else grey(photograph)
    found = detector.detect(searched)
    if not found:
        raise FaceNotFoundError(
            f"{name} shows no face that can be found; use an upright photograph in which the face looks towards "
            "the camera and takes a tenth of the shorter side or more, or say that it is framed like the pictures "
            "of LFW already (aligned)"
        )
    first = largest_clear(found)
    for number, each in enumerate([first, *(other for other in found if other is not first)], start=1):
        box = detector.refine(searched, each.box)
        frame = _framed(photograph, box, each.landmarks, template)
        yield Face(frame, box, len(found) - 1, number, each.landmarks)


def _framed(photograph: Pixels, box: Box, landmarks: Landmarks | None, template: Alignment | None) -> Pixels:
    if template is None or landmarks is None:
        return cut_frame(photograph, box)
    return aligned(photograph, landmarks, template.points(FRAME, _ALIGNED_SIDE), FRAME)


@functools.cache
def _landmark_detector() -> Detector:
    return MtcnnDetector()


def largest_clear(found: Sequence[Detection]) -> Detection:
    """The largest of one or more faces that scores at least a third of the highest score.

    A larger box with a low score is mostly no face. The share was chosen on every fourth photograph of LFW
    deep-funneled; on another fourth, in the 298 photographs with several boxes of which one is the person's, the
    largest box is that in 267, the largest clear one in 290.
    """
    clear = _CLEAR * max(each.score for each in found)
    return max((each for each in found if each.score >= clear), key=lambda each: each.box.side)


def framed(picture: Pixels) -> Face:
    """A picture that is framed like LFW's already; one of another size is scaled to 250×250."""
    return Face(resize(picture, (FRAME, FRAME)))


def cut_frame(photograph: Pixels, box: Box) -> Pixels:
    """The box enlarged 2.2 times about its middle, scaled to 250×250; beyond the border its edge is repeated."""
    side = round(box.side * ENLARGEMENT)
    top = box.top + (box.side - side) // 2
    left = box.left + (box.side - side) // 2
    height, width = photograph.shape[:2]
    inside = photograph[max(top, 0) : top + side, max(left, 0) : left + side]
    beyond = (max(-top, 0), max(top + side - height, 0), max(-left, 0), max(left + side - width, 0))
    return resize(np.asarray(cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REPLICATE)), (FRAME, FRAME))
