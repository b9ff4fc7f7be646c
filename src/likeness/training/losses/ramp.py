"""A margin that rises during the training, and the parameters of the losses that have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from likeness.params import Range
from likeness.training.losses.objective import LossParams


@dataclass(frozen=True)
class Ramp:
    """A margin that rises in a straight line from `start` to `end` over the first share `until` of the training.

    FaceNet-like training begins with a small margin (a large one lets all embeddings collapse into a point), and
    an angular margin from the first step keeps ArcFace from converging at all on few images a person.
    """

    start: float
    end: float
    until: float

    def __call__(self, progress: float) -> float:
        """The margin after the share `progress` of the training."""
        return self.start + (self.end - self.start) * min(1.0, progress / self.until)

    def __str__(self) -> str:
        if self.start == self.end:
            return f"{self.end:g}"
        return f"{self.start:g} → {self.end:g} over the first {self.until:.0%}"


@dataclass(frozen=True)
class MarginParams(LossParams):
    """What losses with a rising margin have in common.

    Attributes:
        margin: m; of arcface an angle in radians, of cosface a cosine, else in units of the distance (contrastive)
            or of its square (triplet).
        margin_start: margin at the start, from where it rises in a straight line to `margin`; null: no rise.
        margin_until: share of the training after which the margin has reached its full size.
    """

    margin: Annotated[float, Range(low=0)] = 1.0
    margin_start: Annotated[float, Range(low=0)] | None = None
    margin_until: Annotated[float, Range(above=0, high=1)] = 1 / 3

    @property
    def ramp(self) -> Ramp:
        """The margin over the training."""
        start = self.margin if self.margin_start is None else self.margin_start
        return Ramp(start, self.margin, self.margin_until)
