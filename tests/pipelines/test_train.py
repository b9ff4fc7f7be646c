"""The train stage as DVC runs it: a program of its own over the files of the stages before."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from likeness.data.faceset import FaceSet, SourceCard
from likeness.data.splits import Split
from likeness.models.weights import load_model
from likeness.training.records import EpochRecord, StepRecord
from tests.data.tiny import tiny_manifest
from tests.training.tiny import faces, pairs

ROOT = Path(__file__).parents[2]
SIDE = 32
PARAMS: dict[str, Any] = {
    "model": {"backbone": "residual", "comparator": "cosine", "embedding_dim": 16, "width": 0.125, "dropout": 0.1},
    "recipe": {"name": "tiny"},
    "train": {
        "epochs": 3,
        "batch_size": 16,
        "optimizer": "adamw",
        "learning_rate": 3e-3,
        "standardise": "image",
        "mirror_average": True,
        "loss": {"name": "bce", "scale": 5.0},
        "augment": {"mirror": True, "noise": 0.05},
        "stopping": {"monitor": "auc", "patience": None, "min_delta": 0.0},
    },
    "tracking": {"enabled": False},
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `faces` and `splits`."""
    folder = tmp_path_factory.mktemp("prepared")
    pixels, person = faces(24, 4)
    manifest = tiny_manifest({f"Person_{number:02d}": 4 for number in range(24)})
    source = SourceCard("folder", synthetic=True, alignment="synthetic", place="tiny", crop=(64, 64))
    doubled = pixels.repeat(SIDE // 16, axis=1).repeat(SIDE // 16, axis=2)
    face_set = FaceSet.create(folder / "faces", doubled, manifest, source)
    sides = [np.flatnonzero((person >= low) & (person < high)) for low, high in [(0, 12), (12, 18), (18, 24)]]
    train, holdout, test = (pairs(person, rows, 32) for rows in sides)
    counts = {name: {"pairs": 32} for name in ("train", "holdout", "test")}
    card = {"protocol": "restricted", "view": 1, "fingerprint": face_set.source.fingerprint, "splits": counts}
    Split(train, holdout, test, None, None, card).write(folder / "splits")
    return folder


def command(prepared: Path, out: Path, params: dict[str, Any]) -> list[str]:
    out.mkdir(exist_ok=True)
    (out / "params.yaml").write_text(yaml.safe_dump(params))
    return [
        *(sys.executable, "-m", "pipelines.train"),
        *("--params", str(out / "params.yaml"), "--faces", str(prepared / "faces")),
        *("--splits", str(prepared / "splits"), "--model", str(out / "model")),
        *("--reports", str(out / "reports"), "--checkpoint", str(out / "checkpoint"), "--device", "cpu"),
    ]


def start(arguments: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(arguments, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def finished(arguments: list[str]) -> tuple[int, str]:
    """Exit code, and what was said on stderr."""
    process = start(arguments)
    _, told = process.communicate(timeout=120)
    return process.returncode, told


@pytest.fixture(scope="module")
def trained(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished stage."""
    out = tmp_path_factory.mktemp("trained")
    code, told = finished(command(prepared, out, PARAMS))
    assert code == 0, told
    assert "epoch 3/3: loss" in told
    return out


def test_the_model_is_usable_from_its_folder_alone(trained: Path, prepared: Path) -> None:
    loaded = load_model(trained / "model")
    card = loaded.card
    source = FaceSet.open(prepared / "faces").source
    assert (card.recipe, card.protocol, card.outside_data, card.mirror) == ("tiny", "restricted", "none", True)
    assert (card.preprocess.size, card.preprocess.crop, card.preprocess.standardise) == ((SIDE, SIDE), (64, 64), "image")
    assert (card.fingerprint, card.synthetic) == (source.fingerprint, True)
    assert card.trained["epochs"] == 3
    assert card.decision.slope > 0


def test_curves_and_summary_tell_the_same_story(trained: Path) -> None:
    reports = trained / "reports"
    history, steps = (list(csv.DictReader((reports / name).open())) for name in ("history.csv", "steps.csv"))
    summary = json.loads((reports / "summary.json").read_text())
    assert list(history[0]) == list(EpochRecord.__annotations__)
    assert list(steps[0]) == list(StepRecord.__annotations__)
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    assert len(steps) == 6
    kept = history[summary["best_epoch"] - 1]
    assert float(kept["holdout_auc"]) == summary["holdout"]["auc"] == max(float(row["holdout_auc"]) for row in history)
    assert summary["params"]["train"]["learning_rate"] == 3e-3
    assert summary["peak_memory_bytes"]["host"] > 1e8
    assert json.loads((reports / "run.json").read_text())["run_id"] is None
    assert not (trained / "checkpoint").exists()


def test_interrupted_it_says_how_to_go_on_and_ends_with_the_same_weights(
    trained: Path, prepared: Path, tmp_path: Path
) -> None:
    long = {**PARAMS, "train": {**PARAMS["train"], "epochs": 60}}
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    code, told = finished(command(prepared, whole, long))
    assert code == 0, told
    process = start(command(prepared, parts, long))
    while not (parts / "checkpoint" / "training.safetensors").exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert "interrupted by SIGTERM" in told
    assert "Traceback" not in told
    assert not (parts / "model").exists()
    code, told = finished(command(prepared, parts, long))
    assert code == 0
    assert "going on with epoch" in told
    name = "weights.safetensors"
    assert (parts / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()


def test_mistakes_are_told_before_any_work(prepared: Path, tmp_path: Path) -> None:
    wrong = {**PARAMS["train"], "batch_size": 1, "learnig_rate": 0.1}
    code, told = finished(command(prepared, tmp_path, {**PARAMS, "train": wrong}))
    assert code == 2
    assert "train.batch_size: expected a whole number >= 2, found 1" in told
    assert "train.learnig_rate: unknown key, did you mean learning_rate?" in told
    assert "Traceback" not in told


def test_a_restricted_split_refuses_a_recipe_that_needs_identities(prepared: Path, tmp_path: Path) -> None:
    recipe = {**PARAMS["train"], "loss": {"name": "arcface"}, "sampler": {"kind": "identities"}}
    code, told = finished(command(prepared, tmp_path, {**PARAMS, "train": recipe}))
    assert code == 2
    assert "the protocol is restricted" in told


def test_a_store_that_does_not_answer_stops_nothing(prepared: Path, tmp_path: Path) -> None:
    away = {**PARAMS, "tracking": {"enabled": True, "uri": "http://127.0.0.1:9"}}
    code, told = finished(command(prepared, tmp_path, away))
    assert code == 0, told
    run = json.loads((tmp_path / "reports" / "run.json").read_text())
    assert run["run_id"] is None
    assert run["reason"]
    assert (tmp_path / "model" / "card.json").exists()


def test_a_split_of_other_faces_is_refused(prepared: Path, tmp_path: Path) -> None:
    split = Split.open(prepared / "splits")
    Split(split.train, split.holdout, split.test, None, None, {**split.card, "fingerprint": "other"}).write(
        tmp_path / "splits"
    )
    arguments = command(prepared, tmp_path, PARAMS)
    arguments[arguments.index("--splits") + 1] = str(tmp_path / "splits")
    code, told = finished(arguments)
    assert code == 2
    assert "the split speaks of other faces" in told
