"""`make folder` on a folder with a nasty name, from the Makefile to the manifest."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.serving.pictures import encoded, other_portrait, portrait

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.fault("A1", "D11")
def test_make_folder_frames_the_people_of_a_folder_with_a_nasty_name(tmp_path: Path) -> None:
    photos = tmp_path / "Ann's [best], café"
    for name, picture in {"Ada": portrait(), "Ben": other_portrait()}.items():
        (photos / name).mkdir(parents=True)
        (photos / name / "IMG 1.jpg").write_bytes(encoded(picture))
    project = tmp_path / "project"
    subprocess.run(["git", "clone", "-q", "--no-local", str(ROOT), str(project)], check=True)
    (project / ".venv").symlink_to(ROOT / ".venv")
    environ = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": "src:."}
    author = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    done = subprocess.run(
        ["make", "-o", ".venv/.installed", "folder", f"MIRROR=~/{photos.name}", "STAGES=ingest"],
        cwd=project,
        env=environ | author,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((project / "params.yaml").read_text())["data"]["mirror"] == str(photos)
    source = json.loads((project / "data" / "faces" / "source.json").read_text())
    assert (source["place"], source["align"], source["images"]) == (photos.name, "lfw-landmarks", 2)
