"""`likeness forget`: what is removed, what is listed, and what the commands that it names leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from likeness.cli import app
from likeness.data.collected import Collected
from likeness.maintenance.traces import Project, find_traces
from likeness.serving.gallery_file import load_gallery
from tests.data.tiny import tiny_faceset
from tests.maintenance.conftest import run, trained_on

pytestmark = pytest.mark.fault("A11")
GALLERY = Path(".likeness/gallery.safetensors")


def forget(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["forget", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def files(folder: Path) -> dict[str, bytes]:
    places = ("data", ".likeness", "mlartifacts")
    paths = [path for place in places for path in (folder / place).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.name != "lock"}


def test_without_a_confirmation_everything_is_listed_and_nothing_changed(people: Path) -> None:
    before = files(people)
    code, said = forget("Ann Lee")
    assert code == 1
    assert files(people) == before
    for line in (
        "data/collected/Ann_Lee/",
        "data/incoming/ann lee/",
        "data/quarantine/Ann_Lee/bad.jpg",
        "gallery.safetensors: Ann Lee",
        "data/faces, and the model",
        "2 photographs of the source itself",
        "DVC cache: data set",
        "MLflow run",
        "registered model, version 1 (champion, challenger)",
        "more.zip: an archive, not looked into",
        "dvc repro",
        "make register",
        "likeness prune --data",
        "dvc gc --workspace",
    ):
        assert line in said, said


@pytest.mark.parametrize("name", ["Ann_Lee", "ANN  lee"])
def test_the_person_is_removed_and_nobody_else(people: Path, name: str) -> None:
    code, said = forget(name, "--yes")
    assert code == 1, said  # the data set and the model hold the person still
    collected = Collected.read(people / "data" / "collected.json")
    assert collected.people == {"Bo", "Cy"}
    assert len(list(collected)) == 2
    assert load_gallery(people / GALLERY).names == ("Bo",)
    left = files(people)
    folders = ("data/collected", "data/incoming", "data/quarantine")
    assert not [path for path in left if path.startswith(folders) and "ann" in path.lower()]
    assert {"data/incoming/Bo/new.jpg", "data/quarantine/Bo/bad.jpg"} <= left.keys()
    assert b"Ann" not in left["data/collected/index.json"]
    assert ".likeness/nightly/batch.json" not in left


def test_the_last_collected_person_can_be_removed(people: Path) -> None:
    for name in ("Ann Lee", "Bo", "Cy"):
        forget(name, "--yes")
    assert Collected.read(people / "data" / "collected.json").photographs == ()
    assert Collected.listed(people / "data" / "collected").photographs == ()
    assert not list((people / "data" / "collected").rglob("*.jpg"))


def test_after_the_steps_that_it_names_nothing_is_left(people: Path) -> None:
    forget("Ann Lee", "--yes")
    # What `dvc repro` and `make register` do, without the stages.
    faces = tiny_faceset(people / "data" / "faces", {"Bo": 2, "Cy": 2})
    run(people, "dvc", "add", "-q", "data/faces")
    from likeness.tracking.registry import Registry
    from tests.tracking.samples import register

    registry = Registry.open()
    registry.promote(register(registry, trained_on(people, faces.source.fingerprint, 1)), "without her")
    code, said = forget("Ann Lee")
    assert code == 1
    assert "DVC cache: data set" in said
    command = next(line for line in said.splitlines() if "likeness prune" in line).split(":")[0].split()
    done = CliRunner().invoke(app, command[1:])
    assert done.exit_code == 0, done.output
    run(people, "dvc", "gc", "--workspace", "--force", "-q")
    code, said = forget("Ann Lee")
    assert code == 0, said
    assert "nothing of Ann Lee was found" in said


def test_runs_of_data_sets_that_are_gone_are_counted_as_unknown(people: Path) -> None:
    trained_on(people, "a" * 64, 2)
    assert find_traces(Project(people, people / GALLERY), "Bo").tracked.unknown == 1
    assert "1 MLflow run of data sets that are not here any more" in forget("Bo")[1]


def test_nothing_is_removed_under_a_nightly_run(people: Path) -> None:
    before = files(people)
    with FileLock(people / ".likeness" / "nightly" / "lock"):
        done = CliRunner().invoke(app, ["forget", "Bo", "--yes"])
    assert "a nightly run is at work" in str(done.exception)
    assert files(people) == before


def test_somebody_unknown_and_a_folder_that_is_no_project(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert forget("Nobody") == (
        0,
        "may hold this person:\n  {}: an archive, not looked into\nnothing of Nobody was found\n".format(
            people / "data/incoming/more.zip"
        ),
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert forget("Ann Lee", "--yes") == (0, "nothing of Ann Lee was found\n")
    assert list(empty.iterdir()) == []
