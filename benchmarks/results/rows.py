"""What is trained and measured: one row a recipe and seed (View 1) or fold (View 2), each in its own folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from likeness.files import atomic_path, write_text
from likeness.operations import OPERATIONS, SECTIONS
from pipelines.compose import compose_params

FOLDS = 10
_ROOT = Path(__file__).parents[2]
State = Literal["planned", "trained", "measured"]


@dataclass(frozen=True)
class Row:
    """One training and its measurement.

    Attributes:
        recipe: of conf/recipe.
        seed: of the training.
        fold: of View 2; None: View 1.
    """

    recipe: str
    seed: int = 0
    fold: int | None = None

    def __str__(self) -> str:
        return f"{self.recipe}-seed{self.seed}" + ("" if self.fold is None else f"-fold{self.fold}")

    @property
    def overrides(self) -> list[str]:
        """For the composition of its parameters."""
        view = ["split.view=1"] if self.fold is None else ["split.view=2", f"split.fold={self.fold}"]
        return [f"recipe={self.recipe}", f"train.seed={self.seed}", *view]


@dataclass(frozen=True)
class Place:
    """The folder of one row; nothing in it is ever half-written, so that a file's presence is the row's state.

    Attributes:
        results: folder of all rows.
        name: of the row.
    """

    results: Path
    name: str

    @property
    def folder(self) -> Path:
        """Of this row's parameters and artefacts."""
        return self.results / "runs" / self.name

    @property
    def params(self) -> Path:
        """The row's params.yaml."""
        return self.folder / "params.yaml"

    @property
    def faces(self) -> Path:
        """Store of the ingest stage, shared by all rows with the same `data` section."""
        return self.results / "faces" / digest(read_params(self.params)["data"])

    @property
    def state(self) -> State:
        """How far it has come."""
        if (self.folder / "evaluation" / "metrics.json").exists():
            return "measured"
        return "trained" if (self.folder / "train" / "run.json").exists() else "planned"


def rows_of(recipes: Sequence[str], seeds: int, *, view2: bool) -> list[Row]:
    """Every row asked for, seed by seed (or fold by fold), so that a first answer for all comes early."""
    if view2:
        return [Row(recipe, 0, fold) for recipe in recipes for fold in range(FOLDS)]
    return [Row(recipe, seed) for seed in range(seeds) for recipe in recipes]


def plan(results: Path, rows: Iterable[Row], overrides: Sequence[str]) -> list[Place]:
    """Composes each row's parameters into its folder; a row whose parameters changed starts anew under them.

    Args:
        results: folder of all rows.
        rows: to plan.
        overrides: of all rows, such as `data=lfw-deepfunneled`.
    """
    places = []
    for row in rows:
        place = Place(results, str(row))
        wanted = compose_params(_ROOT, [*overrides, *row.overrides])
        if place.params.exists() and _without_operations(read_params(place.params)) != wanted:
            retire(place.folder)
        with atomic_path(place.params) as path:
            path.write_text(yaml.safe_dump(wanted, sort_keys=False), encoding="utf-8")
        write_text(place.params.with_name(OPERATIONS), yaml.safe_dump({"tracking": {"enabled": False}}))
        places.append(place)
    return places


def _without_operations(values: dict[str, Any]) -> dict[str, Any]:
    """Rows that were planned by an earlier version hold those sections too."""
    return {name: section for name, section in values.items() if name not in SECTIONS}


def read_params(path: Path) -> dict[str, Any]:
    """A row's parameters."""
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values


def digest(section: Mapping[str, Any]) -> str:
    """Short name of a section's content."""
    return hashlib.sha256(json.dumps(section, sort_keys=True).encode()).hexdigest()[:12]


def retire(folder: Path) -> None:
    """Puts a folder aside under the first free number; results are never deleted."""
    number = next(n for n in range(1, 10_000) if not folder.with_name(f"{folder.name}.old{n}").exists())
    folder.rename(folder.with_name(f"{folder.name}.old{number}"))
