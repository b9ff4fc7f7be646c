"""The table of results is made by the real stage programs, each row once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from typer.testing import CliRunner

from benchmarks.results.__main__ import app
from benchmarks.results.carrying import differences, pack, summed, unpack
from benchmarks.results.rows import Place, Row, plan, rows_of
from benchmarks.results.running import divide, measure, prepare, same_training
from benchmarks.results.table import Measured, put_into, view1_table, view2_table
from likeness.artifacts.training_summary import Machine, PeakMemory, TrainingSummary
from tests.artifacts.samples import sample_metrics

TINY = (
    "data=synthetic",
    "synthetic.people=60",
    "synthetic.train_pairs=60",
    "synthetic.test_pairs=30",
    "synthetic.fold_pairs=4",
    "train.epochs=1",
    "evaluate.resamples=100",
    "evaluate.identification.trials=20",
    "evaluate.baseline.components=20",
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results in which the tiny faces are drawn and validated, and nothing is trained."""
    results = tmp_path_factory.mktemp("results")
    prepare(plan(results, [Row("small")], TINY), results)
    return results / "faces"


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


@given(st.integers(1, 5), st.booleans())
def test_seeds_come_round_by_round_and_folds_all_ten(seeds: int, view2: bool) -> None:
    rows = rows_of(["arcface", "koch"], seeds, view2=view2)
    assert len(set(map(str, rows))) == len(rows) == (20 if view2 else 2 * seeds)
    if not view2:
        assert [row.recipe for row in rows[:2]] == ["arcface", "koch"]


def test_a_row_with_new_parameters_keeps_its_old_results_aside(tmp_path: Path) -> None:
    (place,) = plan(tmp_path, [Row("small")], TINY)
    (place.folder / "model").mkdir()
    plan(tmp_path, [Row("small")], TINY)
    assert (place.folder / "model").exists()
    plan(tmp_path, [Row("small")], [*TINY, "train.epochs=2"])
    assert not (place.folder / "model").exists()
    assert (tmp_path / "runs" / "small-seed0.old1" / "model").exists()


def test_plan_run_and_table(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "faces")
    runner, out = CliRunner(), ["--out", str(tmp_path)]
    overrides = [part for value in TINY for part in ("--set", value)]
    for arguments in (["plan", *out, "--recipe", "small", *overrides], ["run", *out]):
        result = runner.invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    place = Place(tmp_path, "small-seed0")
    assert place.state == "measured"
    weights = (place.folder / "model" / "weights.safetensors").stat().st_mtime_ns
    assert runner.invoke(app, ["run", *out], catch_exceptions=False).exit_code == 0
    assert (place.folder / "model" / "weights.safetensors").stat().st_mtime_ns == weights

    document = tmp_path / "results.md"
    document.write_text("before\n<!-- results view 1: begin -->\nold\n<!-- results view 1: end -->\nafter\n")
    assert runner.invoke(app, ["table", *out, "--into", str(document)], catch_exceptions=False).exit_code == 0
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "\nold\n" not in text
    assert re.search(r"^\| `small` \| \w+ \| 1 \| \*\*0\.\d{3}\*\* \[0\.\d{3}, [01]\.\d{3}\]", text, re.MULTILINE)
    assert re.search(r"^\| classical baseline, (all|\d+×\d+) as \d+×\d+ \|", text, re.MULTILINE)


def test_seeds_of_a_recipe_share_a_line(tmp_path: Path) -> None:
    places = plan(tmp_path, rows_of(["small"], 3, view2=False), TINY)
    rows = [_measured(place, accuracy) for place, accuracy in zip(places, (0.80, 0.84, 0.85), strict=True)]
    line = view1_table(rows).splitlines()[2]
    # mean; mean of the intervals' ends, of half a width of 0.02; range
    assert line.startswith("| `small` | restricted | 3 | **0.830** [0.810, 0.850] (0.800–0.850) |")
    alone = view1_table(rows[1:2]).splitlines()[2]
    assert alone.startswith("| `small` | restricted | 1 | **0.840** [0.820, 0.860] |")


