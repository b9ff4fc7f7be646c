"""Stage 1 as `dvc repro` runs it: a program with files before and after it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from likeness.data.faceset import FaceSet
from tests.data.pictures import lfw_files, write_folder, write_tar
from tests.data.tiny import tiny_faceset

ROOT = Path(__file__).parents[2]
SYNTHETIC = {"people": 40, "seed": 1, "mean_images": 2.0, "train_pairs": 10, "test_pairs": 10, "fold_pairs": 1}
FACES = lfw_files({"Ann": 3, "Bob": 2}, "")


def run(
    folder: Path, data: dict[str, object], before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the stage in `folder` with a section `data`."""
    sections = {"data": {"mirror": None, "crop": None, "size": [16, 12]} | data, "synthetic": SYNTHETIC}
    (folder / "params.yaml").write_text(yaml.safe_dump(sections))
    command = [
        sys.executable,
        "-m",
        "pipelines.ingest",
        "--params",
        folder / "params.yaml",
        "--out",
        folder / "faces",
    ]
    command += ["--downloads", folder / "downloads", "--timings", folder / "reports" / "ingest.json"]
    return subprocess.run(command, cwd=ROOT, preexec_fn=before, capture_output=True, text=True)


def assert_reported(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_photographs_become_a_face_set(tmp_path: Path) -> None:
    mirror = write_folder(tmp_path / "friends", FACES)
    done = run(tmp_path, {"source": "folder", "mirror": str(mirror)})
    assert done.returncode == 0, done.stderr
    assert FaceSet.open(tmp_path / "faces").pixels.shape == (5, 16, 12)
    figures = json.loads((tmp_path / "reports" / "ingest.json").read_text())
    assert (figures["images"], figures["people"]) == (5, 2)
    assert "friends: 5 images of 2 people" in done.stderr


def test_synthetic_faces_are_drawn_and_read_by_the_same_way(tmp_path: Path) -> None:
    done = run(tmp_path, {"source": "synthetic"})
    assert done.returncode == 0, done.stderr
    faces = FaceSet.open(tmp_path / "faces")
    assert faces.source.synthetic
    assert (faces.source.people, faces.source.place) == (40, "lfwa.tar.gz")
    assert (faces.manifest["width"] == 250).all()
    assert {"pairsDevTrain.txt", "pairsDevTest.txt"} <= set(faces.lists)


def test_all_wrong_parameters_are_reported_at_once(tmp_path: Path) -> None:
    done = run(tmp_path, {"source": "lfw-b", "size": [16], "crop": [4, 4], "colours": True})
    assert_reported(done, "params.yaml: 4 mistakes")
    for key in ("data.source", "data.size", "data.crop", "data.colours"):
        assert key in done.stderr
    assert not (tmp_path / "faces").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html></html>", "is an HTML page"),
        (b"\x1f\x8b\x08 but not gzip", "is truncated or damaged"),
    ],
)
def test_a_bad_archive_is_reported_and_leaves_what_was(tmp_path: Path, content: bytes, words: str) -> None:
    before = tiny_faceset(tmp_path / "faces", {"Ann": 1, "Bob": 1}).source
    mirror = tmp_path / "set.tgz"
    mirror.write_bytes(content)
    assert_reported(run(tmp_path, {"source": "folder", "mirror": str(mirror)}), words)
    assert FaceSet.open(tmp_path / "faces").source == before


def test_a_full_disk_is_reported_and_leaves_what_was(tmp_path: Path) -> None:
    mirror = write_tar(tmp_path / "set.tgz", FACES)
    before = tiny_faceset(tmp_path / "faces", {"Ann": 1, "Bob": 1}).source

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = run(tmp_path, {"source": "folder", "mirror": str(mirror), "size": [512, 512]}, full)
    assert_reported(done, "what it held before is intact. Free some space")
    assert FaceSet.open(tmp_path / "faces").source == before
    assert not (tmp_path / ".faces.part").exists()


def test_a_missing_set_is_reported_with_the_remedy(tmp_path: Path) -> None:
    assert_reported(run(tmp_path, {"source": "folder", "mirror": str(tmp_path / "absent")}), "correct data.mirror")
