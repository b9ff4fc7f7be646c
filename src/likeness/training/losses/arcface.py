"""ArcFace."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

from likeness.params import Range
from likeness.training.losses.margin_softmax import MarginSoftmax, MarginSoftmaxParams
from likeness.training.losses.objective import LOSSES


@dataclass(frozen=True)
class ArcFaceParams(MarginSoftmaxParams):
    """Parameters of ArcFace; its margin is an angle in radians."""

    margin: Annotated[float, Range(low=0)] = 0.5


@LOSSES.register("arcface", ArcFaceParams)
class ArcFace(MarginSoftmax):
    """s·cos(θ + m), Deng et al. 2019, "ArcFace: additive angular margin loss for deep face recognition"."""

    logit = "cos(θ + m)"

    @staticmethod
    def head_of(dim: int, people: int, margin: float, scale: float) -> Any:
        """See `MarginSoftmax.head_of`; it takes its margin in degrees and keeps it in radians."""
        from pytorch_metric_learning.losses import ArcFaceLoss

        return ArcFaceLoss(people, dim, margin=math.degrees(margin), scale=scale)
