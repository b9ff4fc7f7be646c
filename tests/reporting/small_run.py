"""A run of all stages on sixty people of random pixels, made by the stages' own code, in a few seconds.

What the report reads is therefore what the stages write today: a change of their files breaks these tests.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from likeness.artifacts.run_note import RUN_NOTE, Provenance, RunNote
from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.validation_record import VALIDATION, Finding, ValidationRecord, ValidationSummary
from likeness.data.faceset import FaceSet
from likeness.data.protocol import SplitParams, make_split
from likeness.data.splits import Split
from likeness.evaluation.evaluate_model import evaluate_model
from likeness.evaluation.identification import IdentificationParams
from likeness.evaluation.params import EvaluateParams
from likeness.evaluation.results_folder import write_results
from likeness.models.weights import load_model, save_model
from likeness.reporting.artefacts import Places
from likeness.training.outputs import TrainingSetup, build_card, write_training_reports
from likeness.training.params import RecipeParams, TrainParams
from likeness.training.plan import TrainingTask, run_plan
from tests.data.tiny import tiny_faceset
from tests.models.parts import planned
from tests.sharing import shared_folder

PEOPLE = {f"Person_{number:02d}": 1 + number % 4 for number in range(60)}
MODEL = planned(backbone="residual", comparator="weighted-l1", embedding_dim=8, width=0.25, dropout=0.1)
TRAIN = TrainParams(epochs=2, batch_size=16, learning_rate=1e-3)
RECIPE = RecipeParams("tiny", "A residual tower for a test.")
PARAMS = {
    "data": {"source": "folder", "mirror": "/home/somebody/photos", "crop": None, "size": [40, 32]},
    "recipe": dataclasses.asdict(RECIPE),
    "train": {"epochs": 2, "batch_size": 16},
    "report": {"title": "A small run", "decisions": 1, "sample": 10, "rows": 2},
}


def small_run(factory: pytest.TempPathFactory) -> Places:
    """The run, made once for all tests."""
    return _places(shared_folder(factory, "small-run", _make_run))


def _places(root: Path) -> Places:
    return Places(
        root / "params.yaml",
        root / "faces",
        root / "splits",
        root / "model",
        root / "validation.json",
        root / "train",
        root / "evaluation",
    )


def _make_run(root: Path) -> None:
    """Writes everything that a report reads below `root`."""
    places = _places(root)
    places.params.write_text(yaml.safe_dump(PARAMS))
    places.params.with_name("operations.yaml").write_text(yaml.safe_dump({"tracking": {"enabled": False}}))
    faces = tiny_faceset(places.faces, PEOPLE, size=(40, 32))
    make_split(faces, SplitParams(pairs_per_class=60)).write(places.splits)
    VALIDATION.write(places.validation, _validation(faces.source))
    _train(places, faces, Split.open(places.splits), root / "checkpoint")
    params = EvaluateParams(resamples=100, decisions=1, identification=IdentificationParams(ways=5, trials=50))
    write_results(
        places.evaluation, evaluate_model(faces, Split.open(places.splits), load_model(places.model), params)
    )


def _train(places: Places, faces: FaceSet, split: Split, checkpoint: Path) -> None:
    setup = TrainingSetup(MODEL, RECIPE, TRAIN, faces.source, split.card)
    task = TrainingTask(split.training_data, split.holdout, faces.pixels, MODEL, setup.preprocess, TRAIN)
    outcome = run_plan(task, checkpoint=checkpoint, device="cpu")
    save_model(places.model, outcome.network.siamese, build_card(setup, outcome))
    write_training_reports(places.train, setup, outcome)
    code = Provenance("c0ffee" * 6, dirty=True, changed=("a.py",))
    RUN_NOTE.write(places.train / "run.json", RunNote(None, reason="tracking.enabled is false", code=code))


def _validation(source: SourceCard) -> ValidationRecord:
    twins = tuple({"path": f"a/{n}.jpg", "twin_path": f"b/{n}.jpg", "distance": n, "row": n} for n in range(3))
    findings = [
        Finding("images", "images", "critical", True, "There are images.", "150", ()),
        Finding(
            "one name a photograph", "images", "warning", False, "No photograph has two names.", "3 rows", twins
        ),
    ]
    return ValidationRecord(True, source, ValidationSummary.of(findings), tuple(findings))