def test_folds_of_one_recipe_and_training_share_a_line(tmp_path: Path) -> None:
    rows = []
    for out, accuracies in ((1, (0.80, 0.84, 0.85)), (2, (0.70, 0.74))):
        folds = [Row("small", fold=fold) for fold in range(len(accuracies))]
        places = plan(tmp_path / str(out), folds, [*TINY, f"split.folds_out={out}"])
        pairs = zip(places, accuracies, strict=True)
        rows += [_measured(place, accuracy, fold) for fold, (place, accuracy) in enumerate(pairs)]
    eight, nine = view2_table(rows[::-1]).splitlines()[2:]
    # standard deviation with n - 1, divided by the root of n: 0.0265 / 1.732 and 0.0283 / 1.414
    assert nine.startswith("| `small` | restricted | 9 folds, 1 epochs | 3 of 10 | **0.8300 ± 0.0153** |")
    assert nine.endswith("| +0.0 ± 0.0 | – | 0.800 0.840 0.850 |")
    assert eight.startswith("| `small` | restricted | 8 folds, 1 epochs | 2 of 10 | **0.7200 ± 0.0200** |")
    assert view2_table(rows[:1]) == ""


def test_a_gain_is_taken_fold_by_fold(tmp_path: Path) -> None:
    places = plan(tmp_path, [Row("small", fold=fold) for fold in (0, 1)], TINY)
    rows = []
    for fold, (place, ours, member) in enumerate(zip(places, (0.80, 0.90), (0.79, 0.87), strict=True)):
        rows.append(_measured(place, ours, fold, best_member=member))
    # gains of 1 and 3 points: their standard deviation is 1.414, divided by the root of two
    assert view2_table(rows).splitlines()[2].endswith("| +0.0 ± 0.0 | +2.0 ± 1.0 | 0.800 0.900 |")


def _measured(place: Place, value: float, fold: int | None = None, **others: float) -> Measured:
    metrics = sample_metrics(value, value, half_width=0.02, fold=fold, **others)
    summary = TrainingSummary(
        epochs=1,
        device="cpu",
        outside_data="none",
        parameters=1_000_000,
        trainable_parameters=1_000_000,
        seconds=60,
        seconds_to_best=60,
        processes=1,
        peak_memory_bytes=PeakMemory(1, 0),
        machine=Machine("x", "x", 1, 1),
        params={},
    )
    return Measured(place, metrics, summary, mmacs=1.0)


@pytest.mark.slow
def test_folds_that_are_left_out_together_share_a_training(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "faces")
    rows = [Row("small", fold=fold) for fold in (0, 1, 2)]
    first, second, third = plan(tmp_path, rows, [*TINY, "split.folds_out=2"])
    for place in (first, second, third):
        divide(place)
    assert same_training(second) is None
    measure(first, "cpu", evaluate=False)
    twin = same_training(second)
    assert twin is not None
    assert twin.name == first.name
    assert same_training(third) is None
    measure(second, "cpu", evaluate=True)
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
    (place,) = plan(tmp_path / "here", [Row("softmax")], [*TINY, "model.width=0.125", "split.holdout_draw=0"])
    overrides = ["--out", str(tmp_path / "here"), "--to", str(tmp_path / "there")]
    result = CliRunner().invoke(app, ["pack", *overrides], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "there" / "faces" / place.faces.name / "pixels.npy").exists()
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(_BLOCKED)
    root = Path(__file__).parents[2]
    paths = [tmp_path / "blocked", root / "src", root, tmp_path / "there" / "packages"]
    command = [sys.executable, "-m", "benchmarks.results", "run", "--out", str(tmp_path / "there")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Place(tmp_path / "there", place.name).state == "measured"


def test_a_failing_row_is_named_and_its_log_kept(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "faces")
    (place,) = plan(tmp_path, [Row("small")], TINY)
    text = place.params.read_text()
    place.params.write_text(text.replace("backbone: ", "backbone: un"))
    result = CliRunner().invoke(app, ["run", "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert "small-seed0" in str(result.output) + str(result.exception)
    assert "backbone" in (place.folder / "train.log").read_text()


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("nothing here")
    with pytest.raises(ValueError, match=r"README\.md: expected the markers"):
        put_into(document, "| a |", "view 1")
    assert document.read_text() == "nothing here"
