"""Whole nights with real stages on drawn faces: slow, run by `make test-nightly`.

Three nights (new good data, bad data, nothing new), a cron that fires, and kills at random points. The number of
kills is 20, or what LIKENESS_KILLS says.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import yaml

from likeness.data.archive import Member, open_reader
from likeness.data.collected import Collected
from likeness.data.faceset import COLLECTED, FaceSet
from likeness.data.splits import Split
from likeness.data.synthetic.archive import SyntheticParams, write_archive
from likeness.files import read_json
from likeness.models.weights import load_model
from likeness.tracking.history import Night, read_nights, write_night
from likeness.tracking.registry import Registry
from tests.pipelines.night_project import (
    ROOT,
    environment,
    free_port,
    initialise,
    prefect_server,
    processes_in,
    run,
    start_night,
    toy_project,
    wait_until,
    write_params,
)

pytestmark = pytest.mark.slow

PEOPLE, NEWCOMERS = 60, 30
NIGHT_SECONDS = 1500  # on two cores that others use too
OVERRIDES: dict[str, dict[str, Any]] = {
    "recipe": {"name": "night", "description": None},
    "data": {"source": "synthetic", "mirror": None, "crop": [160, 128], "size": [40, 32]},
    "synthetic": {"people": PEOPLE, "seed": 0, "mean_images": 3.0, "train_pairs": 60, "test_pairs": 30}
    | {"fold_pairs": 1},
    "split": {"protocol": "unrestricted"},
    "model": {"comparator": "euclidean", "normalise": True, "embedding_dim": 16, "width": 0.125},
    "train": {"epochs": 2, "batch_size": 32},
    "evaluate": {"resamples": 200},
    "gate": {"floor_margin": -1.0, "latency_ratio": 100.0, "resamples": 200},
}


def real_project(folder: Path, **nightly: Any) -> Path:
    """The project itself with its six stages, on few faces and with a small network."""
    folder.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("pipelines", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "data").mkdir()
    Collected(folder / "data" / "collected").write(folder / "data" / "collected.json")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, values in OVERRIDES.items():
        params[section] = params.get(section, {}) | values
    params["train"]["loss"] |= {"name": "multibatch", "scale": None, "balanced": True}
    params["train"]["sampler"] |= {"kind": "identities", "images_per_group": 4}
    params["evaluate"]["identification"] |= {"trials": 50}
    params["nightly"] = {"settle_seconds": 0, "free_gigabytes": 0, "grace_seconds": 20} | nightly
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    initialise(folder)
    return folder


@pytest.fixture(scope="module")
def newcomers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Member]]:
    """Photographs of people whom the project's own drawing does not hold, by person."""
    folder = tmp_path_factory.mktemp("newcomers")
    drawn = [_drawn(folder / str(people), people) for people in (PEOPLE, PEOPLE + NEWCOMERS)]
    return {name: files for name, files in drawn[1].items() if name not in drawn[0]}


def _drawn(folder: Path, people: int) -> dict[str, list[Member]]:
    archive = write_archive(SyntheticParams(people, 0, 3.0, 60, 30, 1), folder, workers=1)
    found: dict[str, list[Member]] = {}
    for member in open_reader(archive, lambda path: path.endswith(".jpg")):
        found.setdefault(member.path.split("/")[-2], []).append(member)
    return found


def deliver(project: Path, person: str, files: list[Member]) -> None:
    for member in files:
        path = project / "data" / "incoming" / person / Path(member.path).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.data)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    with prefect_server(home) as url:
        yield url


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_project(tmp_path_factory.mktemp("nights") / "project")


def nights_of(project: Path) -> list[Night]:
    return read_nights(project / "reports" / "nightly")


def spend_night(project: Path, server: str, home: Path, *arguments: str) -> Night:
    flow = start_night(project, server, home, *arguments)
    output, _ = flow.communicate(timeout=NIGHT_SECONDS)
    night = nights_of(project)[-1]
    print(f"{night.outcome:18} {night.seconds:6.1f} s  stages {night.stages}  {night.line}")
    if night.outcome == "failed":
        print(output[-4000:])
    return night


def champion_of(project: Path) -> int | None:
    return Registry.open(folder=project).champion()


def test_three_nights(project: Path, server: str, home: Path, newcomers: dict[str, list[Member]]) -> None:
    first = spend_night(project, server, home)
    assert (first.outcome, first.trained, first.champion) == ("promoted", True, 1)
    test_pairs = named_test_pairs(project)

    for person in list(newcomers)[:10]:
        deliver(project, person, newcomers[person])
    second = spend_night(project, server, home)
    assert second.outcome in ("promoted", "kept", "refused")
    assert second.trained
    assert (second.challenger, second.batch["quarantined"]) == (2, 0)
    assert second.fingerprint != first.fingerprint
    faces = FaceSet.open(project / "data" / "faces")
    assert faces.source.collected_people == 10
    assert named_test_pairs(project) == test_pairs
    champion = champion_of(project)
    assert champion == second.champion

    deliver(
        project, "Bad", [Member("bad.jpg", b"this is no picture"), Member("half.jpg", newcomers_half(newcomers))]
    )
    third = spend_night(project, server, home)
    assert (third.outcome, third.trained) == ("bad-batch", False)
    assert champion_of(project) == champion
    quarantine = {path.name for path in (project / "data" / "quarantine" / "Bad").iterdir()}
    assert quarantine == {"bad.jpg", "bad.jpg.reason.txt", "half.jpg", "half.jpg.reason.txt"}

    fourth = spend_night(project, server, home)
    assert (fourth.outcome, fourth.trained, fourth.stages) == ("nothing-to-do", False, {})
    assert fourth.fingerprint == second.fingerprint


