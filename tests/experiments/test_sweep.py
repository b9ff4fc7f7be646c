"""A sweep: the trainings it needs, what is read from them, failures, interruptions."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from likeness.artifacts.sweep_table import SWEEP
from likeness.artifacts.trial import SweptValue, TrialNote
from likeness.errors import DataError
from likeness.experiments.composition import compose_params
from likeness.experiments.experiment_plan import EPOCHS, Point, Sweep, read_plan
from likeness.experiments.sweep import sweep_records
from likeness.experiments.trials import TrialFolder, code_digest, plan_trials
from likeness.params import from_mapping
from likeness.training.params import TrainParams
from tests.data.pictures import write_folder
from tests.experiments.tiny import ROOT, TINY, plan_tiny, trials_of

PLANS = ROOT / "conf" / "plans.yaml"
SWEEPS = [name for name, plan in yaml.safe_load(PLANS.read_text()).items() if "sweep" in plan]
AT = Point(5e-5, 32, 10)
RATES = Sweep(AT, epochs=(1, 3), learning_rate=(5e-5, 1e-3), batch_size=(8, 32), people_share=(0.5, 1.0))
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "holdout_accuracy": [0.5, 0.75, 0.6],
        "holdout_auc": [0.5, 0.8, 0.7],
        "learning_rate": [5e-5] * 3,
        "seconds": [2.0, 3.0, 4.0],
    }
)
CURVE = TrialNote("f", "drawn", "koch", (SweptValue(EPOCHS, 1), SweptValue(EPOCHS, 3)))


def test_one_training_answers_every_number_of_epochs_and_the_common_value_is_trained_once() -> None:
    whole = replace(AT, epochs=3, to_the_end=True)
    assert RATES.points() == {
        whole: [SweptValue(EPOCHS, 1), SweptValue(EPOCHS, 3)],
        AT: [
            SweptValue("train.learning_rate", 5e-5),
            SweptValue("train.batch_size", 32),
            SweptValue("split.people_share", 1.0),
        ],
        replace(AT, learning_rate=1e-3): [SweptValue("train.learning_rate", 1e-3)],
        replace(AT, batch_size=8): [SweptValue("train.batch_size", 8)],
        replace(AT, people_share=0.5): [SweptValue("split.people_share", 0.5)],
    }
    assert len({point.trial("koch", []).name for point in RATES.points()}) == 5


def test_numbers_of_epochs_are_read_at_their_end_and_other_values_from_the_weights_that_were_kept() -> None:
    curve = sweep_records(CURVE, HISTORY, 2, 200, "synthetic", 320)
    assert [(row.value, row.accuracy, row.epoch, row.seconds) for row in curve] == [
        (1, 0.5, 1, 2.0),
        (3, 0.6, 3, 9.0),
    ]
    rate = replace(CURVE, values=(SweptValue("train.learning_rate", 5e-5),))
    (kept,) = sweep_records(rate, HISTORY, 2, 200, "synthetic", 320)
    assert (kept.accuracy, kept.auc, kept.epoch) == (0.75, 0.8, 2)
    assert (kept.low, kept.high) == pytest.approx((0.68566, 0.80492), abs=1e-5)  # Wilson 1927, 150 of 200


def test_a_share_of_the_people_becomes_their_number() -> None:
    half = replace(CURVE, values=(SweptValue("split.people_share", 0.5),))
    (row,) = sweep_records(half, HISTORY, 2, 200, "synthetic", 160)
    assert (row.parameter, row.value, row.accuracy) == ("training people", 160, 0.75)


def test_epochs_of_a_scheduled_training_are_refused() -> None:
    falling = HISTORY.assign(learning_rate=[3e-3, 2e-3, 1e-3])
    with pytest.raises(DataError, match="lr_schedule=constant"):
        list(sweep_records(CURVE, falling, 2, 200, "synthetic", 320))


@pytest.mark.parametrize("name", SWEEPS)
def test_every_training_of_a_shipped_sweep_composes(name: str) -> None:
    plan = read_plan(PLANS, name)
    assert plan.sweep is not None
    (recipe,) = plan.recipes
    train = compose_params(ROOT, [f"recipe={recipe}"])["train"]
    assert (plan.sweep.at.learning_rate, plan.sweep.at.batch_size) == (train["learning_rate"], train["batch_size"])
    for point, trial in zip(plan.sweep.points(), plan.trials(ROOT / "conf"), strict=True):
        values = compose_params(ROOT, [*plan.settings, *trial.overrides])["train"]
        found = from_mapping(TrainParams, values, "conf")
        assert (found.learning_rate, found.batch_size) == (point.learning_rate, point.batch_size)
        assert (found.stopping.patience is None) == point.to_the_end
        split = compose_params(ROOT, [*plan.settings, *trial.overrides])["split"]
        assert split["people_share"] == point.people_share


def test_the_full_sweep_is_the_published_one() -> None:
    sweep = read_plan(PLANS, "full").sweep
    assert sweep is not None
    assert sweep.learning_rate == (5e-6, 1e-5, 3e-5, 5e-5, 7e-5, 1e-4, 1e-3)
    assert sweep.epochs == (1, 2, 3, 5, 10, 15, 20, 30)
    assert sweep.batch_size == (8, 16, 32, 48, 64)


@pytest.mark.fault("D05")
def test_a_trial_on_a_folder_is_another_once_somebody_left_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos", {"Ann/1.jpg": b"1", "Bob/1.jpg": b"2"})

    def planned() -> TrialFolder:
        overrides = ["data=folder", f"data.mirror={folder}"]
        return plan_trials(ROOT, tmp_path, "own", trials_of(), overrides, "recipe small")[0]

    known = planned()
    faces = known.faces
    (known.folder / "model").mkdir()
    assert planned().faces == faces
    assert (known.folder / "model").exists()
    (folder / "Bob" / "1.jpg").unlink()
    assert planned().faces != faces
    assert not (known.folder / "model").exists()


def test_a_trial_of_a_sweep_is_another_once_code_or_parameters_changed_and_nothing_else(tmp_path: Path) -> None:
    trials = [replace(trial, values=(SweptValue("train.epochs", 1),)) for trial in trials_of()]
    (trial,) = plan_tiny(tmp_path, trials)

    def again(*overrides: str) -> bool:
        """Whether a result of before is still there."""
        (trial.folder / "model").mkdir(exist_ok=True)
        plan_tiny(tmp_path, trials, *overrides)
        return (trial.folder / "model").exists()

    assert again()
    older = yaml.safe_load(trial.params.read_text())
    del older["split"]["people_share"]  # a parameter that is newer than the training, at its default
    trial.params.write_text(yaml.safe_dump(older))
    assert again()
    assert again("report.title=Another")
    assert not again("train.batch_size=8")
    note = trial.folder / "trial.json"
    note.write_text(note.read_text().replace(code_digest(ROOT), "0" * 64))
    assert not again("train.batch_size=8")


def test_outside_git_there_is_a_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    with pytest.raises(DataError, match="expected a git repository"):
        code_digest(tmp_path)


@pytest.fixture
def project(faces: Path, tmp_path: Path) -> Path:
    """A repository that tracks no runs; two trainings are planned."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "conf", root / "conf")
    shutil.copy(ROOT / "dvc.yaml", root)
    plan = {
        "recipes": ["small"],
        "settings": [one for one in TINY if not one.startswith("train.")],
        "sweep": {
            "at": {"learning_rate": 1e-3, "batch_size": 32, "epochs": 1},
            "learning_rate": [1e-3, 1e-2],
            "batch_size": [32],
            "people_share": [1.0],
        },
    }
    (root / "conf" / "plans.yaml").write_text(yaml.safe_dump({"tiny": plan}))
    (root / "operations.yaml").write_text("tracking: {enabled: false}\n")
    shutil.copytree(faces, root / "results" / "faces")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.experiments", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": paths},
        text=True,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.mark.slow
