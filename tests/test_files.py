"""Files appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from likeness.errors import OutputError
from likeness.files import atomic_path, file_sha256, read_json, write_json, write_text


def test_a_failed_write_leaves_the_previous_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_json(target, {"b": 1, "a": [1.5]})
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert read_json(target) == {"a": [1.5], "b": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_cannot_be_made_is_reported_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "file" / "below" / "x.txt", "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which stands for a full disk")
def test_a_full_disk_is_reported_in_a_sentence(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_text("before")
    with (
        pytest.raises(OutputError, match="No space left"),
        atomic_path(target),
        Path("/dev/full").open("wb") as full,
    ):
        full.write(b"x" * 10_000_000)
    assert target.read_text() == "before"


def test_equal_values_are_equal_files(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": 1, "y": "é"})
    write_json(tmp_path / "b", {"y": "é", "x": 1})
    assert file_sha256(tmp_path / "a") == file_sha256(tmp_path / "b")
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "c", float("nan"))


def test_a_kill_in_mid_write_leaves_the_previous_file(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_text("before")
    program = (
        "import os, sys, signal, pathlib\n"
        "from likeness.files import atomic_path\n"
        "with atomic_path(pathlib.Path(sys.argv[1])) as p:\n"
        "    p.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert done.returncode < 0
    assert target.read_text() == "before"


def test_outputs_get_what_the_umask_grants(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        write_text(tmp_path / "x", "x")
    finally:
        os.umask(previous)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


@pytest.mark.attack("11")
def test_what_a_killed_writer_left_is_removed_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom likeness.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as half:\n"
        "    half.write_text('half'), print(half, flush=True), sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program]
    halves: list[Path] = []
    writers: list[subprocess.Popen[str]] = []
    for name in ("dead.txt", "alive.txt"):
        writer = subprocess.Popen(
            [*command, str(tmp_path / name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        halves.append(Path(writer.stdout.readline().strip()))
        writers.append(writer)
    writers[0].kill()
    writers[0].communicate()
    for half in halves:
        os.utime(half, (0, 0))
    write_text(tmp_path / "other.txt", "whole")
    assert [half.exists() for half in halves] == [False, True]
    writers[1].communicate("")
    assert (tmp_path / "alive.txt").read_text() == "half"
