"""`metrics.json` of the evaluate stage: what was measured, by which rules, with an interval each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from likeness.artifacts.json_file import JsonFile
from likeness.deprecated import current_names
from likeness.metrics.intervals import Estimate
from likeness.metrics.scores import Confusion
from likeness.params import REST


@dataclass(frozen=True)
class MeasuredData:
    """The photographs: their source, their alignment and their fingerprint."""

    source: str
    alignment: str
    fingerprint: str


@dataclass(frozen=True)
class PairCounts:
    """Pairs of a side, by class, and how many different pairs of people they show."""

    all: int
    same: int
    different: int
    person_pairs: int


@dataclass(frozen=True)
class IntervalFacts:
    """What the intervals of all figures mean."""

    confidence: float
    method: str
    unit: str
    resamples: int
    seed: int


@dataclass(frozen=True)
class MeasuredProtocol:
    """By which rules the model was made and is measured.

    Attributes:
        name: restricted or unrestricted.
        view: of LFW's protocols.
        fold: of view 2.
        outside_data: other data that had a part in the model.
        recipe: of the model.
        seed: of its training.
        threshold_from: the pairs that chose the thresholds.
        pairs: counts of the holdout and of the test side.
        interval: of all figures.
    """

    name: str
    view: int | None
    fold: int | None
    outside_data: str
    recipe: str
    seed: int
    threshold_from: str
    pairs: Mapping[str, PairCounts]
    interval: IntervalFacts


@dataclass(frozen=True)
class VerificationMetrics:
    """Figures of a system on the pairs of one side.

    Attributes:
        accuracy: at the system's threshold.
        auc: area under the ROC.
        eer: equal error rate.
        beyond_support: names in `tmr` of the rates that so few different pairs cannot show.
        confusion: at the threshold.
        tmr: true match rate by the name of the false match rate, such as tmr_at_fmr_1e-2.
    """

    accuracy: Estimate
    auc: Estimate
    eer: Estimate
    beyond_support: tuple[str, ...]
    confusion: Confusion
    tmr: Mapping[str, Estimate] = field(default_factory=dict, metadata=REST)


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold of the card for a stated false match rate, and both rates on the test pairs."""

    threshold: float
    impostor_pairs: int
    fmr: Estimate
    tmr: Estimate


@dataclass(frozen=True)
class SystemMetrics:
    """One system: the model, the classical baseline, the best member of an ensemble or the untrained network."""

    name: str
    threshold: float
    holdout: VerificationMetrics
    test: VerificationMetrics
    operating_points: Mapping[str, OperatingPoint]


@dataclass(frozen=True)
class McNemarResult:
    """Pairs that only the first or only the second system is correct on, and the p-value."""

    first_only: int
    second_only: int
    p_value: float


@dataclass(frozen=True)
class SystemComparison:
    """The model minus another system on the same test pairs; `tmr` by the name of the false match rate."""

    accuracy: Estimate
    auc: Estimate
    mcnemar: McNemarResult
    tmr: Mapping[str, Estimate] = field(default_factory=dict, metadata=REST)


@dataclass(frozen=True)
class SystemCalibration:
    """Expected calibration error and Brier score of a system on the test pairs."""

    ece: Estimate
    brier: Estimate


@dataclass(frozen=True)
class CalibrationMetrics:
    """Number and rule of the bins, and the figures of each system."""

    bins: int
    rule: str
    systems: Mapping[str, SystemCalibration] = field(default_factory=dict, metadata=REST)


@dataclass(frozen=True)
class IdentificationMetrics:
    """Recognition among the test people.

    Attributes:
        reason: why nothing was measured; None where it was.
        known_people: with two photographs or more.
        unknown_people: with one.
        probes: photographs that were looked for.
        ways: candidates of a one-shot trial.
        trials: of them.
        unit: that is resampled.
        systems: the figures of each system by name: one_shot, rank_1, tpir_at_fpir_1e-1 and so on.
    """

    reason: str | None = None
    known_people: int | None = None
    unknown_people: int | None = None
    probes: int | None = None
    ways: int | None = None
    trials: int | None = None
    unit: str | None = None
    systems: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict, metadata=REST)


@dataclass(frozen=True)
class AcquisitionMetrics:
    """Photographs in which no face that can be compared was found (ISO/IEC 19795-1: failure to acquire).

    Attributes:
        images: photographs of the source.
        failures: of them without such a face.
        rate: failures over images, in [0, 1].
        mated, non_mated: test pairs that were lost so.
        false_rejection_rate: FRR of the model: of all mated test pairs, those lost or below its threshold.
        false_acceptance_rate: FAR: of all non-mated test pairs, those accepted; a lost one is not.
    """

    images: int
    failures: int
    rate: float
    mated: int
    non_mated: int
    false_rejection_rate: float
    false_acceptance_rate: float


@dataclass(frozen=True)
class Metrics:
    """An evaluation.

    Attributes:
        synthetic: whether the faces are drawn.
        data: the photographs.
        protocol: the rules.
        comparison: of the model with each other system, by names such as model_minus_baseline.
        calibration: of the stated probabilities.
        identification: recognition among the test people.
        acquisition: failures to acquire; None where no face was looked for.
        systems: model and baseline, and best_member and untrained where there are such.
    """

    synthetic: bool
    data: MeasuredData
    protocol: MeasuredProtocol
    comparison: Mapping[str, SystemComparison]
    calibration: CalibrationMetrics
    identification: IdentificationMetrics
    acquisition: AcquisitionMetrics | None = None
    systems: Mapping[str, SystemMetrics] = field(default_factory=dict, metadata=REST)

    upgraded = staticmethod(current_names)

    @property
    def model(self) -> SystemMetrics:
        """Of the trained model."""
        return self.systems["model"]

    @property
    def baseline(self) -> SystemMetrics:
        """Of the classical baseline."""
        return self.systems["baseline"]

    def __post_init__(self) -> None:
        if absent := [name for name in ("model", "baseline") if name not in self.systems]:
            raise ValueError(f"expected figures of model and baseline, found none of {' and '.join(absent)}")


METRICS = JsonFile("metrics.json", Metrics, stage="evaluate")
