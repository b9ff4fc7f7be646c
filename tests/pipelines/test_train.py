"""The train stage as DVC runs it: a program of its own over the files of the stages before."""

from __future__ import annotations

import csv
import dataclasses
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
import torch
import yaml

from likeness.artifacts.history import EpochRecord, StepRecord
from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.split import SideCounts, SplitCard, SplitName
from likeness.data.faceset import FaceSet
from likeness.data.splits import Split
from likeness.errors import DataError, ModelError, ParamsError
from likeness.models.card import read_card
from likeness.models.export import export_onnx
from likeness.models.preprocess import Preprocess
from likeness.models.tensors import read_tensors
from likeness.models.towers.adding import add_tower, try_tower
from likeness.models.towers.presets import PRESETS
from likeness.models.towers.tower_card import TOWER_CARD, tower_summary
from likeness.models.weights import load_model
from pipelines.train import main
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
    counts = SideCounts(32, 16, 16, 0.5, 0, 48, 12)
    splits: dict[SplitName, SideCounts] = {"train": counts, "holdout": counts, "test": counts}
    card = SplitCard(protocol="restricted", fingerprint=face_set.source.fingerprint, splits=splits)
    Split(train, holdout, test, None, None, card).write(folder / "splits")
    return folder


def places(prepared: Path, out: Path, params: dict[str, Any]) -> dict[str, Path]:
    """The stage's paths; writes its params.yaml and operations.yaml."""
    out.mkdir(exist_ok=True)
    (out / "params.yaml").write_text(yaml.safe_dump(params))
    if not (out / "operations.yaml").exists():
        (out / "operations.yaml").write_text(yaml.safe_dump({"tracking": {"enabled": False}}))
    given = {"params": out / "params.yaml", "faces": prepared / "faces", "splits": prepared / "splits"}
    return {**given, **{name: out / name for name in ("model", "reports", "checkpoint")}}


def run_stage(prepared: Path, out: Path, params: dict[str, Any], **other: Path) -> None:
    """The stage in this process, with one thread, because the number of threads decides the last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        main(**{**places(prepared, out, params), **other}, device="cpu")
    finally:
        torch.set_num_threads(threads)


def program(prepared: Path, out: Path, params: dict[str, Any]) -> subprocess.Popen[str]:
    """The stage as DVC starts it."""
    options = [text for name, path in places(prepared, out, params).items() for text in (f"--{name}", str(path))]
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.train", *options, "--device", "cpu"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def trained(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished stage."""
    out = tmp_path_factory.mktemp("trained")
    run_stage(prepared, out, PARAMS)
    return out


def test_the_model_is_usable_from_its_folder_alone(trained: Path, prepared: Path) -> None:
    loaded = load_model(trained / "model")
    card = loaded.card
    source = FaceSet.open(prepared / "faces").source
    assert (card.recipe, card.protocol, card.outside_data, card.mirror) == ("tiny", "restricted", "none", True)
    assert card.preprocess == Preprocess((SIDE, SIDE), (64, 64), "image")
    assert (card.fingerprint, card.synthetic) == (source.fingerprint, True)
    assert card.trained.epochs == 3
    assert card.decision.slope > 0


def test_curves_and_summary_agree(trained: Path) -> None:
    reports = trained / "reports"
    history, steps = (list(csv.DictReader((reports / name).open())) for name in ("history.csv", "steps.csv"))
    summary = json.loads((reports / "summary.json").read_text())
    assert list(history[0]) == list(EpochRecord.__annotations__)
    assert list(steps[0]) == list(StepRecord.__annotations__)
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    assert len(steps) == 6
    kept = history[summary["best_epoch"] - 1]
    assert float(kept["holdout_auc"]) == summary["holdout"]["auc"]
    assert summary["holdout"]["auc"] == max(float(row["holdout_auc"]) for row in history)
    assert summary["params"]["train"]["learning_rate"] == 3e-3
    assert summary["peak_memory_bytes"]["host"] > 1e8
    assert json.loads((reports / "run.json").read_text())["run_id"] is None
    assert not (trained / "checkpoint").exists()


