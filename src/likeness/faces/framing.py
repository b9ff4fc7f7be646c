"""Frames the face of any photograph as the pictures of LFW are framed.

LFW was cut from press photographs by the Viola-Jones detector: the detected box enlarged 2.2 times and scaled
to 250×250 (Huang et al. 2007, "Labeled Faces in the Wild"). The same is done here, so that a network trained on
LFW meets faces of the size and place that it knows, and so that own photographs look alike in training and in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from likeness.errors import FaceNotFoundError, SmallFaceError
from likeness.faces.detector import Box, Detection, Detector
from likeness.faces.haar import HaarDetector
from likeness.images import Pixels
from likeness.images.geometry import FRAME, resize

ENLARGEMENT = 2.2

_CLEAR = 1 / 3
"""Of the highest score in a photograph: a box below it is taken for no face where another is found."""
_DETECTOR = HaarDetector()


@dataclass(frozen=True)
class Face:
    """One person's face, framed as in LFW.

    Attributes:
        frame: uint8 [250, 250], gray; not shown by `repr`, which ends up in logs.
        box: where the detector saw it; None for a photograph that was taken as framed already.
        others: how many other faces the detector reports.
    """

    frame: Pixels = field(repr=False)
    box: Box | None = None
    others: int = 0


def find_face(
    photograph: Pixels, name: str = "the image", smallest: int = 0, detector: Detector = _DETECTOR
) -> Face:
    """The largest clear face of an upright gray photograph, framed.

    Args:
        photograph: uint8 [h, w].
        name: what a message calls it.
        smallest: side that the face must have, in pixels.
        detector: what finds faces.

    Raises:
        FaceNotFoundError: the detector sees no face.
        SmallFaceError: the face is smaller than that.
    """
    found = detector.detect(photograph)
    if not found:
        raise FaceNotFoundError(
            f"{name} shows no face that can be found; use an upright photograph in which the face looks towards "
            "the camera and takes a tenth of the shorter side or more, or say that it is framed like the pictures "
            "of LFW already (aligned)"
        )
    box = detector.refine(photograph, largest_clear(found).box)
    if box.side < smallest:
        raise SmallFaceError(
            f"{name} shows a face of {box.side} pixels, fewer than {smallest}; use a larger photograph"
        )
    return Face(cut_frame(photograph, box), box, len(found) - 1)


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
    height, width = photograph.shape
    inside = photograph[max(top, 0) : top + side, max(left, 0) : left + side]
    beyond = (max(-top, 0), max(top + side - height, 0), max(-left, 0), max(left + side - width, 0))
    return resize(np.asarray(cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REPLICATE)), (FRAME, FRAME))
