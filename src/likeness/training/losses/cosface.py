"""CosFace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from likeness.params import Range
from likeness.training.losses.margin_softmax import MarginSoftmax, MarginSoftmaxParams
from likeness.training.losses.objective import LOSSES


@dataclass(frozen=True)
class CosFaceParams(MarginSoftmaxParams):
    """Parameters of CosFace; its margin is a cosine."""

    margin: Annotated[float, Range(low=0)] = 0.35


@LOSSES.register("cosface", CosFaceParams)
class CosFace(MarginSoftmax):
    """s·(cos θ − m), Wang et al. 2018, "CosFace: large margin cosine loss for deep face recognition"."""

    logit = "(cos θ − m)"

    @staticmethod
    def head_of(dim: int, people: int, margin: float, scale: float) -> Any:
        """See `MarginSoftmax.head_of`."""
        from pytorch_metric_learning.losses import CosFaceLoss

        return CosFaceLoss(people, dim, margin=margin, scale=scale)
