"""The project itself with its six stages, on few drawn faces and with a small network; what must hold in it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from likeness.data.archive import open_reader
from likeness.data.archive_members import Member
from likeness.data.collected import Collected
from likeness.data.drawn_faces import write_drawn_faces
from likeness.data.faceset import FaceSet
from likeness.data.sources import SyntheticParams
from likeness.data.splits import Split
from likeness.files import read_json
from likeness.models.weights import load_model
from tests.nightly.toy_project import ROOT, initialise

PEOPLE = 60
OVERRIDES: dict[str, dict[str, Any]] = {
    "recipe": {"name": "small", "description": None},
    "data": {"source": "synthetic", "mirror": None, "crop": [160, 128], "size": [40, 32]},
    "synthetic": {"people": PEOPLE, "seed": 0, "mean_images": 3.0, "train_pairs": 60, "test_pairs": 30}
    | {"fold_pairs": 1},
    "split": {"protocol": "unrestricted"},
    "model": {"backbone": {"name": "residual", "width": 0.125, "dropout": 0.1}, "comparator": "euclidean"}
    | {"normalise": True, "embedding_dim": 16},
    "train": {"epochs": 2, "batch_size": 32},
    "evaluate": {"resamples": 200},
}
GATE = {"floor_margin": -1.0, "latency_ratio": 100.0, "resamples": 200}


def real_project(folder: Path, **nightly: Any) -> Path:
    """The project itself with its six stages, on few faces and with a small network."""
    folder.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("pipelines", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for name in ("data", "reports"):
        (folder / name).mkdir()
    for name in ("dvc.yaml", ".dvcignore", "reports/sweep.csv", "reports/recipes.csv"):
        shutil.copy(ROOT / name, folder / name)
    Collected(folder / "data" / "collected").write(folder / "data" / "collected.json")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, values in OVERRIDES.items():
        params[section] = params[section] | values
    params["train"]["loss"] |= {"name": "multibatch", "scale": None, "balanced": True}
    params["train"]["sampler"] = {"name": "identities", "images_per_group": 4}
    params["evaluate"]["identification"] |= {"trials": 50}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    operations = {"nightly": {"settle_seconds": 0, "free_gigabytes": 0, "grace_seconds": 20} | nightly}
    (folder / "operations.yaml").write_text(yaml.safe_dump(operations | {"gate": GATE}))
    initialise(folder)
    return folder


def drawn_people(folder: Path, people: int) -> dict[str, list[Member]]:
    """Photographs of so many drawn people, by person."""
    archive = write_drawn_faces(SyntheticParams(people, 0, 3.0, 60, 30, 1), folder, workers=1)
    found: dict[str, list[Member]] = {}
    for member in open_reader(archive, lambda path: path.endswith(".jpg")):
        found.setdefault(member.path.split("/")[-2], []).append(member)
    return found


def deliver(project: Path, person: str, files: list[Member]) -> None:
    for member in files:
        path = project / "data" / "incoming" / person / Path(member.path).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.data)


def half_of(photograph: Member) -> bytes:
    """A real photograph of which the second half is missing."""
    return photograph.data[: len(photograph.data) // 2]


def named_test_pairs(project: Path) -> list[tuple[str, str]]:
    manifest = FaceSet.open(project / "data" / "faces").manifest
    names = (manifest["person"] + " " + manifest["number"].astype(str)).to_numpy(object)
    test = Split.open(project / "data" / "splits").test
    return list(zip(names[test.a], names[test.b], strict=True))


def assert_whole(project: Path) -> None:
    """Whatever is in the project can be read."""
    for path in project.glob("reports/**/*.json"):
        read_json(path)
    for path in [*project.glob("data/splits/*.parquet"), *project.glob("reports/evaluation/*.parquet")]:
        pd.read_parquet(path)
    Collected.listed(project / "data" / "collected")
    if (project / "data" / "faces").exists():
        FaceSet.open(project / "data" / "faces")
    if (project / "models" / "model").exists():
        load_model(project / "models" / "model")
    if (project / "mlflow.db").exists():
        with closing(sqlite3.connect(project / "mlflow.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def leftovers(project: Path) -> list[str]:
    """Files under the name of an unfinished one."""
    places = [project / name for name in ("data", "models", "reports", ".likeness")]
    return [str(path.relative_to(project)) for place in places for path in place.rglob("*.part")]


def run_state_of(project: Path) -> dict[str, Any]:
    """The state file of an active nightly run; that of a killed one stays until the next starts."""
    try:
        return dict(read_json(project / ".likeness" / "nightly" / "running.json"))
    except FileNotFoundError:
        return {}
