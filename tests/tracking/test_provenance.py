"""Commit, dirty flag and dvc.lock of the tree that a stage runs in."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from likeness.tracking.provenance import provenance_of
from tests.tracking.conftest import git


def test_a_clean_tree(project: Path) -> None:
    found = provenance_of(project)
    assert found.commit == git(project, "rev-parse", "HEAD").strip()
    assert (found.dirty, found.changed) == (False, ())
    assert found.dvc_lock == hashlib.sha256(b"schema: '2.0'\n").hexdigest()


def test_a_lock_rewritten_by_an_earlier_stage_is_no_dirt(project: Path) -> None:
    (project / "dvc.lock").write_text("changed\n")
    assert provenance_of(project).dirty is False


def test_a_changed_and_an_untracked_file_are_dirt(project: Path) -> None:
    (project / "params.yaml").write_text("a: 2\n")
    (project / "notes.py").write_text("")
    found = provenance_of(project)
    assert found.dirty is True
    assert found.changed == ("params.yaml", "notes.py")
    assert found.tags()["git.dirty"] == "true"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://somebody:secret@example.org/faces.git", "https://example.org/faces.git"),
        ("https://example.org/faces.git", "https://example.org/faces.git"),
        ("git@example.org:team/faces.git", "git@example.org:team/faces.git"),
        ("/home/somebody/faces", None),
        ("../faces", None),
        ("file:///home/somebody/faces", None),
    ],
)
def test_the_repository_is_reported_without_credentials_and_folders(
    project: Path, address: str, expected: str | None
) -> None:
    assert provenance_of(project).repository is None
    git(project, "remote", "add", "origin", address)
    found = provenance_of(project)
    assert found.repository == expected
    assert abs(datetime.fromisoformat(found.time) - datetime.now(UTC)) < timedelta(minutes=5)


def test_outside_a_repository_everything_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = provenance_of(tmp_path)
    assert (found.commit, found.dirty, found.dvc_lock) == (None, None, None)
    assert found.tags()["git.dirty"] == "unknown"
