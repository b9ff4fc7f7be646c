"""The results of a training plan: the network, its metrics on held-out pairs, and each part of the plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from likeness.artifacts.history import EpochRecord, StepRecord
from likeness.artifacts.training_summary import HoldoutMetrics
from likeness.models.architecture import ModelParams
from likeness.models.decision import Decision
from likeness.models.siamese import Siamese
from likeness.training.freezing import FrozenWeights
from likeness.training.params import MemberParams
from likeness.training.precision import Precision

_NOTHING = "nothing was to be learnt by gradient descent"


@dataclass(frozen=True)
class TrainingResult:
    """A finished training.

    Attributes:
        siamese: with the weights kept, in evaluation mode, on the device it was trained on.
        history: one record an epoch.
        steps: one record a step.
        decision: threshold and calibration, fitted on the held-out pairs with the weights kept.
        best_epoch: whose weights were kept, counted from 1.
        stop_reason: why no further epoch was trained.
        formula: of the loss, as the report prints it.
        device: where it was trained, such as `cpu` or a GPU's name.
        processes: that trained together.
        precision: of the passes through the network.
        is_main: whether this process is the one that writes files (False in all but one under torchrun).
        frozen: layers that were kept as they are, found bit-identical before and after; None where none were.
    """

    siamese: Siamese
    history: list[EpochRecord]
    steps: list[StepRecord]
    decision: Decision
    best_epoch: int
    stop_reason: str
    formula: str
    device: str
    processes: int
    precision: Precision
    is_main: bool
    frozen: FrozenWeights | None

    @property
    def best(self) -> EpochRecord:
        """The record of the epoch whose weights were kept."""
        return self.history[self.best_epoch - 1]

    @property
    def seconds(self) -> float:
        """Wall time of all epochs, over all interruptions."""
        return sum(record.seconds for record in self.history)

    @property
    def seconds_to_best(self) -> float:
        """Wall time until the end of the best epoch."""
        return sum(record.seconds for record in self.history[: self.best_epoch])


@dataclass(frozen=True)
class FittedMap:
    """A map that was put behind a network, or a cohort that scales its cosines.

    Attributes:
        kind: of map.
        formula: with its numbers.
        before: what held-out pairs said of the network without it.
        after: and with it.
        seconds: that it took.
    """

    kind: str
    formula: str
    before: HoldoutMetrics
    after: HoldoutMetrics
    seconds: float


@dataclass(frozen=True)
class TrainedNetwork:
    """A finished network, alone or a member.

    Attributes:
        params: what it is made of, with whatever the plan has added.
        siamese: in evaluation mode.
        decision: fitted on the held-out pairs.
        holdout: what they say of it.
        fitted: the map behind it; None where there is none.
        cohort: what scales its cosines; likewise.
    """

    params: ModelParams
    siamese: Siamese
    decision: Decision
    holdout: HoldoutMetrics
    fitted: FittedMap | None = None
    cohort: FittedMap | None = None


@dataclass(frozen=True)
class MemberResult:
    """One network of an ensemble: how it differs from its sisters, and what held-out pairs say of it alone."""

    name: str
    params: MemberParams
    holdout: HoldoutMetrics
    fitted: FittedMap | None


@dataclass(frozen=True)
class PlanResult:
    """A plan carried out.

    Attributes:
        network: what it gives.
        parts: name and history of each gradient step, in order.
        members: of the ensemble; none where it is one network.
        device: where it was trained, such as `cpu` or a GPU's name.
        processes: that trained together.
        is_main: whether this process is the one that writes files (False in all but one under torchrun).
    """

    network: TrainedNetwork
    parts: tuple[tuple[str, TrainingResult], ...]
    members: tuple[MemberResult, ...]
    device: str
    processes: int
    is_main: bool

    @property
    def history(self) -> list[EpochRecord]:
        """One record an epoch, numbered on over all parts."""
        return list(self._history())

    def _history(self) -> Iterator[EpochRecord]:
        before = 0
        for name, trained in self.parts:
            yield from (renumbered(record, name, before) for record in trained.history)
            before += len(trained.history)

    @property
    def steps(self) -> list[StepRecord]:
        """One record a step, numbered on likewise."""
        found: list[StepRecord] = []
        epochs = 0
        for _, trained in self.parts:
            steps = len(found)
            found += [
                dataclasses.replace(step, step=step.step + steps, epoch=step.epoch + epochs)
                for step in trained.steps
            ]
            epochs += len(trained.history)
        return found

    @property
    def best_epoch(self) -> int | None:
        """Whose weights the network has, counted over all parts; None for an ensemble, and where no epoch was."""
        if self.members or not self.parts:
            return None
        return sum(len(trained.history) for _, trained in self.parts[:-1]) + self.parts[-1][1].best_epoch

    @property
    def train_loss(self) -> float | None:
        """Mean training loss of that epoch."""
        return None if self.best_epoch is None else self.parts[-1][1].best.train_loss

    @property
    def precision(self) -> Precision | None:
        """Of the passes through the network; None where nothing was trained by gradient descent."""
        return self.parts[-1][1].precision if self.parts else None

    @property
    def stop_reason(self) -> str:
        """Why no further epoch was trained."""
        return self.parts[-1][1].stop_reason if self.parts else _NOTHING

    @property
    def formula(self) -> str:
        """All that was minimised, in order."""
        formulas = {name: trained.formula for name, trained in self.parts}
        fits = [self.network.fitted, *(member.fitted for member in self.members)]
        formulas |= {f"fit {number}" if number else "fit": fit.formula for number, fit in enumerate(fits) if fit}
        if self.network.cohort:
            formulas["scores"] = self.network.cohort.formula
        if list(formulas) == ["train"]:
            return formulas["train"]
        return "\n".join(f"{name}: {formula}" for name, formula in formulas.items()) or _NOTHING

    @property
    def seconds(self) -> float:
        """Wall time of all parts, over all interruptions."""
        fits = [self.network.fitted, self.network.cohort, *(member.fitted for member in self.members)]
        return sum(trained.seconds for _, trained in self.parts) + sum(fit.seconds for fit in fits if fit)

    @property
    def seconds_to_best(self) -> float:
        """Wall time until the network had its weights."""
        if self.best_epoch is None or self.network.fitted or self.network.cohort:
            return self.seconds
        return sum(trained.seconds for _, trained in self.parts[:-1]) + self.parts[-1][1].seconds_to_best

    @property
    def best_member(self) -> MemberResult | None:
        """The member with the largest area under the ROC of the held-out pairs."""
        return max(self.members, key=lambda member: member.holdout.auc, default=None)


def renumbered(record: EpochRecord, part: str, before: int) -> EpochRecord:
    """The record of an epoch as one of a plan's, `before` epochs of other parts before its own."""
    return dataclasses.replace(record, epoch=record.epoch + before, part=part)
