"""Workers that decode: what they leave behind, and what happens when they are ended from outside."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from likeness.data.archive_members import Member
from likeness.data.image_packing import BATCH_FILES, pack
from likeness.data.problems import UNDECODABLE
from likeness.data.sources import DataParams
from likeness.images import crop_and_resize, read_image
from likeness.isolation import Limits
from tests.data.pictures import encoded, jpeg

PARAMS = DataParams("folder", None, None, (20, 16))
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def members(count: int) -> list[Member]:
    return [Member(f"Ann/{number}.jpg", jpeg(number % 7)) for number in range(count)]


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_come_in_the_order_of_the_files(tmp_path: Path, workers: int) -> None:
    files = members(5 * BATCH_FILES + 3)
    table = pack(files, tmp_path / "pixels.npy", PARAMS, workers, None)
    assert table["path"].tolist() == [file.path for file in files]
    expected = {number: crop_and_resize(read_image(jpeg(number)), None, (20, 16)) for number in range(7)}
    stored = np.load(tmp_path / "pixels.npy")
    assert all(np.array_equal(row, expected[number % 7]) for number, row in enumerate(stored))


def test_no_image_at_all_is_an_empty_store(tmp_path: Path) -> None:
    assert pack([], tmp_path / "pixels.npy", PARAMS, 2, None).empty
    assert np.load(tmp_path / "pixels.npy").shape == (0, 20, 16)


@pytest.mark.attack("2")
def test_a_file_that_takes_too_much_is_a_row_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.data.image_packing.LIMITS", Limits(memory=64 << 20))
    huge = encoded(np.zeros((7000, 8000), np.uint8), "PNG", "L")
    files = [*members(3), Member("Ann/huge.png", huge), *members(3), Member("Ann/last.png", huge)]
    table = pack(files, tmp_path / "pixels.npy", PARAMS, 2, None)
    assert table["problem"].tolist() == ["", "", "", UNDECODABLE, "", "", "", UNDECODABLE]
    assert table["error"][3] == "the file needs more memory than there is: not decoded; save it smaller"
    assert (table["bytes"][3], table["sha256"][3]) == (len(huge), hashlib.sha256(huge).hexdigest())
    stored = np.load(tmp_path / "pixels.npy")
    assert stored.any(axis=(1, 2)).tolist() == [True, True, True, False, True, True, True, False]


@pytest.mark.attack("2")
def test_a_file_that_takes_too_long_costs_its_own_row_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.data.image_packing.LIMITS", Limits(seconds=0.5))
    slow = b"P2\n3500 3500\n255\n" + b"7 " * 3500**2
    table = pack([*members(2), Member("Ann/slow.pgm", slow), *members(1)], tmp_path / "p.npy", PARAMS, 1, None)
    assert table["problem"].tolist() == ["", "", UNDECODABLE, ""]
    assert table["error"][2] == "the file takes longer than 0.5 s"
    assert (table["bytes"][2], table["sha256"][2]) == (len(slow), hashlib.sha256(slow).hexdigest())
    assert np.load(tmp_path / "p.npy").any(axis=(1, 2)).tolist() == [True, True, False, True]


@linux
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    others = set(children())

    def files() -> Iterator[Member]:
        for file in members(6 * BATCH_FILES):
            if file.path == f"Ann/{5 * BATCH_FILES}.jpg":
                for child in set(children()) - others:
                    os.kill(child, signal.SIGKILL)
            yield file

    table = pack(files(), tmp_path / "pixels.npy", PARAMS, 2, None)
    assert (table["problem"] == "").all()
    assert np.load(tmp_path / "pixels.npy").any(axis=(1, 2)).all()
    assert set(children()) <= others


@linux
@pytest.mark.attack("11")
def test_workers_end_with_the_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from likeness.data.image_packing import pack\n"
        "from tests.data.test_image_packing import PARAMS, children, members\n"
        "def files():\n"
        "    yield from members(200)\n"
        "    print(*children(), flush=True)\n"
        "    time.sleep(600)\n"
        "pack(files(), Path(sys.argv[1]), PARAMS, 2, None)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "pixels.npy")]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [Path("/proc", pid) for pid in process.stdout.readline().split()]
        assert workers
        assert all(worker.exists() for worker in workers)
        process.kill()
    deadline = time.monotonic() + 10
    while any(_running(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_running(worker) for worker in workers)


def children() -> list[int]:
    """Processes that this one started and that have not been waited for, but for multiprocessing's own tracker."""
    pids = [int(pid) for tasks in Path("/proc/self/task").glob("*/children") for pid in tasks.read_text().split()]
    return [pid for pid in pids if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _running(process: Path) -> bool:
    """Whether there is such a process; one that only waits to be reaped has ended."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
