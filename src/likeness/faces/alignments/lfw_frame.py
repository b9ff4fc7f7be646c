"""`lfw-frame`: the face as LFW's own pictures are framed.

LFW was cut from press photographs by the Viola-Jones detector: the detected box enlarged 2.2 times and scaled to
250×250 (Huang et al. 2007, "Labeled Faces in the Wild"). The same is done here, so that a network trained on LFW
meets faces of the size and place that it knows.
"""

from __future__ import annotations

import cv2
import numpy as np

from likeness.faces.alignments.alignment import ALIGNMENTS, Alignment
from likeness.faces.detectors.detector import Box, Detection
from likeness.images import Pixels
from likeness.images.geometry import FRAME, resize

ENLARGEMENT = 2.2


@ALIGNMENTS.register("lfw-frame")
class LfwFrame(Alignment):
    """The box of the Haar cascade, enlarged; not turned."""

    detector = "haar"

    def frame(self, photograph: Pixels, found: Detection) -> Pixels:
        """See `Alignment.frame`."""
        return cut_frame(photograph, found.box)


def cut_frame(photograph: Pixels, box: Box) -> Pixels:
    """The box enlarged 2.2 times about its middle, scaled to 250×250; beyond the border its edge is repeated."""
    side = round(box.side * ENLARGEMENT)
    top = box.top + (box.side - side) // 2
    left = box.left + (box.side - side) // 2
    height, width = photograph.shape[:2]
    inside = photograph[max(top, 0) : top + side, max(left, 0) : left + side]
    beyond = (max(-top, 0), max(top + side - height, 0), max(-left, 0), max(left + side - width, 0))
    return resize(np.asarray(cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REPLICATE)), (FRAME, FRAME))
