"""A packed version carries its code and pins what that needs; no requirement can be somebody else's package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from drawnfaces.portrait import draw_photographs
from likeness.tracking.model_packing import packed, requirements
from tests.tracking.samples import trained

LOAD = """
import sys, mlflow.pyfunc
model = mlflow.pyfunc.load_model(sys.argv[1])
import likeness
print(likeness.__file__)
"""


ALONE = """
import base64, sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in sys.argv[3].split():
            raise ModuleNotFoundError(f"no module named {name} in the version's environment", name=name)

sys.meta_path.insert(0, Absent())
import mlflow.pyfunc, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
photo = base64.b64encode(open(sys.argv[2], "rb").read()).decode()
answer = model.predict(pandas.DataFrame({"first": [photo], "second": [photo]}))
assert answer["same"][0], answer["error"][0]
"""
SHIPPED = Path(__file__).parents[2] / "pretrained" / "arcface-lfw"


def needed(names: set[str]) -> set[str]:
    """Distributions with all that they require, by normalised name."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        try:
            texts = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        wanted = [Requirement(text) for text in texts]
        waiting += [each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture
def version(project: Path) -> Path:
    """A version's folder, kept for the test."""
    folder = trained(project / "outputs" / "one", 0, 0.8)
    with packed(folder / "model") as made:
        return Path(shutil.copytree(made, project / "version"))


@pytest.mark.fault("C1")
@pytest.mark.parametrize("file", ["requirements.txt", "conda.yaml", "python_env.yaml"])
def test_every_requirement_is_pinned_and_none_is_ours(version: Path, file: str) -> None:
    text = (version / file).read_text()
    named = re.findall(r"^\s*-?\s*([A-Za-z][\w.-]*)\s*((?:==|<=|>=|<|>|~=)\S+)?\s*$", text, re.MULTILINE)
    assert "likeness" not in {name.lower() for name, _ in named}
    if file == "requirements.txt":
        assert len(named) == len(text.splitlines()) > 8
        assert all(re.fullmatch(r"==[\w.]+", pin) for _, pin in named), named
    if file == "python_env.yaml":  # the environment that `mlflow models serve` builds unless asked not to
        environment = yaml.safe_load(text)
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", each) for each in environment["build_dependencies"])
        assert environment["dependencies"] == ["-r requirements.txt"]


@pytest.mark.fault("C1")
def test_the_pins_are_what_the_lock_file_holds() -> None:
    lock = (Path(__file__).parents[2] / "requirements.lock").read_text()
    locked = {name.lower().replace("_", "-"): pin for name, pin in re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.M)}
    for requirement in requirements(Path("a folder without an exported tower")):
        name, _, pin = requirement.partition("==")
        assert locked[name] == pin, requirement


@pytest.mark.fault("A12")
def test_no_weights_travel_with_the_code(version: Path) -> None:
    kinds = {".onnx", ".safetensors", ".pt", ".pkl"}
    assert [path for path in (version / "code").rglob("*") if path.suffix in kinds] == []
    assert (version / "code" / "likeness" / "cli.py").is_file()


@pytest.mark.fault("C1")
def test_the_version_is_loaded_with_the_code_that_it_carries(version: Path, tmp_path: Path) -> None:
    """As on a machine on which this project is not installed."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(version)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip().splitlines()[-1]).is_relative_to(version)


def absent(written: list[str]) -> list[str]:
    """Modules that an environment of requirements and carried code lacks, of those that can be imported here."""
    allowed = {"likeness-verify", "likeness"} | needed({each.partition("==")[0] for each in written})
    owners = metadata.packages_distributions()
    return [name for name, of in owners.items() if not {canonicalize_name(each) for each in of} & allowed]


@pytest.mark.fault("C1")
@pytest.mark.parametrize("exported", [True, False])
def test_the_requirements_are_all_that_a_decision_needs(project: Path, exported: bool) -> None:
    """A package that is neither required nor brought by a required one would be missing elsewhere."""
    model = Path(shutil.copytree(SHIPPED, project / "model"))
    if not exported:
        (model / "tower.onnx").unlink()
    (project / "photo.jpg").write_bytes(next(iter(draw_photographs(7, [(0, 1)]))))
    with packed(model) as made:
        written = (made / "requirements.txt").read_text().split()
        missing = absent(written)
        command = [sys.executable, "-c", ALONE, str(made), str(project / "photo.jpg"), " ".join(missing)]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        carried = [path.name for path in (made / "code" / "likeness").iterdir()]
    assert done.returncode == 0, done.stderr
    assert {"dvc", "prefect", "great_expectations", *(("torch",) if exported else ())} <= set(missing)
    assert "pretrained" not in carried


@pytest.mark.fault("C1")
@pytest.mark.slow
def test_pip_resolves_the_requirements_to_the_pinned_versions(version: Path) -> None:
    """By name, on the configured index; what it would install for each name is the version that is pinned."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--report",
        "-",
    ]
    done = subprocess.run([*command, "-r", str(version / "requirements.txt")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [row["metadata"] for row in json.loads(done.stdout)["install"]]
    found = {canonicalize_name(row["name"]): row["version"].partition("+")[0] for row in rows}
    for line in (version / "requirements.txt").read_text().split():
        name, _, pin = line.partition("==")
        assert found[canonicalize_name(name)] == pin
    assert not {"likeness", "likeness-verify"} & found.keys()
