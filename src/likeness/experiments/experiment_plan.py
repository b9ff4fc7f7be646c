"""A section of conf/plans.yaml: which trainings it needs, and which values of a sweep each of them answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from likeness.artifacts.trial import SweptValue
from likeness.params import Range, load_document, section_of

FOLDS = 10
EPOCHS = "train.epochs"
PEOPLE = "split.people_share"
Rate = Annotated[float, Range(above=0)]
Batch = Annotated[int, Range(2)]
Epochs = Annotated[int, Range(1)]
Share = Annotated[float, Range(above=0, high=1)]


@dataclass(frozen=True)
class Trial:
    """One training.

    Attributes:
        name: of its folder.
        overrides: for the composition of its parameters.
        values: of a sweep, which it answers.
    """

    name: str
    overrides: tuple[str, ...]
    values: tuple[SweptValue, ...] = ()


@dataclass(frozen=True)
class Point:
    """The place of a training in a sweep; with `to_the_end` its recipe's own early stopping does not end it."""

    learning_rate: Rate
    batch_size: Batch
    epochs: Epochs
    people_share: Share = 1.0
    to_the_end: bool = False

    def trial(self, recipe: str, values: Sequence[SweptValue]) -> Trial:
        """The training at this point."""
        end = "-to-the-end" if self.to_the_end else ""
        people = "" if self.people_share == 1 else f"-people{self.people_share:g}"
        name = f"{recipe}-lr{self.learning_rate:g}-batch{self.batch_size}-epochs{self.epochs}{people}{end}"
        train = {"learning_rate": self.learning_rate, "batch_size": self.batch_size, "epochs": self.epochs}
        overrides = [f"recipe={recipe}", *(f"train.{key}={value}" for key, value in train.items())]
        overrides.append(f"{PEOPLE}={self.people_share}")
        if self.to_the_end:
            overrides.append("train.stopping.patience=null")
        return Trial(name, tuple(overrides), tuple(values))


@dataclass(frozen=True)
class Sweep:
    """One parameter changed at a time; conf/plans.yaml describes the keys."""

    at: Point
    epochs: tuple[Epochs, ...] = ()
    learning_rate: tuple[Rate, ...] = ()
    batch_size: tuple[Batch, ...] = ()
    people_share: tuple[Share, ...] = ()

    def points(self) -> dict[Point, list[SweptValue]]:
        """The trainings, each with the values that it answers: the first with all numbers of epochs at once.

        A value where the others stay makes no training of its own for each parameter, but one for all.
        """
        found: dict[Point, list[SweptValue]] = {}
        if self.epochs:
            whole = replace(self.at, epochs=max(self.epochs), to_the_end=True)
            found[whole] = [SweptValue(EPOCHS, epochs) for epochs in self.epochs]
        for rate in self.learning_rate:
            point = replace(self.at, learning_rate=rate)
            found.setdefault(point, []).append(SweptValue("train.learning_rate", rate))
        for size in self.batch_size:
            found.setdefault(replace(self.at, batch_size=size), []).append(SweptValue("train.batch_size", size))
        for share in self.people_share:
            found.setdefault(replace(self.at, people_share=share), []).append(SweptValue(PEOPLE, share))
        return found


@dataclass(frozen=True)
class Plan:
    """What is trained; conf/plans.yaml describes the keys."""

    recipes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    data: str | None = None
    seeds: Annotated[int, Range(1)] = 1
    view: Literal[1, 2] = 1
    sweep: Sweep | None = None

    def trials(self, conf: Path) -> list[Trial]:
        """Every training, seed by seed (or fold by fold), so that a first answer for all recipes comes early.

        Args:
            conf: folder of the configuration, whose recipes are taken where the plan names none.
        """
        every = sorted(path.stem for path in (conf / "recipe").glob("*.yaml"))
        recipes = self.recipes or [name for name in every if name not in self.without]
        if self.sweep is not None:
            points = self.sweep.points().items()
            return [point.trial(recipe, values) for recipe in recipes for point, values in points]
        if self.view == 2:
            return [_trial(recipe, 0, fold) for recipe in recipes for fold in range(FOLDS)]
        return [_trial(recipe, seed) for seed in range(self.seeds) for recipe in recipes]


def read_plan(path: Path, name: str) -> Plan:
    """A plan by its name.

    Raises:
        ParamsError: the file cannot be read, has no such plan, or the plan is wrong.
    """
    return section_of(load_document(path), str(path), name, Plan)


def _trial(recipe: str, seed: int, fold: int | None = None) -> Trial:
    name = f"{recipe}-seed{seed}" + ("" if fold is None else f"-fold{fold}")
    view = ["split.view=1"] if fold is None else ["split.view=2", f"split.fold={fold}"]
    return Trial(name, (f"recipe={recipe}", f"train.seed={seed}", *view))
