"""What finds faces in a photograph: the interface, which knows no method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from likeness.images import Pixels


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
    """

    box: Box
    score: float


class Detector(Protocol):
    """Finds upright faces. An instance may be used by several threads."""

    def detect(self, photograph: Pixels) -> list[Detection]:
        """Every face of an upright grey photograph uint8 [h, w], the largest first."""
        ...

    def refine(self, photograph: Pixels, box: Box) -> Box:
        """A closer look at one face that `detect` found; costs more than is spent on each of them."""
        ...