def newcomers_half(newcomers: dict[str, list[Member]]) -> bytes:
    """A real photograph of which the second half is missing."""
    content = next(iter(newcomers.values()))[0].data
    return content[: len(content) // 2]


def named_test_pairs(project: Path) -> list[tuple[str, str]]:
    manifest = FaceSet.open(project / "data" / "faces").manifest
    names = (manifest["person"] + " " + manifest["number"].astype(str)).to_numpy(object)
    test = Split.open(project / "data" / "splits").test
    return list(zip(names[test.a], names[test.b], strict=True))


def test_kills_at_random_points(
    tmp_path: Path, server: str, home: Path, newcomers: dict[str, list[Member]]
) -> None:
    """No lost photograph, no half-written file, no orphan, no version judged or promoted twice."""
    project = real_project(tmp_path / "project")
    people = list(newcomers)
    longest = 60.0  # seconds that a night took so far
    chance = random.Random(0)
    for turn in range(int(os.environ.get("LIKENESS_KILLS", "20"))):
        person = people[turn % len(people)]
        deliver(project, person, newcomers[person])
        began = time.monotonic()
        flow = start_night(project, server, home)
        try:
            flow.communicate(timeout=chance.uniform(2, 1.2 * longest))
            longest = max(longest, time.monotonic() - began)
            end = "ended by itself"
        except subprocess.TimeoutExpired:
            flow.send_signal(signal.SIGKILL)
            flow.communicate()
            end = "killed"
        wait_until(lambda: not processes_in(project), 60, "no orphan is left")
        assert_whole(project)
        print(f"round {turn}: {end} after {time.monotonic() - began:.0f} s")
    last = spend_night(project, server, home)
    assert last.outcome in ("promoted", "kept", "refused", "nothing-to-do")
    delivered = {member.data for person in people[: turn + 1] for member in newcomers[person]}
    collected = {member.data for member in Collected.read(project / "data" / "collected.json")}
    assert collected == delivered
    assert_whole(project)
    journal = Registry.open(folder=project).journal()
    judged = [entry.challenger for entry in journal]
    assert len(judged) == len(set(judged)), "a version was judged twice"


def assert_whole(project: Path) -> None:
    """Whatever stands in the project can be read."""
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


def test_a_cron_fires_and_a_missed_night_is_caught_up_once(tmp_path: Path) -> None:
    """`serve` with its embedded server: fires every minute; stopped in the midst of a stage; started again."""
    nightly = {"cron": "* * * * *", "port": free_port()}
    project = toy_project(tmp_path / "project", nightly)
    run([sys.executable, "-m", "dvc", "repro", "-q"], project)
    with serving(project, tmp_path) as log:
        wait_until(lambda: len(nights_of(project)) >= 1, 400, "the cron fires")
        write_params(project, nightly, ingest="sleep")
        wait_until(lambda: any("stage.py" in " ".join(one) for one in commands_in(project)), 400, "a stage works")
    wait_until(lambda: not processes_in(project), 60, "server, flow and stage are gone")
    assert "a night was missed" not in log.read_text()

    ended = len(nights_of(project))
    write_params(project, nightly | {"cron": "0 2 * * *", "timezone": "UTC"})
    last = nights_of(project)[-1]
    long_ago = replace(last, started="2026-01-01T02:00:00+00:00", flow_run=None)
    shutil.rmtree(project / "reports" / "nightly")
    write_night(project / "reports" / "nightly", long_ago)
    assert ended >= 1
    with serving(project, tmp_path) as log:
        wait_until(lambda: len(nights_of(project)) == 2, 400, "the missed night is caught up")
        time.sleep(20)
        assert len(nights_of(project)) == 2, "it is caught up once"
    assert "a night was missed" in log.read_text()


@contextmanager
def serving(project: Path, folder: Path) -> Iterator[Path]:
    """`make nightly` until the block ends, then SIGTERM; yields its log."""
    log = folder / f"serve-{time.time_ns()}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.nightly", "serve"],
            cwd=project,
            env=environment(PREFECT_HOME=str(folder / "home")),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def commands_in(project: Path) -> list[list[str]]:
    found = []
    for process in processes_in(project):
        with suppress(psutil.Error):
            found.append(process.cmdline())
    return found


def test_the_backup_of_operations_md_restores(project: Path, tmp_path: Path) -> None:
    """What docs/operations.md says to keep is enough to serve the same champion elsewhere."""
    champion = Registry.open(folder=project).resolve("models:/likeness@champion")
    kept = ["params.yaml", "data/collected.json", "data/collected", "mlflow.db", "mlartifacts", "reports/nightly"]
    with tarfile.open(tmp_path / "backup.tar", "w") as archive:
        for name in kept:
            if (project / name).exists():
                archive.add(project / name, name)
    with tarfile.open(tmp_path / "backup.tar") as archive:
        archive.extractall(tmp_path / "restored", filter="data")
    assert nights_of(tmp_path / "restored") == nights_of(project)
    assert load_model(champion).card.fingerprint
    assert any(
        photograph.path.startswith(COLLECTED)
        for photograph in Collected.read(tmp_path / "restored/data/collected.json")
    )
