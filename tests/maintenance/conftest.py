"""A project of several people: data set, cache, collection, intake, quarantine, gallery, a registered model."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from likeness.artifacts.collected_index import Photograph
from likeness.data.collected import Collected
from likeness.data.quarantine import put
from likeness.serving.gallery import Enrolment, Gallery
from likeness.serving.gallery_file import save_gallery
from likeness.tracking.registry import Registry
from tests.data.tiny import tiny_faceset
from tests.tracking.conftest import commit_all, empty_database, project  # noqa: F401
from tests.tracking.samples import register, trained

PEOPLE = ("Ann_Lee", "Bo", "Cy")


@pytest.fixture
def people(project: Path) -> Path:  # noqa: F811
    """Ann Lee, Bo and Cy are everywhere; the champion was trained on them. Returns the project's folder."""
    (project / ".dvc").rmdir()
    run(project, "dvc", "init", "-q")
    faces = tiny_faceset(project / "data" / "faces", dict.fromkeys(PEOPLE, 2))
    run(project, "dvc", "add", "-q", "data/faces")
    collect(project)
    for folder in ("ann lee", "Bo"):
        (project / "data" / "incoming" / folder).mkdir(parents=True)
        (project / "data" / "incoming" / folder / "new.jpg").write_bytes(b"new")
    (project / "data" / "incoming" / "more.zip").write_bytes(b"zip")
    for person in PEOPLE[:2]:
        bad = project / "bad.jpg"
        bad.write_bytes(b"bad")
        put(bad, f"{person}/bad.jpg", "It is bad.", project / "data" / "quarantine", person)
    enrolments = [Enrolment(name, np.ones((1, 4), np.float32)) for name in ("Ann Lee", "Bo")]
    (project / ".likeness" / "nightly").mkdir(parents=True)
    (project / ".likeness" / "nightly" / "batch.json").write_text('{"files": ["Ann_Lee/new.jpg", "Bo/new.jpg"]}')
    save_gallery(project / ".likeness" / "gallery.safetensors", Gallery.empty("m" * 64, 4).with_people(enrolments))
    registry = Registry.open()
    registry.promote(register(registry, trained_on(project, faces.source.fingerprint)), "a start")
    commit_all(project)
    return project


def trained_on(project: Path, fingerprint: str, seed: int = 0) -> Path:  # noqa: F811
    return trained(project / "outputs" / str(seed), seed, 0.8, fingerprint=fingerprint)


def collect(project: Path) -> None:  # noqa: F811
    folder, photographs = project / "data" / "collected", []
    for person in PEOPLE:
        content = person.encode()
        digest = hashlib.sha256(content).hexdigest()
        (folder / person).mkdir(parents=True)
        (folder / person / f"{digest[:20]}.jpg").write_bytes(content)
        photographs.append(Photograph(person, digest, f"{digest[:20]}.jpg"))
    Collected(folder, tuple(photographs)).write(project / "data" / "collected.json")


def run(folder: Path, program: str, *arguments: str) -> str:
    command = [sys.executable, "-m", program, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
