"""Finds the face in any photograph and frames it as the pictures of LFW are framed.

LFW was cut from press photographs by the Viola-Jones detector: the detected box enlarged 2.2 times and scaled
to 250×250 (Huang et al. 2007, "Labeled Faces in the Wild"). The same is done here, with the cascade that OpenCV
ships, so that a network trained on LFW meets faces of the size and place that it knows.

The detector answers on a grid of places, and of sizes a tenth apart, so that two photographs of one person are
framed differently by chance. It is asked again about the face that it found and about its mirror image, and the
mean of the answers is taken. Of View 1's test pairs of LFW deep-funneled an ArcFace network decides 0.852 rightly
where the first answer frames them, 0.867 with the mean, and 0.866 as LFW has aligned them; see
`benchmarks/detection.py`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from likeness.errors import FaceNotFoundError
from likeness.images import Pixels
from likeness.images.geometry import resize

FRAME = 250
"""Height and width of a framed face, in pixels; the face itself takes the middle 114."""
ENLARGEMENT = 2.2

_CASCADE = "haarcascade_frontalface_default.xml"
_SCALE_STEPS = (1.1, 1.05)  # the finer look is for photographs in which the first sees nobody
_NEIGHBOURS = 5
_SEARCHED_SIDE = 800  # larger photographs are reduced for the search alone; the face is cut from the original
_SMALLEST_SHARE = 0.1  # of the shorter side
_SMALLEST_SIDE = 24  # the cascade was trained on windows of 24 pixels
_STEADIED_SIDE = 150  # pixels of a face, to which a larger one is reduced for the second look
_MARGIN = 0.3  # of the box, on each side of it, for the second look
_NEAR = (0.75, 1.35)  # sizes of the second look's answers, in those of the first

_threads = threading.local()  # a cascade keeps its state between calls and serves one thread


@dataclass(frozen=True)
class Box:
    """A square of the upright photograph, in its pixels."""

    left: int
    top: int
    side: int


@dataclass(frozen=True)
class Face:
    """One person's face, framed as in LFW.

    Attributes:
        frame: uint8 [250, 250], gray.
        box: where the detector saw it; None for a photograph that was taken as framed already.
        others: how many smaller faces the photograph shows besides.
    """

    frame: Pixels
    box: Box | None = None
    others: int = 0


def find_face(photograph: Pixels, name: str = "the image") -> Face:
    """The largest face of an upright gray photograph.

    Args:
        photograph: uint8 [h, w].
        name: what a message calls it.

    Raises:
        FaceNotFoundError: the detector sees no upright frontal face of at least a tenth of the shorter side.
    """
    boxes = detect(photograph)
    if not boxes:
        raise FaceNotFoundError(
            f"{name} shows no face that can be found; use an upright photograph in which the face looks towards "
            "the camera, or say that it is framed like the pictures of LFW already (aligned)"
        )
    box = steadied(photograph, boxes[0])
    return Face(cut_frame(photograph, box), box, len(boxes) - 1)


def framed(picture: Pixels) -> Face:
    """A picture that is framed like LFW's already; one of another size is scaled to 250×250."""
    return Face(resize(picture, (FRAME, FRAME)))


def detect(photograph: Pixels) -> list[Box]:
    """Every upright frontal face, the largest first."""
    scale = min(1.0, _SEARCHED_SIDE / max(photograph.shape))
    searched = photograph
    if scale < 1:
        searched = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    smallest = max(_SMALLEST_SIDE, int(_SMALLEST_SHARE * min(searched.shape)))
    for step in _SCALE_STEPS:
        found = _cascade().detectMultiScale(searched, step, _NEIGHBOURS, minSize=(smallest, smallest))
        boxes = [Box(round(x / scale), round(y / scale), round(side / scale)) for x, y, side, _ in found]
        if boxes:
            return sorted(boxes, key=lambda box: (-box.side, box.top, box.left))
    return []


def steadied(photograph: Pixels, box: Box) -> Box:
    """The mean of a found box and of what is found when that part, and its mirror image, are looked at again."""
    margin = round(_MARGIN * box.side)
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    part = photograph[top : box.top + box.side + margin, left : box.left + box.side + margin]
    scale = min(1.0, _STEADIED_SIDE / box.side)
    if scale < 1:
        part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    boxes: list[list[float]] = [[box.left - left, box.top - top, box.side]]
    for x, y, side in _again(part, box.side * scale):
        boxes.append([x / scale, y / scale, side / scale])
    width = part.shape[1]
    for x, y, side in _again(np.ascontiguousarray(part[:, ::-1]), box.side * scale):
        boxes.append([(width - x - side) / scale, y / scale, side / scale])
    x, y, side = np.mean(boxes, axis=0)
    return Box(left + round(x), top + round(y), round(side))


def _again(part: Pixels, side: float) -> list[tuple[int, int, int]]:
    """The first face (left, top, side) of about a known size in a part of a photograph, or none."""
    smallest, largest = (round(side * ratio) for ratio in _NEAR)
    found = _cascade().detectMultiScale(
        part, _SCALE_STEPS[0], _NEIGHBOURS, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    return [(int(x), int(y), int(side)) for x, y, side, _ in found[:1]]


def cut_frame(photograph: Pixels, box: Box) -> Pixels:
    """The box enlarged 2.2 times about its middle, scaled to 250×250; beyond the border its edge is repeated."""
    side = round(box.side * ENLARGEMENT)
    top = box.top + (box.side - side) // 2
    left = box.left + (box.side - side) // 2
    height, width = photograph.shape
    inside = photograph[max(top, 0) : top + side, max(left, 0) : left + side]
    beyond = (max(-top, 0), max(top + side - height, 0), max(-left, 0), max(left + side - width, 0))
    return resize(np.asarray(cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REPLICATE)), (FRAME, FRAME))


def _cascade() -> cv2.CascadeClassifier:
    """This thread's detector; reading the cascade takes some 30 ms."""
    cascade: cv2.CascadeClassifier | None = getattr(_threads, "cascade", None)
    if cascade is None:
        cascade = _threads.cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / _CASCADE))
    return cascade
