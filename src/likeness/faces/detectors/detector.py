"""What finds faces in a photograph: the interface. `DETECTORS` knows the detectors by name."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from likeness.images import Pixels
from likeness.parts import Parts

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
        box: where; it may reach beyond the border.
        score: how sure the detector is, above 0; comparable within one photograph only.
        landmarks: in the photograph; None where the detector reports none.
    """

    box: Box
    score: float
    landmarks: Landmarks | None = field(default=None, compare=False)


class Detector(ABC):
    """Finds upright faces; the same photograph gives the same answer. May be used by several threads.

    Args:
        smallest: side of the smallest face searched for, in pixels; None: a tenth of the photograph's shorter
            side, and no less than the method allows.
    """

    colour: ClassVar[bool]
    """Whether it wants photographs in colour; grey ones are taken all the same."""
    sure: ClassVar[float]
    """Score that few boxes reach in a photograph that is not upright, and most faces in one that is."""

    def __init__(self, smallest: int | None = None) -> None:
        self.smallest = smallest

    @abstractmethod
    def detect(self, photograph: Pixels) -> list[Detection]:
        """Every face of an upright photograph uint8 [h, w] or RGB [h, w, 3], the largest first."""

    def detect_all(self, photographs: Iterable[Pixels]) -> list[list[Detection]]:
        """The faces of each of several photographs, which need not be of one size."""
        return [self.detect(photograph) for photograph in photographs]

    def refine(self, photograph: Pixels, box: Box) -> Box:
        """A closer look at one face that `detect` found; costs more than is spent on each of them."""
        return box


DETECTORS: Parts[Detector] = Parts("detector", __package__)
DEFAULT_DETECTOR = "mtcnn"


@functools.cache
def get_detector(name: str = DEFAULT_DETECTOR, smallest: int | None = None) -> Detector:
    """The detector of a name, made once; see `Detector` for `smallest`.

    Raises:
        ValueError: no detector has that name; the message lists those that there are.
        ModelError: its weights are missing or altered.
    """
    return DETECTORS.part(name)(smallest)