def test_a_failure_and_an_interruption_cost_only_the_trainings_that_they_hit(project: Path) -> None:
    planning = start(project, "plan", "tiny")
    assert planning.communicate(timeout=120)[1].count("ingest") == 0
    assert planning.returncode == 0
    first, second = (
        TrialFolder(project / "results", f"small-lr{rate}-batch32-epochs1") for rate in ("0.001", "0.01")
    )
    stopped = start(project, "run")
    while not (first.folder / "train.log").exists():
        assert stopped.poll() is None, stopped.communicate()[1]
        time.sleep(0.1)
    os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does
    assert "started again" in stopped.communicate(timeout=120)[1]
    assert stopped.returncode == 130
    assert (first.state, second.state) == ("planned", "planned")

    params = second.params.read_text()
    second.params.write_text(params.replace("name: residual", "name: unknown"))
    failed = start(project, "run", "--into", "reports/sweep.csv")
    assert f"failed: {second.name}; run again" in failed.communicate(timeout=300)[1]
    assert failed.returncode == 2
    rows = SWEEP.read(project / "reports" / "sweep.csv")
    assert list(rows["parameter"]) == ["train.batch_size", "train.learning_rate", "training people"]
    assert set(rows["training"]) == {"recipe small, " + ", ".join(TINY[:5] + TINY[6:])}

    second.params.write_text(params)
    trained = (first.folder / "train" / "run.json").stat().st_mtime_ns
    again = start(project, "run", "--into", "reports/sweep.csv")
    assert again.communicate(timeout=300)[1].count("epoch") > 0
    assert again.returncode == 0
    rates = SWEEP.read(project / "reports" / "sweep.csv").query("parameter == 'train.learning_rate'")
    assert list(rates["value"]) == [0.001, 0.01]
    assert (first.folder / "train" / "run.json").stat().st_mtime_ns == trained
    assert first.state == "trained"
