"""The aims of conf/aims.yaml, each held against the trials that have been measured."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from likeness.experiments.experiment_plan import FOLDS
from likeness.experiments.result_tables import MeasuredTrial, trained_on
from likeness.params import Range, load_document, section_of


@dataclass(frozen=True)
class Aim:
    """A section of conf/aims.yaml, which describes the keys."""

    meaning: str
    at_least: Annotated[float, Range(0, 1)]
    view: Literal[1, 2] = 1
    seeds: Annotated[int, Range(1)] = 1
    recipe: str | None = None
    protocol: Literal["restricted", "unrestricted"] | None = None
    outside_data: Literal["none", "label-free"] = "none"
    parameters: Annotated[float, Range(above=0)] | None = None

    @property
    def trainings(self) -> int:
        """That it needs to be met."""
        return FOLDS if self.view == 2 else self.seeds

    def counts(self, trial: MeasuredTrial) -> bool:
        """Whether a trial is of the kind that the aim is about."""
        protocol, summary = trial.metrics.protocol, trial.summary
        outside = protocol.outside_data.partition(" ")[0]
        return (
            (protocol.fold is not None) == (self.view == 2)
            and self.recipe in (None, trial.recipe)
            and self.protocol in (None, protocol.name)
            and outside in {"none", self.outside_data}
            and (self.parameters is None or summary.parameters <= self.parameters * 1e6)
        )


@dataclass(frozen=True)
class AimResult:
    """What is measured of an aim: the best of the groups of trials that count, if there is any.

    Attributes:
        aim: see there.
        recipe: of the group.
        accuracy: its mean.
        trainings: in the group.
    """

    aim: Aim
    recipe: str = ""
    accuracy: float | None = None
    trainings: int = 0

    @property
    def state(self) -> str:
        """Met, missed, or why it is neither."""
        if self.accuracy is None:
            return "not measured"
        if self.trainings < self.aim.trainings:
            return f"{self.trainings} of {self.aim.trainings} trainings, meets no aim"
        return "met" if self.accuracy >= self.aim.at_least else "missed"

    def line(self) -> str:
        """One line of text."""
        found = "" if self.accuracy is None else f" {self.accuracy:.4f} by `{self.recipe}`"
        return f"{self.aim.meaning}: at least {self.aim.at_least:g};{found} {self.state}"


def read_aims(path: Path) -> list[Aim]:
    """All aims of a file, in its order.

    Raises:
        ParamsError: the file cannot be read, or an aim is wrong.
    """
    document = load_document(path)
    return [section_of(document, str(path), name, Aim) for name in document]


def check_aims(aims: Iterable[Aim], trials: Sequence[MeasuredTrial]) -> list[AimResult]:
    """Holds each aim against the best group of trials: first those with enough trainings, then by accuracy.

    A group is a recipe with as many people and epochs, over its seeds or folds.
    """
    groups: dict[tuple[str, bool, str], list[MeasuredTrial]] = defaultdict(list)
    for trial in trials:
        groups[trial.recipe, trial.fold is None, trained_on(trial)].append(trial)
    return [_result(aim, groups.values()) for aim in aims]


def _result(aim: Aim, groups: Iterable[list[MeasuredTrial]]) -> AimResult:
    found = [
        AimResult(aim, group[0].recipe, statistics.mean(row.figure("accuracy").value for row in group), len(group))
        for group in groups
        if aim.counts(group[0])
    ]
    return max(
        found, key=lambda each: (each.trainings >= aim.trainings, each.accuracy or 0), default=AimResult(aim)
    )
