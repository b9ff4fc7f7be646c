"""The state of a source: what changes it, and what does not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from likeness.artifacts.source_state import SOURCE_STATE, SourceState
from likeness.data.source_state import source_state
from likeness.data.sources import DataParams
from tests.data.pictures import lfw_files, write_folder, write_tar

FILES = {"Ann/1.jpg": b"1", "Ann/2.jpg": b"2", "Bob/1.jpg": b"3"}


def state(tmp_path: Path, mirror: Path | str | None, source: Any = "folder", **environ: str) -> SourceState:
    params = DataParams(source, None if mirror is None else str(mirror), None, (16, 12))
    return source_state(params, environ, tmp_path / "source.json")


@pytest.mark.fault("D05")
def test_people_and_photographs_that_come_go_or_change_are_seen(tmp_path: Path) -> None:
    mirror = write_folder(tmp_path / "photos", FILES)
    states = [state(tmp_path, mirror)]
    (mirror / "Ann" / "2.jpg").write_bytes(b"another")
    states.append(state(tmp_path, mirror))
    write_folder(mirror, {"Cem/1.jpg": b"4"})
    states.append(state(tmp_path, mirror))
    shutil.rmtree(mirror / "Ann")
    states.append(state(tmp_path, mirror))
    (mirror / "pairs.txt").write_text("1\n")
    states.append(state(tmp_path, mirror))
    assert len({one.sha256 for one in states}) == 5
    assert states[0] == SourceState("folder", "photos", 3, states[0].sha256)


@pytest.mark.fault("D05")
def test_what_nobody_reads_changes_nothing(tmp_path: Path) -> None:
    mirror = write_folder(tmp_path / "photos", FILES)
    before = state(tmp_path, mirror)
    write_folder(mirror, {"@eaDir/1.jpg": b"", ".DS_Store": b""})
    assert state(tmp_path, mirror) == before
    assert state(tmp_path, None, LIKENESS_MIRROR=str(mirror)) == before


@pytest.mark.fault("D05")
def test_another_mirror_is_another_state(tmp_path: Path) -> None:
    one, other = (write_folder(tmp_path / name, FILES) for name in ("one", "other"))
    shutil.rmtree(other / "Bob")
    assert state(tmp_path, None, LIKENESS_MIRROR=str(one)) != state(tmp_path, None, LIKENESS_MIRROR=str(other))
    address = state(tmp_path, "https://user:secret@example.org/faces.zip")
    assert (address.place, address.sha256) == ("https://example.org/faces.zip", None)


@pytest.mark.fault("D05")
def test_linked_and_unreadable_folders_count(tmp_path: Path) -> None:
    mirror = write_folder(tmp_path / "photos", FILES)
    elsewhere = write_folder(tmp_path / "elsewhere", {"1.jpg": b"1"})
    (mirror / "Cem").symlink_to(elsewhere)
    (mirror / "loop").symlink_to(mirror)
    before = state(tmp_path, mirror)
    (elsewhere / "2.jpg").write_bytes(b"2")
    assert state(tmp_path, mirror) != before


@pytest.mark.parametrize("packed", [True, False])
def test_an_official_form_is_found_packed_and_unpacked(tmp_path: Path, packed: bool) -> None:
    mirror = tmp_path / "mirror"
    if packed:
        write_tar(mirror / "lfwa.tar.gz", lfw_files({"Ann": 2}))
    else:
        write_folder(mirror, lfw_files({"Ann": 2}))
    before = state(tmp_path, mirror, "lfw-a")
    assert before.files == (1 if packed else 2)
    (mirror / "pairs.txt").write_text("1\n")
    assert state(tmp_path, mirror, "lfw-a") != before
    assert state(tmp_path, mirror, "lfw").sha256 is None
    assert state(tmp_path, None, "lfw-a") == SourceState("lfw-a")


def test_a_mirror_that_is_not_there_keeps_the_state(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mirror = write_folder(tmp_path / "photos", FILES)
    known = state(tmp_path, mirror)
    SOURCE_STATE.write(tmp_path / "source.json", known)
    mirror.rename(tmp_path / "away")
    assert state(tmp_path, mirror) == known
    assert "counts as current" in caplog.text
    assert state(tmp_path, mirror, "lfw-a") == SourceState("lfw-a", "photos")
    (tmp_path / "source.json").write_text("{")
    assert state(tmp_path, mirror) == SourceState("folder", "photos")


def test_a_name_that_is_no_utf8_counts(tmp_path: Path) -> None:
    mirror = write_folder(tmp_path / "photos", FILES)
    before = state(tmp_path, mirror)
    Path(os.fsdecode(bytes(mirror / "Ann") + b"/\xe9.jpg")).write_bytes(b"1")
    assert state(tmp_path, mirror) != before
