"""The files of the stages, each read when it is first asked for; what an optional file would hold is None."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from likeness.artifacts.evaluation_tables import CALIBRATION, CAUSES, CMC, DET, EMBEDDINGS, LAYERS, ROC, SLICES
from likeness.artifacts.history import HISTORY, STEPS
from likeness.artifacts.manifest import MANIFEST, PIXELS
from likeness.artifacts.metrics import METRICS, Metrics
from likeness.artifacts.predictions import PREDICTIONS
from likeness.artifacts.recipe_table import RECIPES
from likeness.artifacts.run_note import RUN_NOTE, RunNote
from likeness.artifacts.shown_decisions import DECISIONS, ShownDecisions
from likeness.artifacts.source_card import SOURCE_CARD, SourceCard
from likeness.artifacts.split import SPLIT_CARD, SplitCard
from likeness.artifacts.sweep_table import SWEEP
from likeness.artifacts.training_summary import SUMMARY, TrainingSummary
from likeness.artifacts.validation_record import VALIDATION, ValidationRecord
from likeness.errors import DataError, ParamsError
from likeness.files import read_json
from likeness.models.card import CARD, Card, read_card
from likeness.yaml_file import parse_yaml

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class Places:
    """Where the stages put their files.

    Attributes:
        params: folder with the parameters that each stage noted, or the params.yaml of stages that noted none.
        faces: folder of ingest.
        splits: folder of split.
        model: folder of the trained model.
        validation: validation.json.
        train: folder of the training's tables.
        evaluation: folder of the evaluation's figures.
        sweep: table of a parameter sweep, see `Artefacts.sweep`; None if there was no sweep.
        recipes: table of measured recipes, see `Artefacts.recipes`; None if there is none.
    """

    params: Path
    faces: Path
    splits: Path
    model: Path
    validation: Path
    train: Path
    evaluation: Path
    sweep: Path | None = None
    recipes: Path | None = None


class Artefacts:
    """Everything that a report can show.

    Source, manifest, split and model card are required; the rest may be missing and is then None.

    Raises:
        DataError: on access: a required file is missing, or any file cannot be read.
    """

    def __init__(self, places: Places) -> None:
        self.places = places

    @cached_property
    def params(self) -> Json:
        """The parameters that the stages used, by section."""
        return _required(self.places.params, _parameters)

    @cached_property
    def source(self) -> SourceCard:
        """The card of the face set."""
        return SOURCE_CARD.read(self.places.faces / SOURCE_CARD.name)

    @cached_property
    def manifest(self) -> pd.DataFrame:
        """One row an image."""
        return MANIFEST.read(self.places.faces / MANIFEST.name)

    @cached_property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The pixel store, uint8 [N, H, W], memory-mapped."""
        return _required(self.places.faces / PIXELS, lambda path: np.load(path, mmap_mode="r"))

    @cached_property
    def split(self) -> SplitCard:
        """The card of the split."""
        return SPLIT_CARD.read(self.places.splits / SPLIT_CARD.name)

    @cached_property
    def card(self) -> Card:
        """The card of the model."""
        return read_card(self.places.model / CARD)

    @cached_property
    def validation(self) -> ValidationRecord | None:
        """Expectations and what came of them."""
        return VALIDATION.find(self.places.validation)

    @cached_property
    def history(self) -> pd.DataFrame | None:
        """One row an epoch."""
        return HISTORY.find(self.places.train / HISTORY.name)

    @cached_property
    def steps(self) -> pd.DataFrame | None:
        """One row an optimiser step."""
        return STEPS.find(self.places.train / STEPS.name)

    @cached_property
    def summary(self) -> TrainingSummary | None:
        """Facts and timings of the training."""
        return SUMMARY.find(self.places.train / SUMMARY.name)

    @cached_property
    def run(self) -> RunNote | None:
        """The tracking run and the state of the code."""
        return RUN_NOTE.find(self.places.train / RUN_NOTE.name)

    @cached_property
    def metrics(self) -> Metrics | None:
        """Figures with their intervals."""
        return METRICS.find(self.places.evaluation / METRICS.name)

    @cached_property
    def roc(self) -> pd.DataFrame | None:
        """The ROC of each system."""
        return ROC.find(self.places.evaluation / ROC.name)

    @cached_property
    def det(self) -> pd.DataFrame | None:
        """Columns system, fmr, fnmr, fnmr_low, fnmr_high."""
        return DET.find(self.places.evaluation / DET.name)

    @cached_property
    def predictions(self) -> pd.DataFrame | None:
        """One row a holdout or test pair."""
        return PREDICTIONS.find(self.places.evaluation / PREDICTIONS.name)

    @cached_property
    def calibration(self) -> pd.DataFrame | None:
        """One row a bin of the reliability diagram."""
        return CALIBRATION.find(self.places.evaluation / CALIBRATION.name)

    @cached_property
    def cmc(self) -> pd.DataFrame | None:
        """The cumulative match characteristic of each system."""
        return CMC.find(self.places.evaluation / CMC.name)

    @cached_property
    def slices(self) -> pd.DataFrame | None:
        """Accuracy on parts of the test pairs."""
        return SLICES.find(self.places.evaluation / SLICES.name)

    @cached_property
    def causes(self) -> pd.DataFrame | None:
        """How often properties stand out among errors."""
        return CAUSES.find(self.places.evaluation / CAUSES.name)

    @cached_property
    def embeddings(self) -> pd.DataFrame | None:
        """The test pictures in two dimensions."""
        return EMBEDDINGS.find(self.places.evaluation / EMBEDDINGS.name)

    @cached_property
    def layers(self) -> pd.DataFrame | None:
        """One row a layer."""
        return LAYERS.find(self.places.evaluation / LAYERS.name)

    @cached_property
    def decisions(self) -> ShownDecisions | None:
        """The best and worst decisions."""
        return DECISIONS.find(self.places.evaluation / DECISIONS.name)

    @cached_property
    def recipes(self) -> pd.DataFrame | None:
        """One row a recipe that `make results` measured."""
        return None if self.places.recipes is None else RECIPES.find(self.places.recipes)

    @cached_property
    def sweep(self) -> pd.DataFrame | None:
        """One row a value of a swept parameter."""
        return None if self.places.sweep is None else SWEEP.find(self.places.sweep)


def _parameters(path: Path) -> Any:
    if not path.is_dir():
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    notes: list[Json] = [read_json(note) for note in sorted(path.glob("*.json"))]
    return {section: values for note in notes for section, values in note.items()}


def records(table: pd.DataFrame) -> list[Json]:
    """The rows of a table as plain mappings; what is not known (NaN) is None."""
    rows = table.to_dict("records")
    return [{str(key): None if value != value else value for key, value in row.items()} for row in rows]


def _required(path: Path, read: Callable[[Path], T]) -> T:
    found = _optional(path, read)
    if found is None:
        raise DataError(f"{path}: is missing, and no report can be made without it; run `dvc repro` first")
    return found


def _optional(path: Path, read: Callable[[Path], T]) -> T | None:
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ParamsError) as error:  # JSON, CSV and Arrow errors are ValueErrors
        raise DataError(f"{path}: cannot be read ({error}); run the stage that writes it again") from error
