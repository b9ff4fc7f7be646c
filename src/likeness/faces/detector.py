"""What finds faces in a photograph: the interface, which knows no method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from likeness.images import Pixels

Landmarks = npt.NDArray[np.float64]
"""Five points (x, y) float64 [5, 2] in pixels: left eye, right eye, tip of the nose, left and right corner of the
mouth, left and right as seen in the picture."""


@dataclass(frozen=True)
class Box:
    """A square of the upright photograph, in its pixels."""

    left: int
    top: int
    side: int


@dataclass(frozen=True)
class Detection:
    """A face that a detector reports.

    Attributes:
        box: where.
        score: how sure the detector is, above 0; comparable within one photograph only.
        landmarks: in the photograph; None where the detector reports none.
    """

    box: Box
    score: float
    landmarks: Landmarks | None = field(default=None, compare=False)


class Detector(Protocol):
    """Finds upright faces. An instance may be used by several threads."""

    def detect(self, photograph: Pixels) -> list[Detection]:
        """Every face of an upright photograph uint8 [h, w] or RGB [h, w, 3], the largest first."""
        ...

    def refine(self, photograph: Pixels, box: Box) -> Box:
        """A closer look at one face that `detect` found; costs more than is spent on each of them."""
        ...
