"""The cascade of Viola and Jones that OpenCV ships, as a detector.

It answers on a grid of places, and of sizes a tenth apart, so that two photographs of one person are framed
differently by chance. It is asked again about the face that it found and about its mirror image, and the mean of
the answers is taken. An ArcFace network is correct on 0.852 of View 1's test pairs of LFW deep-funneled where the
first answer frames them, on 0.867 with the mean, and on 0.866 as LFW has aligned them: `studies/detection.py`.
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from likeness.faces.detectors.detector import DETECTORS, Box, Detection, Detector
from likeness.images import Pixels, grey

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


@DETECTORS.register("haar")
class HaarDetector(Detector):
    """Upright frontal faces.

    The score is the number of neighbouring places and sizes that answered alike.

    Args:
        smallest: see `Detector`; at least 24 pixels of a photograph reduced to 800.
    """

    colour = False
    sure = 25.0  # on 100 photographs of LFW: 86 upright, 1 or 2 on their side, 6 upside down

    def detect(self, photograph: Pixels) -> list[Detection]:
        """See `Detector`."""
        scale = min(1.0, _SEARCHED_SIDE / max(photograph.shape))
        photograph = grey(photograph)
        searched = photograph
        if scale < 1:
            searched = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        asked = _SMALLEST_SHARE * min(searched.shape) if self.smallest is None else self.smallest * scale
        smallest = max(_SMALLEST_SIDE, int(asked))
        for step in _SCALE_STEPS:
            boxes, votes = _cascade().detectMultiScale2(
                searched, scaleFactor=step, minNeighbors=_NEIGHBOURS, minSize=(smallest, smallest)
            )
            if len(boxes):
                found = [
                    Detection(Box(round(x / scale), round(y / scale), round(side / scale)), float(score))
                    for (x, y, side, _), score in zip(boxes, votes, strict=True)
                ]
                return sorted(found, key=lambda each: (-each.box.side, each.box.top, each.box.left))
        return []

    def refine(self, photograph: Pixels, box: Box) -> Box:
        """The mean of a box and of what is found when that part, and its mirror image, are looked at again."""
        photograph = grey(photograph)
        margin = round(_MARGIN * box.side)
        top, left = max(0, box.top - margin), max(0, box.left - margin)
        part = photograph[top : box.top + box.side + margin, left : box.left + box.side + margin]
        scale = min(1.0, _STEADIED_SIDE / box.side)
        if scale < 1:
            part = np.asarray(
                cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8
            )
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


def _cascade() -> cv2.CascadeClassifier:
    """This thread's detector; reading the cascade takes some 30 ms."""
    cascade: cv2.CascadeClassifier | None = getattr(_threads, "cascade", None)
    if cascade is None:
        cascade = _threads.cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / _CASCADE))
    return cascade
