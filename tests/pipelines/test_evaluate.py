"""The stage as a program: files in, files out, and a fault reported in a sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from likeness.artifacts.predictions import PREDICTIONS
from likeness.errors import ParamsError
from likeness.models.weights import save_model
from pipelines.evaluate import main
from tests.evaluation import tiny

ROOT = Path(__file__).parents[2]
SECTION = "evaluate: {resamples: 100, decisions: 1, identification: {ways: 3, trials: 20}}\n"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stage")
    store = tiny.faces(folder / "faces")
    split = tiny.split(store, unrestricted=True)
    split.write(folder / "splits")
    loaded = tiny.model(store, split)
    save_model(folder / "model", loaded.siamese, loaded.card)
    (folder / "run.json").write_text('{"run_id": null, "reason": "no tracking in this test"}')
    return folder


def options(inputs: Path, out: Path, section: str) -> dict[str, Path]:
    params = out.with_suffix(".yaml")
    params.write_text(section)
    places = {name: inputs / name for name in ("faces", "splits", "model")}
    return {"params": params, **places, "run": inputs / "run.json", "out": out}


def test_the_stage_writes_its_files(inputs, tmp_path):
    given = options(inputs, tmp_path / "evaluation", SECTION)
    arguments = [text for name, path in given.items() for text in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "pipelines.evaluate", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "evaluation" / "metrics.json").read_text())
    assert metrics["model"]["test"]["accuracy"]["n"] == metrics["protocol"]["pairs"]["test"]["all"]
    assert "no tracking in this test" in done.stderr
    predictions = PREDICTIONS.read(tmp_path / "evaluation" / "predictions.parquet")
    assert set(predictions["split"]) == {"holdout", "test"}


def test_wrong_parameters_are_all_reported_before_any_work(inputs, tmp_path):
    section = "evaluate: {resamples: 1, fmr: [2.0], bootstrap: 3}\n"
    with pytest.raises(ParamsError, match="3 mistakes"):
        main(**options(inputs, tmp_path / "evaluation", section))
    assert not (tmp_path / "evaluation").exists()
