"""`figures.json` of a version in the registry: what the gate needs to know beside its predictions."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.artifacts.json_file import JsonFile


@dataclass(frozen=True)
class GateFigures:
    """Figures of a version.

    Attributes:
        threshold: chosen on the holdout.
        baseline_accuracy: of the classical baseline on the same test pairs.
        bytes: of the weights.
    """

    threshold: float
    baseline_accuracy: float
    bytes: int


GATE_FIGURES = JsonFile(
    "figures.json",
    GateFigures,
    upgrade=lambda values: {
        key: value for key, value in values.items() if key != "milliseconds"
    },  # 0.1 timed once
)
