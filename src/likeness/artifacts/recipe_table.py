"""`reports/recipes.csv`: one row a recipe and length of training that `make results` measured on View 1."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.artifacts.table_file import TableFile, columns_of


@dataclass(frozen=True)
class RecipeRecord:
    """What a recipe reached on the test pairs, and what it costs.

    Attributes:
        recipe: its name.
        faces: source of the face set.
        protocol: restricted or unrestricted, and outside data where there is any.
        seeds: trainings; the figures are their means.
        accuracy: at the threshold of held-out pairs.
        low: of its 95 % interval.
        high: likewise.
        epochs: of each training.
        parameters: of the network.
        mmacs: million multiply-accumulates of one embedding, mirror averaging included.
        minutes: of one training, by the clock of the machine that it ran on; None in tables of version 0.2.
    """

    recipe: str
    faces: str
    protocol: str
    seeds: int
    accuracy: float
    low: float
    high: float
    epochs: int
    parameters: int
    mmacs: float
    minutes: float | None = None


RECIPES = TableFile("recipes.csv", columns_of(RecipeRecord), command="make results", defaults={"minutes": None})
