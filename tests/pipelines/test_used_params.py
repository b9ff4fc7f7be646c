"""Parameters that are edited while a stage runs: nothing is recorded under values that it was not run with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from likeness.data.protocol import SplitParams
from likeness.errors import ChangedParamsError
from likeness.files import read_json
from pipelines._stage import confirm_parameters
from tests.nightly.toy_project import ROOT, environment, initialise, wait_until
from tests.pipelines.real_project import real_project

pytestmark = pytest.mark.attack("7")
PROGRAM = '''
"""A stage that writes its seed, once a file says that it may end."""
import time
from pathlib import Path
from likeness.data.protocol import SplitParams
from likeness.params import read_params
from pipelines._stage import confirm_parameters, run
def main() -> None:
    split = read_params(Path("params.yaml"), SplitParams)
    Path("begun").touch()
    while not Path("go").exists():
        time.sleep(0.05)
    Path("out.txt").write_text(str(split.seed))
    confirm_parameters(Path("params.yaml"), Path("used.json"), split)
run(main)
'''


def write(project: Path, section: str, **values: Any) -> None:
    path = project / "params.yaml"
    document = yaml.safe_load(path.read_text()) if path.exists() else {}
    document[section] = document.get(section, {}) | values
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def start(project: Path, stage: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", stage],
        cwd=project,
        env=environment(PYTHONPATH=f"{project / 'src'}:{ROOT / 'src'}:{ROOT}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def recorded(project: Path) -> dict[str, Any]:
    lock = project / "dvc.lock"
    stages: dict[str, Any] = yaml.safe_load(lock.read_text())["stages"] if lock.exists() else {}
    return stages


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    project = tmp_path / "toy"
    project.mkdir()
    (project / "program.py").write_text(PROGRAM)
    stage = {"cmd": "python program.py", "params": ["split"], "outs": ["out.txt", "used.json"]}
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"toy": stage}}))
    write(project, "split", seed=1)
    write(project, "report", rows=1)
    initialise(project)
    return project


def run_while(toy: Path, edit: dict[str, Any]) -> tuple[int, str]:
    """Starts the stage, edits sections while it runs, and lets it end."""
    for name in ("go", "begun"):
        (toy / name).unlink(missing_ok=True)
    process = start(toy, "toy")
    wait_until((toy / "begun").exists, 60, "the stage has begun")
    for section, values in edit.items():
        write(toy, section, **values)
    (toy / "go").touch()
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_an_edit_of_its_own_section_fails_the_stage(toy: Path) -> None:
    code, output = run_while(toy, {"split": {"seed": 2, "view": 2}})
    assert code != 0
    assert "ChangedParamsError: params.yaml was edited while this stage ran" in output
    assert "split.seed: used 1, now 2" in output
    assert "split.view: used 1, now 2" in output
    assert not recorded(toy)
    assert not (toy / "used.json").exists()
    code, output = run_while(toy, {})
    assert code == 0, output
    assert recorded(toy)["toy"]["params"]["params.yaml"]["split"] == {"seed": 2, "view": 2}
    assert (toy / "out.txt").read_text() == "2"


def test_an_edit_of_another_section_does_not(toy: Path) -> None:
    code, output = run_while(toy, {"report": {"rows": 2}})
    assert code == 0, output
    assert recorded(toy)["toy"]["params"]["params.yaml"]["split"] == {"seed": 1}
    assert read_json(toy / "used.json")["split"]["seed"] == 1
    assert read_json(toy / "used.json")["split"]["protocol"] == "restricted"  # a default is noted too


@pytest.mark.parametrize("text", ["split: [", "split: {seed: x}\n", ""])
def test_a_file_that_is_no_more_valid_is_an_edit_too(tmp_path: Path, text: str) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ChangedParamsError, match="was edited while this stage ran, and is not valid now"):
        confirm_parameters(tmp_path / "params.yaml", tmp_path / "used.json", SplitParams())
    assert not (tmp_path / "used.json").exists()


@pytest.mark.slow
def test_a_training_is_kept_for_the_parameters_that_it_used(tmp_path: Path) -> None:
    """The real stages: the edit is refused, and with the former values back the training need not be repeated."""
    project = real_project(tmp_path / "project")
    write(project, "synthetic", people=40)
    write(project, "train", epochs=3)
    process = start(project, "train")
    checkpoint = project / "models" / ".checkpoint"
    wait_until(lambda: checkpoint.exists() and any(checkpoint.iterdir()), 180, "the training has begun")
    write(project, "train", learning_rate=0.5)
    output, _ = process.communicate(timeout=180)
    assert process.returncode != 0
    assert "train.learning_rate: used 0.002, now 0.5" in output
    assert "train" not in recorded(project)
    history = (project / "reports" / "train" / "history.csv").read_text()  # with the seconds of each epoch

    write(project, "train", learning_rate=0.002)
    process = start(project, "report")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert (project / "reports" / "train" / "history.csv").read_text() == history
    assert recorded(project)["train"]["params"]["params.yaml"]["train"]["learning_rate"] == 0.002
    assert read_json(project / "reports" / "params" / "train.json")["train"]["learning_rate"] == 0.002
    assert "0.002" in (project / "reports" / "report.md").read_text()
