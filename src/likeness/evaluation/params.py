"""Section `evaluate` of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from likeness.deprecated import current_names
from likeness.evaluation.baselines import BaselineParams
from likeness.evaluation.identification import IdentificationParams
from likeness.metrics.intervals import Resampling
from likeness.params import Range


@dataclass(frozen=True)
class EvaluateParams:
    """How a model is measured; nothing here can change the model.

    Attributes:
        resamples: of every bootstrap interval.
        seed: of the resamples.
        fmr: false match rates at which the true match rate is reported.
        bins: of the reliability diagram and of the calibration error, of equal mass.
        decisions: best and worst decisions that are shown, of each of the four kinds.
        identification: one-shot recognition among the test people.
        baseline: the classical baseline.
    """

    SECTION: ClassVar[str] = "evaluate"

    resamples: Annotated[int, Range(100, 100_000)] = 2000
    seed: Annotated[int, Range(0)] = 0
    fmr: Annotated[tuple[float, ...], Range(above=0, below=1)] = (0.1, 0.01, 0.001)
    bins: Annotated[int, Range(1, 100)] = 10
    decisions: Annotated[int, Range(0, 50)] = 6
    identification: IdentificationParams = field(default_factory=IdentificationParams)
    baseline: BaselineParams = field(default_factory=BaselineParams)

    upgraded = staticmethod(current_names)

    @property
    def resampling(self) -> Resampling:
        """Number and seed of the resamples."""
        return Resampling(self.resamples, self.seed)
