"""Whole nightly runs with real stages on drawn faces: slow, run by `make test-nightly`.

Three runs (new good data, bad data, nothing new), and kills at random points. The number of
kills is 20, or what LIKENESS_KILLS says; with LIKENESS_KILLS_IN=FOLDER they can be broken off and gone on with.
"""

from __future__ import annotations

import os
import random
import signal
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from likeness.artifacts.nightly_run import NightlyRun, read_nightly_runs
from likeness.data.archive_members import Member
from likeness.data.collected import Collected
from likeness.data.faceset import COLLECTED, FaceSet
from likeness.files import read_json, write_json
from likeness.models.weights import load_model
from likeness.nightly.params import STAGES
from likeness.tracking.registry import Registry
from likeness.training.checkpoint import STATE
from tests.nightly.toy_project import (
    prefect_server,
    processes_in,
    start_run,
    wait_until,
)
from tests.pipelines.real_project import (
    PEOPLE,
    assert_whole,
    deliver,
    drawn_people,
    half_of,
    leftovers,
    named_test_pairs,
    real_project,
    run_state_of,
)

pytestmark = pytest.mark.nightly

NEW_PEOPLE = 30
POINTS = ["the start", "the batch", *STAGES, "the gate"]

RUN_SECONDS = 1500  # on two cores that others use too


@pytest.fixture(scope="module")
def new_people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Member]]:
    """Photographs of people whom the project's own drawing does not hold, by person."""
    folder = tmp_path_factory.mktemp("new_people")
    drawn = [drawn_people(folder / str(people), people) for people in (PEOPLE, PEOPLE + NEW_PEOPLE)]
    return {name: files for name, files in drawn[1].items() if name not in drawn[0]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    with prefect_server(home) as url:
        yield url


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_project(tmp_path_factory.mktemp("runs") / "project")


def records_of(project: Path) -> list[NightlyRun]:
    return read_nightly_runs(project / "reports" / "nightly")


def complete_run(project: Path, server: str, home: Path, *arguments: str) -> NightlyRun:
    flow = start_run(project, server, home, *arguments)
    output, _ = flow.communicate(timeout=RUN_SECONDS)
    record = records_of(project)[-1]
    print(f"{record.outcome:18} {record.seconds:6.1f} s  stages {record.stages}  {record.line}")
    if record.outcome == "failed":
        print(output[-4000:])
    return record


def champion_of(project: Path) -> int | None:
    return Registry.open(folder=project).champion()


def test_three_runs(project: Path, server: str, home: Path, new_people: dict[str, list[Member]]) -> None:
    first = complete_run(project, server, home)
    assert (first.outcome, first.trained, first.champion) == ("promoted", True, 1)
    test_pairs = named_test_pairs(project)

    for person in list(new_people)[:10]:
        deliver(project, person, new_people[person])
    second = complete_run(project, server, home)
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
        project,
        "Bad",
        [
            Member("bad.jpg", b"this is no picture"),
            Member("half.jpg", half_of(next(iter(new_people.values()))[0])),
        ],
    )
    third = complete_run(project, server, home)
    assert (third.outcome, third.trained) == ("bad-batch", False)
    assert champion_of(project) == champion
    quarantine = {path.name for path in (project / "data" / "quarantine" / "Bad").iterdir()}
    assert quarantine == {"bad.jpg", "bad.jpg.reason.txt", "half.jpg", "half.jpg.reason.txt"}

    fourth = complete_run(project, server, home)
    assert (fourth.outcome, fourth.trained, fourth.stages) == ("nothing-to-do", False, {})
    assert fourth.fingerprint == second.fingerprint


@pytest.fixture
def killed_project(tmp_path: Path) -> Path:
    """A fresh project, or the one below LIKENESS_KILLS_IN, whose rounds so far count."""
    folder = Path(os.environ.get("LIKENESS_KILLS_IN", tmp_path)).resolve() / "project"
    if not (folder / ".dvc").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        real_project(folder)
    return folder


