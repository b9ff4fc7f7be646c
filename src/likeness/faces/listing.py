"""Every face of a photograph with its quality, its aligned crop, and a drawing of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from likeness.faces.alignments.alignment import align
from likeness.faces.alignments.arcface_112 import ARCFACE_112
from likeness.faces.detectors.detector import Box, Landmarks, get_detector
from likeness.faces.quality import Quality, measure_quality
from likeness.faces.turning import detect_turned, turned_back
from likeness.images import Pixels, rgb

CROP = 112
"""Height and width of an aligned crop, in pixels."""
_COLOUR = (0, 220, 90)  # of what is drawn, RGB


@dataclass(frozen=True)
class ListedFace:
    """A face of a photograph.

    Attributes:
        box: where, in pixels of the photograph; it may reach beyond the border.
        score: the detector's probability of a face, in [0, 1].
        landmarks: five points, [5, 2], in pixels of the photograph.
        quality: how well it can be compared.
    """

    box: Box
    score: float
    landmarks: Landmarks = field(compare=False)
    quality: Quality


def list_faces(photograph: Pixels, smallest: int | None = None) -> list[ListedFace]:
    """The faces of a photograph, the largest first; one on its side or upside down is turned for the search.

    Args:
        photograph: uint8 [h, w] or RGB [h, w, 3].
        smallest: side of the smallest face searched for, in pixels; see `Detector`.
    """
    turns, found = detect_turned(get_detector(smallest=smallest), photograph)
    return [
        ListedFace(each.box, each.score, each.landmarks, measure_quality(photograph, each.landmarks))
        for each in (turned_back(one, turns, photograph.shape) for one in found)
        if each.landmarks is not None
    ]


def crop(photograph: Pixels, face: ListedFace) -> Pixels:
    """The face aligned as `arcface-112` has it, uint8 [112, 112] or RGB [112, 112, 3]."""
    return align(photograph, face.landmarks, ARCFACE_112.points(CROP, CROP), CROP)


def draw_faces(photograph: Pixels, found: Sequence[ListedFace]) -> Pixels:
    """The photograph in RGB, uint8 [h, w, 3], with boxes, landmarks, and numbers from 1."""
    drawn = rgb(photograph).copy()
    for number, face in enumerate(found, start=1):
        box = face.box
        width = max(1, round(box.side / 60))
        corners = (box.left, box.top), (box.left + box.side - 1, box.top + box.side - 1)
        cv2.rectangle(drawn, *corners, _COLOUR, width)
        for x, y in face.landmarks:
            cv2.circle(drawn, (round(x), round(y)), max(1, width), _COLOUR, cv2.FILLED)
        place = (box.left + 2 * width, box.top + max(10, box.side // 5))
        cv2.putText(
            drawn, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, box.side / 180, _COLOUR, width, cv2.LINE_AA
        )
    return np.asarray(drawn, np.uint8)
