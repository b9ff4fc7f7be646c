"""The quarantine: reasons stay beside their files, and files come back, or go, as asked."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from likeness import cli
from likeness.data.batch_placement import Placed, place
from likeness.data.incoming import take_snapshot
from likeness.data.quarantine import REASON, drop, listed, put, release
from tests.data.pictures import jpeg, write_folder, write_zip


def intake(root: Path, reason: str = "The batch drifted.", refuse: bool = True) -> Placed:
    """Takes in what has arrived, or refuses all of it."""
    found = take_snapshot(root / "data/incoming", root / "data/.arrived", [], time.time() + 3600)
    refused = {one: one.fault or reason for one in found.arrivals if refuse or one.fault}
    return place(found, refused, root / "data/collected.json", root / "data/quarantine")


def move_back(root: Path) -> None:
    """As a person does it by hand: all of the quarantine, with its texts."""
    shutil.rmtree(root / "data/incoming")
    (root / "data/quarantine").rename(root / "data/incoming")


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_listed_with_its_reason_and_its_person(tmp_path: Path) -> None:
    source = tmp_path / "copy"
    source.write_bytes(b"one")
    put(source, "a.zip/Ann Lee/1.jpg", "It is too dark.", tmp_path / "q", "Ann_Lee")
    (found,) = listed(tmp_path / "q")
    assert (found.name, found.reason, found.person) == ("a.zip/Ann Lee/1.jpg", "It is too dark.", "Ann_Lee")
    assert "arrived as: a.zip/Ann Lee/1.jpg" in (tmp_path / "q" / f"a.zip/Ann Lee/1.jpg{REASON}").read_text()


@pytest.mark.fault("A3")
def test_a_batch_that_was_moved_back_by_hand_with_its_texts_is_taken_in(tmp_path: Path) -> None:
    """What the message about drift used to say: move them back into data/incoming."""
    write_folder(tmp_path / "data/incoming", {f"P{at}/{at}.jpg": jpeg(at) for at in range(30)})
    assert intake(tmp_path).quarantined == 30
    move_back(tmp_path)
    placed = intake(tmp_path, refuse=False)
    assert (placed.merged, placed.quarantined, len(placed.rows)) == (30, 0, 30)
    assert names(tmp_path / "data/incoming") == set(), "the texts are gone with the files that they speak of"


@pytest.mark.fault("A3")
def test_a_reason_is_not_replaced_by_that_of_its_text(tmp_path: Path) -> None:
    write_folder(tmp_path / "data/incoming", {"Ann/1.jpg": b"one"})
    intake(tmp_path, "It is too dark.")
    move_back(tmp_path)
    intake(tmp_path, "It is too bright.")
    assert [(file.name, file.reason) for file in listed(tmp_path / "data/quarantine")] == [
        ("Ann/1.jpg", "It is too bright.")
    ]
    assert names(tmp_path / "data/quarantine") == {"Ann/1.jpg", f"Ann/1.jpg{REASON}"}


@pytest.mark.fault("A3")
def test_released_files_go_to_the_folders_of_their_people(tmp_path: Path) -> None:
    write_folder(tmp_path / "data/incoming", {"Ann/1.jpg": b"one", "Ann/2024/1.jpg": b"two", "loose.jpg": b"four"})
    write_zip(tmp_path / "data/incoming/a.zip", {"faces/Ann/1.jpg": b"three", "faces/Bob/1.jpg": b"five"})
    intake(tmp_path)
    files = listed(tmp_path / "data/quarantine")
    assert release(files, tmp_path / "data/incoming") == 5
    assert names(tmp_path / "data/incoming") == {
        "Ann/1.jpg",
        "Ann/1~2.jpg",
        "Ann/1~3.jpg",
        "Bob/1.jpg",
        "loose.jpg",
    }
    assert names(tmp_path / "data/quarantine") == set()
    assert intake(tmp_path, refuse=False).merged == 4


def test_what_an_earlier_version_put_there_can_be_released(tmp_path: Path) -> None:
    write_folder(tmp_path / "q", {"a.zip/Ann/1.jpg": b"one", f"a.zip/Ann/1.jpg{REASON}": b"It is too dark.\n"})
    assert [file.reason for file in listed(tmp_path / "q")] == ["It is too dark."]
    release(listed(tmp_path / "q"), tmp_path / "incoming")
    assert names(tmp_path / "incoming") == {"Ann/1.jpg"}


def test_a_dropped_file_takes_its_text_along(tmp_path: Path) -> None:
    write_folder(tmp_path / "q", {"Ann/1.jpg": b"one", f"Ann/1.jpg{REASON}": b"It is too dark.\n"})
    assert drop(listed(tmp_path / "q")) == 1
    assert list((tmp_path / "q").iterdir()) == []


def likeness(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["likeness", "quarantine", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    captured = capsys.readouterr()
    return int(end.value.code or 0), captured.out + captured.err


@pytest.mark.fault("A3")
def test_the_command_lists_releases_and_drops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert likeness(monkeypatch, capsys, "list") == (0, "")
    write_folder(tmp_path / "data/incoming", {"Ann/1.jpg": b"one", "Ann/2.jpg": b"two", "notes.txt": b"text"})
    intake(tmp_path)
    code, out = likeness(monkeypatch, capsys, "list", "--reason", "DRIFTED")
    assert (code, out) == (0, "Ann/1.jpg: The batch drifted.\nAnn/2.jpg: The batch drifted.\n")
    _, out = likeness(monkeypatch, capsys, "list", "Ann", "--json")
    assert [json.loads(line)["person"] for line in out.splitlines()] == ["Ann", "Ann"]
    for arguments in (["release"], ["drop"], ["drop", "Eve/1.jpg"]):
        code, out = likeness(monkeypatch, capsys, *arguments)
        assert code == 2, out
    assert "holds no file 'Eve/1.jpg'" in out
    assert likeness(monkeypatch, capsys, "drop", "*.txt") == (0, "1 file deleted\n")
    code, out = likeness(monkeypatch, capsys, "release", "data/quarantine/Ann/1.jpg")
    assert code == 0
    assert out.startswith("1 file back in data/incoming; `make nightly-now ARGS=--no-settle`")
    assert likeness(monkeypatch, capsys, "release", "--all")[0] == 0
    assert names(tmp_path / "data") == {"collected.json", "incoming/Ann/1.jpg", "incoming/Ann/2.jpg"}
