"""Which trainings a sweep needs, and which of its values each of them answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated

from likeness.params import Range


@dataclass(frozen=True)
class Training:
    """One training of a sweep.

    Attributes:
        learning_rate: of the optimiser.
        batch_size: pairs a step.
        epochs: at most, as the recipe's own early stopping may end it before.
        to_the_end: without that stopping.
    """

    learning_rate: Annotated[float, Range(above=0)]
    batch_size: Annotated[int, Range(2)]
    epochs: Annotated[int, Range(1)]
    to_the_end: bool = False

    @property
    def name(self) -> str:
        """Of its DVC experiment, as far as the training decides it."""
        end = "-to-the-end" if self.to_the_end else ""
        return f"lr{self.learning_rate:g}-batch{self.batch_size}-epochs{self.epochs}{end}"

    @property
    def overrides(self) -> list[str]:
        """Hydra overrides."""
        values = asdict(self)
        del values["to_the_end"]
        return [
            *(f"train.{key}={value}" for key, value in values.items()),
            *(["train.stopping.patience=null"] if self.to_the_end else []),
        ]


@dataclass(frozen=True)
class Value:
    """A value of a swept parameter."""

    parameter: str
    value: float


@dataclass(frozen=True)
class Plan:
    """A section of conf/sweep.yaml, where its keys are described."""

    recipe: str
    settings: tuple[str, ...]
    at: Training
    epochs: tuple[Annotated[int, Range(1)], ...]
    learning_rate: tuple[Annotated[float, Range(above=0)], ...]
    batch_size: tuple[Annotated[int, Range(2)], ...]

    def trainings(self) -> dict[Training, list[Value]]:
        """The trainings, each with the values that it answers: the first with all numbers of epochs at once.

        A value where the others stay makes no training of its own for each parameter, but one for all.
        """
        found: dict[Training, list[Value]] = {}
        if self.epochs:
            whole = replace(self.at, epochs=max(self.epochs), to_the_end=True)
            found[whole] = [Value("train.epochs", epochs) for epochs in self.epochs]
        for rate in self.learning_rate:
            training = replace(self.at, learning_rate=rate)
            found.setdefault(training, []).append(Value("train.learning_rate", rate))
        for size in self.batch_size:
            found.setdefault(replace(self.at, batch_size=size), []).append(Value("train.batch_size", size))
        return found
