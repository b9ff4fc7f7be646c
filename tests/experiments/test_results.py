"""The tables of results are made by the real stage programs, each trial once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from typer.testing import CliRunner

from likeness.artifacts.recipe_table import RECIPES
from likeness.errors import DataError
from likeness.experiments.experiment_plan import Plan
from likeness.experiments.result_tables import put_into, recipe_records, view1_table, view2_table
from likeness.experiments.runner import finish, same_training, split
from likeness.experiments.store_packing import differences, pack, summed, unpack
from likeness.experiments.trials import TrialFolder
from pipelines.experiments import app
from tests.experiments.tiny import ROOT, TINY, folds_of, measured_trial, plan_tiny, trials_of


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=3, max_side=9)))
def test_packing_loses_nothing(pixels: np.ndarray) -> None:
    assert np.array_equal(summed(differences(pixels)), pixels)


def test_a_packed_store_has_the_needed_pictures_and_black_ones(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (6, 8, 5), np.uint8)
    (tmp_path / "faces").mkdir()
    np.save(tmp_path / "faces" / "pixels.npy", pixels)
    (tmp_path / "faces" / "source.json").write_text("{}")
    pack(tmp_path / "faces", tmp_path / "carried", np.array([1, 4]))
    unpack(tmp_path / "carried")
    found = np.load(tmp_path / "carried" / "pixels.npy")
    assert np.array_equal(found[[1, 4]], pixels[[1, 4]])
    assert not found[[0, 2, 3, 5]].any()
    assert (tmp_path / "carried" / "source.json").exists()


@given(st.integers(1, 5), st.sampled_from([1, 2]))
def test_seeds_come_round_by_round_and_folds_all_ten(seeds: int, view: int) -> None:
    trials = Plan(("arcface", "koch"), seeds=seeds, view=view).trials(ROOT / "conf")
    assert len({trial.name for trial in trials}) == len(trials) == (20 if view == 2 else 2 * seeds)
    if view == 1:
        assert [trial.name for trial in trials[:2]] == ["arcface-seed0", "koch-seed0"]


def test_a_plan_without_recipes_takes_all_but_those_it_leaves_out() -> None:
    named = {trial.name for trial in Plan(without=("small", "best")).trials(ROOT / "conf")}
    recipes = {path.stem for path in (ROOT / "conf" / "recipe").glob("*.yaml")}
    assert named == {f"{recipe}-seed0" for recipe in recipes - {"small", "best"}}


def test_a_trial_with_new_parameters_keeps_its_old_results_aside(tmp_path: Path) -> None:
    (trial,) = plan_tiny(tmp_path, trials_of())
    (trial.folder / "model").mkdir()
    plan_tiny(tmp_path, trials_of(), "report.title=Another")
    assert (trial.folder / "model").exists()
    plan_tiny(tmp_path, trials_of(), "train.learning_rate=0.5")
    assert not (trial.folder / "model").exists()
    assert (tmp_path / "runs" / "small-seed0.old1" / "model").exists()


def test_a_folder_of_the_version_before_is_resumed(tmp_path: Path) -> None:
    """It has no trial.json, and its parameters hold settings of operation."""
    (trial,) = plan_tiny(tmp_path, trials_of())
    (trial.folder / "model").mkdir()
    (trial.folder / "trial.json").unlink()
    trial.params.write_text(yaml.safe_dump(trial.read_params() | {"tracking": {"enabled": False}}))
    assert trial.faces.parent == tmp_path / "faces"
    plan_tiny(tmp_path, trials_of())
    assert (trial.folder / "model").exists()


@pytest.mark.slow
def test_plan_run_and_table(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "faces")
    runner, out = CliRunner(), ["--out", str(tmp_path)]
    plans = tmp_path / "plans.yaml"
    plans.write_text(yaml.safe_dump({"tiny": {"recipes": ["small"], "settings": list(TINY)}}))
    for arguments in (["plan", "tiny", *out, "--plans", str(plans)], ["run", *out]):
        result = runner.invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    trial = TrialFolder(tmp_path, "small-seed0")
    assert trial.state == "measured"
    weights = (trial.folder / "model" / "weights.safetensors").stat().st_mtime_ns
    assert runner.invoke(app, ["run", *out], catch_exceptions=False).exit_code == 0
    assert (trial.folder / "model" / "weights.safetensors").stat().st_mtime_ns == weights

    document = tmp_path / "results.md"
    recipes = tmp_path / "recipes.csv"
    document.write_text("before\n<!-- results view 1: begin -->\nold\n<!-- results view 1: end -->\nafter\n")
    assert (
        runner.invoke(
            app, ["table", *out, "--into", str(document), "--into", str(recipes)], catch_exceptions=False
        ).exit_code
        == 0
    )
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "\nold\n" not in text
    assert re.search(r"^\| `small` \| \w+ \| 1 \| \*\*0\.\d{3}\*\* \[0\.\d{3}, [01]\.\d{3}\]", text, re.MULTILINE)
    (row,) = RECIPES.read(recipes).to_dict("records")
    assert (row["recipe"], row["seeds"]) == ("small", 1)
    assert row["low"] <= row["accuracy"] <= row["high"]
    assert row["parameters"] > 0
    assert row["mmacs"] > 0
    assert re.search(r"^\| classical baseline, (all|\d+×\d+) as \d+×\d+ \|", text, re.MULTILINE)


def test_seeds_of_a_recipe_share_a_line(tmp_path: Path) -> None:
    places = plan_tiny(tmp_path, trials_of(seeds=3))
    rows = [measured_trial(place, accuracy) for place, accuracy in zip(places, (0.80, 0.84, 0.85), strict=True)]
    line = view1_table(rows).splitlines()[2]
    # mean; mean of the intervals' ends, of half a width of 0.02; range
    assert line.startswith("| `small` | restricted | 3 | **0.830** [0.810, 0.850] (0.800–0.850) |")
    (record,) = recipe_records(rows)
    assert (record.recipe, record.seeds, record.protocol) == ("small", 3, "restricted")
    assert (record.accuracy, record.low, record.high) == (0.83, 0.81, 0.85)
    alone = view1_table(rows[1:2]).splitlines()[2]
    assert alone.startswith("| `small` | restricted | 1 | **0.840** [0.820, 0.860] |")


def test_folds_of_one_recipe_and_training_share_a_line(tmp_path: Path) -> None:
    rows = []
    for out, accuracies in ((1, (0.80, 0.84, 0.85)), (2, (0.70, 0.74))):
        places = plan_tiny(tmp_path / str(out), folds_of(len(accuracies)), f"split.folds_out={out}")
        pairs = zip(places, accuracies, strict=True)
        rows += [measured_trial(place, accuracy, fold) for fold, (place, accuracy) in enumerate(pairs)]
    eight, nine = view2_table(rows[::-1]).splitlines()[2:]
    # standard deviation with n - 1, divided by the root of n: 0.0265 / 1.732 and 0.0283 / 1.414
    assert nine.startswith("| `small` | restricted | 9 folds, 1 epochs | 3 of 10 | **0.8300 ± 0.0153** |")
    assert nine.endswith("| +0.0 ± 0.0 | – | 0.800 0.840 0.850 |")
    assert eight.startswith("| `small` | restricted | 8 folds, 1 epochs | 2 of 10 | **0.7200 ± 0.0200** |")
    assert view2_table(rows[:1]) == ""


def test_a_gain_is_taken_fold_by_fold(tmp_path: Path) -> None:
    places = plan_tiny(tmp_path, folds_of(2))
    rows = []
    for fold, (place, ours, member) in enumerate(zip(places, (0.80, 0.90), (0.79, 0.87), strict=True)):
        rows.append(measured_trial(place, ours, fold, best_member=member))
    # gains of 1 and 3 points: their standard deviation is 1.414, divided by the root of two
    assert view2_table(rows).splitlines()[2].endswith("| +0.0 ± 0.0 | +2.0 ± 1.0 | 0.800 0.900 |")


@pytest.mark.slow
def test_folds_that_are_left_out_together_share_a_training(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "faces")
    first, second, third = plan_tiny(tmp_path, folds_of(3), "split.folds_out=2")
    for trial in (first, second, third):
        split(trial)
    assert same_training(second) is None
    finish(first, "cpu", evaluate=False)
    twin = same_training(second)
    assert twin is not None
    assert twin.name == first.name
    assert same_training(third) is None
    finish(second, "cpu", evaluate=True)
    assert second.state == "measured"
    assert not (second.folder / "train.log").exists()
    assert (second.folder / "model" / "weights.safetensors").read_bytes() == (
        first.folder / "model" / "weights.safetensors"
    ).read_bytes()


_BLOCKED = """
import sys
ABSENT = {"dvc", "faiss", "great_expectations", "hydra", "mlflow", "omegaconf", "prefect"}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"{name} is not on this machine")
sys.meta_path.insert(0, Absent())
"""


@pytest.mark.slow
def test_a_packed_row_is_measured_on_a_machine_without_the_project_s_services(faces: Path, tmp_path: Path) -> None:
    """As `make results-gpu` does there; that torch computes on another device is all that differs."""
    shutil.copytree(faces, tmp_path / "here" / "faces")
    changed = ("model.backbone.width=0.125", "split.holdout_draw=0")
    (trial,) = plan_tiny(tmp_path / "here", trials_of("softmax"), *changed)
    overrides = ["--out", str(tmp_path / "here"), "--to", str(tmp_path / "there")]
    result = CliRunner().invoke(app, ["pack", *overrides], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "there" / "faces" / trial.faces.name / "pixels.npy").exists()
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(_BLOCKED)
    paths = [tmp_path / "blocked", ROOT / "src", ROOT, tmp_path / "there" / "packages"]
    command = [sys.executable, "-m", "pipelines.experiments", "run", "--out", str(tmp_path / "there")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert TrialFolder(tmp_path / "there", trial.name).state == "measured"


def test_a_failing_row_is_named_and_its_log_kept(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "faces")
    (trial,) = plan_tiny(tmp_path, trials_of())
    text = trial.params.read_text()
    trial.params.write_text(text.replace("name: residual", "name: unknown"))
    result = CliRunner().invoke(app, ["run", "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert "small-seed0" in str(result.output) + str(result.exception)
    assert "backbone" in (trial.folder / "train.log").read_text()


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("nothing here")
    with pytest.raises(DataError, match=r"README\.md: expected the markers"):
        put_into(document, "| a |", "view 1")
    assert document.read_text() == "nothing here"
