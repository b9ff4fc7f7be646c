"""Photographs that lie on their side or upside down: one rule for training and for use.

The upright photograph counts where its best face is one that the detector is sure of. Otherwise the photograph is
turned by 90, 180 and 270 degrees, and the turn with the best score counts where the detector is sure there, or has
found no face in the upright photograph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likeness.faces.detectors.detector import Box, Detection, Detector
from likeness.images import Pixels


def detect_turned(detector: Detector, photograph: Pixels) -> tuple[int, list[Detection]]:
    """The faces of a photograph that may not be upright.

    Args:
        detector: that finds them.
        photograph: uint8 [h, w] or RGB [h, w, 3].

    Returns:
        By how many quarter turns counter-clockwise the photograph is upright, 0 to 3, and the faces in the upright
        one, the largest first.
    """
    found = detector.detect(photograph)
    if _best(found) >= detector.sure:
        return 0, found
    turned = {turns: detector.detect(turn(photograph, turns)) for turns in (1, 2, 3)}
    turns = max(turned, key=lambda each: _best(turned[each]))
    if turned[turns] and (not found or _best(turned[turns]) >= detector.sure):
        return turns, turned[turns]
    return 0, found


def turn(photograph: Pixels, turns: int) -> Pixels:
    """The photograph after so many quarter turns counter-clockwise."""
    return np.ascontiguousarray(np.rot90(photograph, turns)) if turns else photograph


def turned_back(found: Detection, turns: int, shape: Sequence[int]) -> Detection:
    """A face of the turned photograph, in pixels of the photograph before it was turned.

    Args:
        found: the face.
        turns: quarter turns counter-clockwise.
        shape: height and width of the photograph before.
    """
    box = found.box
    corners = np.array([[box.left, box.top], [box.left + box.side - 1, box.top + box.side - 1]], np.float64)
    left, top = _points_back(corners, turns, shape).min(axis=0)
    marks = None if found.landmarks is None else _points_back(found.landmarks, turns, shape)
    return replace(found, box=Box(round(left), round(top), box.side), landmarks=marks)


def _points_back(points: np.ndarray, turns: int, shape: Sequence[int]) -> np.ndarray:
    height, width = shape[:2]
    x, y = points.T
    return np.stack(
        [(x, y), (width - 1 - y, x), (width - 1 - x, height - 1 - y), (y, height - 1 - x)][turns], axis=1
    )


def _best(found: Sequence[Detection]) -> float:
    return max((each.score for each in found), default=0.0)
