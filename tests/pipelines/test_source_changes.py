"""A bare `dvc repro` sees what happens to a folder of people that lies outside the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.data.pictures import jpeg, write_folder
from tests.nightly.toy_project import environment, run
from tests.pipelines.real_project import real_project

PEOPLE = ("Ann", "Bob", "Cem")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = real_project(tmp_path / "project")
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["data"] |= {"source": "folder", "mirror": None, "crop": None, "size": [40, 32], "align": "none"}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return folder


def photos(folder: Path) -> Path:
    names = [f"{person}/{number}.jpg" for person in PEOPLE for number in (1, 2)]
    return write_folder(folder, {name: jpeg(seed) for seed, name in enumerate(names)})


def repro(project: Path, mirror: Path | str) -> tuple[set[str], str]:
    """The people of the face set after `dvc repro ingest`, and what DVC printed."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "ingest"],
        cwd=project,
        env=environment(LIKENESS_MIRROR=str(mirror)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return people(project), done.stdout


def people(project: Path) -> set[str]:
    return set(pd.read_parquet(project / "data" / "faces" / "manifest.parquet")["person"])


@pytest.mark.slow
@pytest.mark.fault("D05")
def test_people_who_were_removed_and_another_mirror_are_seen(project: Path, tmp_path: Path) -> None:
    mirror = photos(tmp_path / "photos")
    assert repro(project, mirror)[0] == set(PEOPLE)
    assert "Stage 'ingest' didn't change" in repro(project, mirror)[1]
    shutil.rmtree(mirror / "Ann")
    assert repro(project, mirror)[0] == {"Bob", "Cem"}
    assert repro(project, photos(tmp_path / "others"))[0] == set(PEOPLE)


@pytest.mark.slow
@pytest.mark.fault("D17")
@pytest.mark.parametrize("commands", [[["--temp"]], [["--queue"], ["--run-all"]]], ids=["temp", "queue"])
def test_a_relative_mirror_is_the_same_folder_in_a_copy_of_the_project(
    project: Path, commands: list[list[str]]
) -> None:
    photos(project / "photos")
    (project / ".gitignore").write_text("/photos\n__pycache__\n/data/*\n!/data/collected.json\n")
    run(["git", "add", "-A"], project)
    run(["git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "start"], project)
    output = ""
    for options in commands:
        changes = [] if options == ["--run-all"] else ["-S", "data.mirror=photos", "ingest"]
        command = [sys.executable, "-m", "dvc", "exp", "run", *options, *changes]
        done = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        output += done.stdout + done.stderr
    assert "6 images of 3 people" in output
