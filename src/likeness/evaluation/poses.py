"""How the heads of stored pictures are turned, by landmarks that are looked for where the framing puts a face."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.data.faceset import FaceSet
from likeness.data.splits import Pairs
from likeness.errors import ModelError
from likeness.faces.alignments.lfw_frame import ENLARGEMENT
from likeness.faces.detectors.detector import Box
from likeness.faces.detectors.mtcnn import MtcnnDetector
from likeness.faces.quality import head_pose
from likeness.images.geometry import FRAME
from likeness.metrics.scores import Floats
from likeness.progress import progress

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Poses:
    """Of some pictures of a store.

    Attributes:
        rows: int64 [n] of the store, ascending.
        yaw: float64 [n] in degrees, positive to the right of the picture; NaN where no face is found.
        roll: likewise, positive clockwise.
    """

    rows: NDArray[np.int64]
    yaw: Floats
    roll: Floats

    def of_pairs(self, pairs: Pairs) -> Mapping[str, Floats]:
        """Of each pair the larger turn (`yaw`), the difference of the turns, and the larger tilt (`roll`)."""
        first, second = (np.searchsorted(self.rows, side) for side in (pairs.a, pairs.b))
        return {
            "yaw": np.maximum(np.abs(self.yaw[first]), np.abs(self.yaw[second])),
            "yaw difference": np.abs(self.yaw[first] - self.yaw[second]),
            "roll": np.maximum(np.abs(self.roll[first]), np.abs(self.roll[second])),
        }


def measure_poses(faces: FaceSet, rows: NDArray[np.int64]) -> Poses:
    """The poses of pictures of a store, about five milliseconds each.

    Pitch is left out: of a face seen from the front, five landmarks do not show it. Where the detector is not
    installed nothing is known of any picture, and the log says so.

    Args:
        faces: the store.
        rows: int64 [n], ascending.
    """
    found = np.full((len(rows), 2), np.nan)
    try:
        detector = MtcnnDetector()
    except ModelError as error:
        _log.warning("the poses of the heads are not measured: %s", error)
        return Poses(rows, found[:, 0], found[:, 1])
    box = _expected(faces)
    for place, row in enumerate(progress(rows, "head poses", unit="picture")):
        landmarks = detector.landmarks_near(np.asarray(faces.pixels[row]), box)
        if landmarks is not None:
            yaw, _, roll = head_pose(landmarks)
            found[place] = yaw, roll
    return Poses(rows, found[:, 0], found[:, 1])


def _expected(faces: FaceSet) -> Box:
    """Where a framed picture has its face: in the middle, as large as the detector of LFW saw it."""
    height, width = faces.pixels.shape[1:3]
    shown = faces.source.crop[0] if faces.source.crop else FRAME
    side = round(FRAME / ENLARGEMENT * height / shown)
    return Box(round((width - side) / 2), round((height - side) / 2), side)
