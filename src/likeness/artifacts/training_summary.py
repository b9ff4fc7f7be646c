"""`summary.json` of the train stage: how a training went, what it cost, and what it was given.

The model's card holds the same facts of the training, without cost and parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from likeness.artifacts.json_file import JsonFile
from likeness.params import REST


@dataclass(frozen=True)
class HoldoutMetrics:
    """Of the held-out pairs: loss, and accuracy and area under the ROC in [0, 1]; see `EpochRecord`."""

    loss: float
    accuracy: float
    auc: float


@dataclass(frozen=True)
class HoldoutGain:
    """By how much accuracy and area under the ROC of the held-out pairs exceed others."""

    accuracy: float
    auc: float


@dataclass(frozen=True)
class PartFacts:
    """One gradient step of a plan: its epochs, whose weights were kept, why it ended, and the held-out metrics."""

    epochs: int
    best_epoch: int
    stop_reason: str
    holdout: HoldoutMetrics


@dataclass(frozen=True)
class FrozenFacts:
    """Layers that were bit-identical before and after: number of tensors and of values, digest of their bytes."""

    tensors: int
    values: int
    sha256: str


@dataclass(frozen=True)
class FitFacts:
    """A map behind a network, or a cohort: its kind, the held-out metrics without it, and what it changes."""

    kind: str
    before: HoldoutMetrics
    gain: HoldoutGain


@dataclass(frozen=True)
class MemberFacts:
    """One network of an ensemble: its held-out metrics, a map behind it, and the parameters that set it apart."""

    holdout: HoldoutMetrics
    fit: FitFacts | None = None
    params: Mapping[str, Any] = field(default_factory=dict, metadata=REST)


@dataclass(frozen=True)
class EnsembleGain:
    """Name of the best member, and by how much the ensemble exceeds it."""

    over: str
    holdout: HoldoutGain


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """How a training went, part by part; what it did not have is left out.

    Attributes:
        epochs: over all parts.
        best_epoch: whose weights the network has; None for an ensemble, and where no epoch was trained.
        stop_reason: why no further epoch was trained.
        formula: all that was minimised.
        device: where it was trained.
        holdout: metrics of the network on the held-out pairs.
        parts: each gradient step by its name, where there are several.
        frozen: layers that were kept as they are, by the name of the part.
        fit: the map behind the network.
        cohort: what scales its cosines.
        members: of an ensemble, by name.
        gain: of an ensemble over its best member.
    """

    epochs: int = 0
    best_epoch: int | None = None
    stop_reason: str = "unknown"
    formula: str = "unknown"
    device: str | None = None
    holdout: HoldoutMetrics | None = None
    parts: Mapping[str, PartFacts] = field(default_factory=dict)
    frozen: Mapping[str, FrozenFacts] = field(default_factory=dict)
    fit: FitFacts | None = None
    cohort: FitFacts | None = None
    members: Mapping[str, MemberFacts] = field(default_factory=dict)
    gain: EnsembleGain | None = None


@dataclass(frozen=True)
class PeakMemory:
    """Largest resident memory of the process, and largest allocation on a GPU, in bytes."""

    host: int
    gpu: int


@dataclass(frozen=True)
class Machine:
    """Operating system, processor, cores and threads."""

    system: str
    processor: str
    cores: int | None
    threads: int


@dataclass(frozen=True, kw_only=True)
class TrainingSummary(TrainingFacts):
    """How a training went, and what it cost.

    Attributes:
        outside_data: the category of other data that had a part in the model.
        parameters: of the network.
        trainable_parameters: of these.
        train_loss: mean training loss of the best epoch.
        seconds: wall time over all interruptions.
        seconds_to_best: until the network had its weights.
        images_per_second: median over the epochs.
        processes: that trained together.
        precision: of the passes through the network.
        peak_memory_bytes: of the process that wrote this.
        machine: that it ran on.
        params: every parameter of the training, nested.
    """

    outside_data: str
    parameters: int
    trainable_parameters: int
    train_loss: float | None = None
    seconds: float
    seconds_to_best: float
    images_per_second: float | None = None
    processes: int
    precision: str | None = None
    peak_memory_bytes: PeakMemory
    machine: Machine
    params: Mapping[str, Any]


def upgrade_facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a training that 0.1 wrote: it called the `values` of frozen layers `numbers`."""
    frozen = values.get("frozen")
    if not isinstance(frozen, Mapping):
        return dict(values)
    renamed = {
        name: {"values" if key == "numbers" else key: value for key, value in facts.items()}
        for name, facts in frozen.items()
    }
    return {**values, "frozen": renamed}


SUMMARY = JsonFile("summary.json", TrainingSummary, stage="train", upgrade=upgrade_facts)