def test_kills_at_random_points(
    killed_project: Path, server: str, home: Path, new_people: dict[str, list[Member]]
) -> None:
    """No lost photograph, no half-written file, no orphan, no version judged or promoted twice."""
    people, log = list(new_people), killed_project.parent / "rounds.json"
    rounds: list[dict[str, Any]] = read_json(log) if log.exists() else []
    for turn in range(len(rounds), int(os.environ.get("LIKENESS_KILLS", "20"))):
        deliver(killed_project, people[turn % len(people)], new_people[people[turn % len(people)]])
        rounds.append({"round": turn} | killed_run(killed_project, server, home, turn))
        print(rounds[-1], flush=True)
        wait_until(lambda: not processes_in(killed_project), 60, "no orphan is left")
        assert_whole(killed_project)
        write_json(log, rounds)
    last = complete_run(killed_project, server, home)
    assert last.outcome in ("promoted", "kept", "refused", "nothing-to-do")
    assert_whole(killed_project)
    delivered = {member.data for person in people[: len(rounds)] for member in new_people[person]}
    collected = [member.data for member in Collected.read(killed_project / "data" / "collected.json")]
    assert set(collected) == delivered
    assert len(collected) == len(delivered)
    assert FaceSet.open(killed_project / "data" / "faces").source.collected_people == len(rounds)
    assert sum(record.outcome == "killed" for record in records_of(killed_project)) <= len(rounds)
    judged = [entry.challenger for entry in Registry.open(folder=killed_project).journal()]
    assert len(judged) == len(set(judged)), "a version was judged twice"
    assert leftovers(killed_project) == []


def test_the_run_after_a_kill_continues_from_the_last_checkpoint(tmp_path: Path, server: str, home: Path) -> None:
    project = real_project(tmp_path / "project")
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["train"]["epochs"] = 40
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    flow = start_run(project, server, home)
    threading.Thread(target=lambda: flow.stdout and flow.stdout.read(), daemon=True).start()
    state = project / "models" / ".checkpoint" / STATE
    wait_until(lambda: state.exists() or flow.poll() is not None, RUN_SECONDS, "a checkpoint")
    assert flow.poll() is None
    for process in processes_in(project):
        with suppress(psutil.Error):
            process.kill()
    flow.wait(60)
    wait_until(lambda: not processes_in(project), 60, "no orphan is left")
    assert not (project / "models" / "model").exists()

    following = start_run(project, server, home)
    said, _ = following.communicate(timeout=RUN_SECONDS)
    print(next((line for line in said.splitlines() if "continuing with epoch" in line), said))
    assert "continuing with epoch" in said
    assert [record.outcome for record in records_of(project)] == ["killed", "promoted"]
    assert leftovers(project) == []


def killed_run(project: Path, server: str, home: Path, turn: int) -> dict[str, Any]:
    """A nightly run that is killed at a random moment, the flow alone or all of it at once.

    Every nine rounds go through all points in an order of their own, whatever the machine's pace.
    """
    chance = random.Random(turn)
    order = random.Random(turn // len(POINTS)).sample(POINTS, len(POINTS))
    before, began = run_state_of(project), time.monotonic()
    flow = start_run(project, server, home)
    threading.Thread(target=lambda: flow.stdout and flow.stdout.read(), daemon=True).start()
    point = POINTS.index(order[turn % len(POINTS)])

    def step() -> str:
        note = run_state_of(project)
        return POINTS[0] if note in ({}, before) else str(note["step"])

    wait_until(lambda: flow.poll() is not None or POINTS.index(step()) >= point, RUN_SECONDS, "the point")
    time.sleep(chance.uniform(0, 5))
    at, end = step(), chance.choice(["flow killed", "all killed"])
    for process in processes_in(project) if end == "all killed" else []:
        with suppress(psutil.Error):
            process.kill()
    flow.kill()
    if flow.wait(60) != -signal.SIGKILL:
        end, at = "ended by itself", records_of(project)[-1].outcome
    return {"end": end, "at": at, "seconds": round(time.monotonic() - began, 1)}


def test_the_backup_of_operations_md_restores(project: Path, tmp_path: Path) -> None:
    """What docs/operations.md says to keep is enough to serve the same champion elsewhere."""
    champion = Registry.open(folder=project).resolve("models:/likeness@champion")
    kept = [
        "params.yaml",
        "operations.yaml",
        "data/collected.json",
        "data/collected",
        "mlflow.db",
        "mlartifacts",
        "reports/nightly",
    ]
    with tarfile.open(tmp_path / "backup.tar", "w") as archive:
        for name in (*kept, "reports/nightly"):
            if (project / name).exists():
                archive.add(project / name, name)
    with tarfile.open(tmp_path / "backup.tar") as archive:
        archive.extractall(tmp_path / "restored", filter="data")
    assert records_of(tmp_path / "restored") == records_of(project)
    assert load_model(champion).card.fingerprint
    assert any(
        photograph.path.startswith(COLLECTED)
        for photograph in Collected.read(tmp_path / "restored/data/collected.json")
    )