def test_interrupted_it_says_how_to_go_on_and_ends_with_the_same_weights(prepared: Path, tmp_path: Path) -> None:
    long = {**PARAMS, "train": {**PARAMS["train"], "epochs": 25}}
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run_stage(prepared, whole, long)
    process = program(prepared, parts, long)
    while not (parts / "checkpoint" / "training.safetensors").exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert "interrupted by SIGTERM" in said
    assert "Traceback" not in said
    assert not (parts / "model").exists()
    process = program(prepared, parts, long)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "continuing with epoch" in said
    assert "epoch 25/25: loss" in said
    name = "weights.safetensors"
    assert (parts / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()


def test_mistakes_are_reported_before_any_work(prepared: Path, tmp_path: Path) -> None:
    wrong = {**PARAMS["train"], "batch_size": 1, "learnig_rate": 0.1}
    with pytest.raises(ParamsError) as error:
        run_stage(prepared, tmp_path, {**PARAMS, "train": wrong})
    assert "train.batch_size: expected a whole number >= 2, found 1" in str(error.value)
    assert "train.learnig_rate: unknown key, did you mean learning_rate?" in str(error.value)


def test_a_restricted_split_refuses_a_recipe_that_needs_identities(prepared: Path, tmp_path: Path) -> None:
    recipe = {**PARAMS["train"], "loss": {"name": "arcface"}, "sampler": "identities"}
    with pytest.raises(ParamsError, match="the protocol is restricted"):
        run_stage(prepared, tmp_path, {**PARAMS, "train": recipe})
    assert not (tmp_path / "model").exists()


def test_a_store_that_does_not_answer_stops_nothing(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "operations.yaml").write_text(yaml.safe_dump({"tracking": {"uri": "http://127.0.0.1:9"}}))
    run_stage(prepared, tmp_path, PARAMS)
    run = json.loads((tmp_path / "reports" / "run.json").read_text())
    assert run["run_id"] is None
    assert run["reason"]
    assert (tmp_path / "model" / "card.json").exists()


def test_a_split_of_other_faces_is_refused(prepared: Path, tmp_path: Path) -> None:
    split = Split.open(prepared / "splits")
    other = dataclasses.replace(split, card=dataclasses.replace(split.card, fingerprint="other"))
    other.write(tmp_path / "splits")
    with pytest.raises(DataError, match="the split was made from other faces"):
        run_stage(prepared, tmp_path, PARAMS, splits=tmp_path / "splits")


def test_a_frozen_network_is_only_measured(trained: Path, prepared: Path, tmp_path: Path) -> None:
    """As with an outside tower: threshold and calibration are fitted, the weights stay what they were."""
    weights = trained / "model" / "weights.safetensors"
    model = {**PARAMS["model"], "frozen": True, "init_from": str(weights)}
    train = {**PARAMS["train"], "loss": {"name": "contrastive"}}
    run_stage(prepared, tmp_path, {**PARAMS, "model": model, "train": train})
    before, after = read_tensors(weights), read_tensors(tmp_path / "model" / "weights.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)
    card = load_model(tmp_path / "model").card
    assert card.trained.stop_reason == "every weight is frozen: nothing to train"
    assert card.outside_data == "none"  # as the card beside those weights says
    learnt = load_model(trained / "model").card.decision
    assert card.decision.threshold == pytest.approx(learnt.threshold, abs=1e-6)


@pytest.fixture(scope="module")
def outside(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Parameters for the tower of the finished stage, exported, as somebody else would use it."""
    path = tmp_path_factory.mktemp("outside") / "own.onnx"
    loaded = load_model(trained / "model")
    export_onnx(path, loaded.siamese, loaded.card)
    model = {"backbone": "external", "comparator": "cosine", "embedding_dim": 16, "external": {"onnx": str(path)}}
    train = {"epochs": 0, "standardise": "unit"}
    return {**PARAMS, "model": model, "train": train}


@pytest.mark.parametrize(("stated", "category"), [(None, "labelled (external tower)"), ("none", "none")])
def test_a_tower_from_outside_gets_a_decision_and_its_category(
    outside: dict[str, Any], trained: Path, prepared: Path, tmp_path: Path, stated: str | None, category: str
) -> None:
    run_stage(prepared, tmp_path, {**outside, "recipe": {"name": "external", "outside_data": stated}})
    card, own = load_model(tmp_path / "model").card, load_model(trained / "model").card
    assert card.outside_data == category
    assert card.decision.threshold == pytest.approx(own.decision.threshold, abs=1e-4)
    assert card.trained.holdout is not None
    assert own.trained.holdout is not None
    assert card.trained.holdout.auc == pytest.approx(own.trained.holdout.auc, abs=5e-3)
    summary = json.loads((tmp_path / "reports" / "summary.json").read_text())
    assert (summary["epochs"], summary["outside_data"]) == (0, category)
    assert (tmp_path / "reports" / "history.csv").read_text().startswith("epoch,train_loss")


def test_a_tower_with_a_card_is_named_by_it(outside: dict[str, Any], prepared: Path, tmp_path: Path) -> None:
    onnx = Path(outside["model"]["external"]["onnx"])
    faces = FaceSet.open(prepared / "faces").source
    described = dataclasses.replace(
        PRESETS["sface"], name="elsewhere", size=faces.size, channels=1, align=faces.align, crop=faces.crop
    )
    card, _ = add_tower(try_tower(onnx, described), onnx, tmp_path / "towers", None)
    model = {"backbone": {"name": "external", "card": str(card)}, "comparator": "cosine", "embedding_dim": 16}
    run_stage(prepared, tmp_path, {**outside, "model": model})
    trained = load_model(tmp_path / "model").card
    assert trained.outside_data == "labelled outside data (tower elsewhere)"
    assert trained.model.backbone.towers[0].licence == "Apache-2.0"
    assert tower_summary([read_card(tmp_path / "model" / "card.json").model.backbone]).startswith("elsewhere (Apa")
    summary = json.loads((tmp_path / "reports" / "summary.json").read_text())
    assert summary["params"]["model"]["backbone"]["tower"]["layout"] == "uint8"
    TOWER_CARD.write(card, dataclasses.replace(TOWER_CARD.read(card), align="lfw-frame"))
    with pytest.raises(ModelError, match=r"set data.align=lfw-frame \(found none\)"):
        run_stage(prepared, tmp_path, {**outside, "model": model})


def test_a_tower_from_outside_is_not_fed_standardised_images(
    outside: dict[str, Any], prepared: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="set standardise to unit"):
        run_stage(prepared, tmp_path, {**outside, "train": {"epochs": 0, "standardise": "image"}})
