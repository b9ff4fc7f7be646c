"""A sweep: the trainings it needs, what is read from them, DVC's real queue, failures, interruptions."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from likeness.errors import DataError
from likeness.params import from_mapping, load_document, section_of
from likeness.training.params import TrainParams
from pipelines.sweep.identity import identity
from pipelines.sweep.plan import Plan, Training, Value
from pipelines.sweep.table import Result, rows
from tests.data.pictures import write_folder

ROOT = Path(__file__).parents[2]
SHIPPED = yaml.safe_load((ROOT / "conf" / "sweep.yaml").read_text())
AT = Training(5e-5, 32, 10)
PLAN = Plan("koch", (), AT, epochs=(1, 3), learning_rate=(5e-5, 1e-3), batch_size=(8, 32))
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "holdout_accuracy": [0.5, 0.75, 0.6],
        "holdout_auc": [0.5, 0.8, 0.7],
        "learning_rate": [5e-5] * 3,
        "seconds": [2.0, 3.0, 4.0],
    }
)
RESULT = Result(HISTORY, best_epoch=2, pairs=200, faces="synthetic", run={"run_id": None})


def test_one_training_answers_every_number_of_epochs_and_the_common_value_is_trained_once() -> None:
    whole = replace(AT, epochs=3, to_the_end=True)
    assert PLAN.trainings() == {
        whole: [Value("train.epochs", 1), Value("train.epochs", 3)],
        AT: [Value("train.learning_rate", 5e-5), Value("train.batch_size", 32)],
        replace(AT, learning_rate=1e-3): [Value("train.learning_rate", 1e-3)],
        replace(AT, batch_size=8): [Value("train.batch_size", 8)],
    }


def test_numbers_of_epochs_are_read_at_their_end_and_other_values_from_the_weights_that_were_kept() -> None:
    whole, rate = replace(AT, epochs=3, to_the_end=True), Value("train.learning_rate", 5e-5)
    curve = rows(whole, [Value("train.epochs", 1), Value("train.epochs", 3)], RESULT, "koch")
    assert [(row["value"], row["accuracy"], row["epoch"], row["seconds"]) for row in curve] == [
        (1, 0.5, 1, 2.0),
        (3, 0.6, 3, 9.0),
    ]
    (kept,) = rows(AT, [rate], RESULT, "koch")
    assert (kept["accuracy"], kept["auc"], kept["epoch"]) == (0.75, 0.8, 2)
    assert (kept["low"], kept["high"]) == pytest.approx((0.68566, 0.80492), abs=1e-5)  # Wilson 1927, 150 of 200


def test_epochs_of_a_scheduled_training_are_refused() -> None:
    falling = replace(RESULT, history=HISTORY.assign(learning_rate=[3e-3, 2e-3, 1e-3]))
    with pytest.raises(DataError, match="lr_schedule=constant"):
        rows(replace(AT, to_the_end=True), [Value("train.epochs", 1)], falling, "koch")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_training_of_a_shipped_plan_composes(name: str) -> None:
    plan = section_of(load_document(ROOT / "conf" / "sweep.yaml"), "sweep.yaml", name, Plan)
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        recipe = compose("config", [f"recipe={plan.recipe}"]).train
        assert (plan.at.learning_rate, plan.at.batch_size) == (recipe.learning_rate, recipe.batch_size)
        for training in plan.trainings():
            overrides = [f"recipe={plan.recipe}", *plan.settings, *training.overrides]
            train = from_mapping(TrainParams, _plain(compose("config", overrides).train), "conf")
            assert (train.learning_rate, train.batch_size) == (training.learning_rate, training.batch_size)
            assert (train.stopping.patience is None) == training.to_the_end


def test_the_full_plan_is_the_published_one() -> None:
    plan = SHIPPED["full"]
    assert plan["learning_rate"] == [5e-6, 1e-5, 3e-5, 5e-5, 7e-5, 1e-4, 1e-3]
    assert plan["epochs"] == [1, 2, 3, 5, 10, 15, 20, 30]
    assert plan["batch_size"] == [8, 16, 32, 48, 64]


@pytest.mark.fault("D05")
def test_a_sweep_over_a_folder_is_another_once_somebody_left_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "photos", {"Ann/1.jpg": b"1", "Bob/1.jpg": b"2"})
    overrides = ["data=folder", f"data.mirror={folder}"]
    known = identity(ROOT, overrides)
    assert identity(ROOT, overrides) == known
    (folder / "Bob" / "1.jpg").unlink()
    assert identity(ROOT, overrides) != known


def test_a_training_is_known_by_what_its_stages_read_and_by_nothing_else() -> None:
    known = identity(ROOT, ["recipe=koch"])
    assert identity(ROOT, ["recipe=koch"]) == known
    assert identity(ROOT, ["recipe=koch", "report.title=Another", "evaluate.resamples=10"]) == known
    assert identity(ROOT, ["recipe=koch", "train.batch_size=8"]) != known


def test_outside_git_there_is_a_sentence(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    with pytest.raises(DataError, match="git cannot tell"):
        identity(tmp_path, ["recipe=koch"])


STAGE = """
    import json, os, time
    from pathlib import Path
    import yaml
    train = yaml.safe_load(Path("params.yaml").read_text())["train"]
    with open(os.environ["SWEEP_LOG"], "a") as log:
        print(train["learning_rate"], file=log)
    while train["learning_rate"] == 3e-5 and Path(os.environ["SWEEP_LOG"]).with_name("slow").exists():
        time.sleep(0.05)
    assert train["learning_rate"] != 1e-3
    files = {
        "data/faces/source.json": {"source": "drawn"},
        "data/splits/card.json": {"splits": {"holdout": {"pairs": 200}}},
        "reports/train/summary.json": {"best_epoch": 1},
        "reports/train/run.json": {"run_id": None},
    }
    for name, value in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(json.dumps(value))
    accuracy = 0.5 + 100 * train["learning_rate"]
    head = "epoch,holdout_accuracy,holdout_auc,learning_rate,seconds"
    Path("reports/train/history.csv").write_text(f"{head}\\n1,{accuracy},0.5,1,1\\n")
"""
STAGES = {
    "train": {
        "cmd": "python stage.py",
        "params": ["train"],
        "deps": ["stage.py"],
        "outs": ["data/faces", "data/splits", "reports/train"],
    }
}
CONFIG = {"core.analytics": "false", "core.check_update": "false", "hydra.enabled": "true"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of one stage that writes what a training writes; three trainings are planned."""
    root = tmp_path / "project"
    (root / "conf" / "recipe").mkdir(parents=True)
    train = {"learning_rate": 5e-5, "batch_size": 32, "epochs": 1, "stopping": {"patience": 5}}
    values = {"defaults": ["_self_", {"recipe": "koch"}], "train": train}
    plan = {"recipe": "koch", "settings": [], "at": {key: train[key] for key in list(train)[:3]}}
    swept = {"epochs": [], "learning_rate": [5e-5, 3e-5, 1e-3], "batch_size": [32]}
    texts = {
        "conf/config.yaml": values,
        "conf/recipe/koch.yaml": {},
        "conf/sweep.yaml": {"tiny": plan | swept},
        "params.yaml": {"train": train},
        "dvc.yaml": {"stages": STAGES},
    }
    for name, value in texts.items():
        (root / name).write_text(yaml.safe_dump(value, sort_keys=False))
    (root / "stage.py").write_text(textwrap.dedent(STAGE))
    (root / ".gitignore").write_text("/data\n/reports\n")
    for command in (
        ["git", "init", "-q"],
        [sys.executable, "-m", "dvc", "init", "-q"],
        *([sys.executable, "-m", "dvc", "config", key, value] for key, value in CONFIG.items()),
        ["git", "config", "user.name", "A"],
        ["git", "config", "user.email", "a@example.org"],
        ["git", "add", "-A"],
        ["git", "commit", "-qm", "all"],
    ):
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    return root


def start(project: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipelines.sweep", "--plan", "tiny", "--project", str(project)]
    places = ["--plans", str(project / "conf" / "sweep.yaml"), "--out", str(project / "reports" / "sweep.csv")]
    environ = os.environ | {"SWEEP_LOG": str(log(project)), "PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [*command, *places], cwd=ROOT, env=environ, text=True, start_new_session=True, **streams
    )


def log(project: Path) -> Path:
    return project.with_name("trained.txt")


def trained(project: Path) -> list[str]:
    return log(project).read_text().split() if log(project).exists() else []


def test_a_failure_and_an_interruption_cost_only_the_trainings_that_they_hit(project: Path) -> None:
    slow = log(project).with_name("slow")
    slow.touch()
    stopped = start(project)
    while "3e-05" not in trained(project):
        assert stopped.poll() is None, stopped.communicate()[1]
        time.sleep(0.2)
    os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does
    assert "started again" in stopped.communicate(timeout=120)[1]
    assert stopped.returncode == 130
    slow.unlink()

    failed = start(project)
    told = failed.communicate(timeout=300)[1]
    assert failed.returncode == 2
    assert "without result: tiny-lr0.001-" in told
    table = pd.read_csv(project / "reports" / "sweep.csv").set_index(["parameter", "value"])
    assert table["accuracy"].to_dict() == pytest.approx(
        {
            ("train.learning_rate", 5e-5): 0.505,
            ("train.learning_rate", 3e-5): 0.503,
            ("train.batch_size", 32.0): 0.505,
        }
    )
    assert sorted(trained(project)) == ["0.001", "3e-05", "3e-05", "5e-05"]


def _plain(node: object) -> dict[str, object]:
    values = OmegaConf.to_container(node, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}
