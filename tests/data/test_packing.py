"""Workers that decode: what they leave behind, and what happens when they are ended from outside."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.data.archive import Member
from likeness.data.packing import BATCH_FILES, pack
from likeness.data.sources import DataParams
from likeness.errors import DataError
from likeness.images import crop_and_resize, read_image
from tests.data.pictures import jpeg

PARAMS = DataParams("folder", None, None, (20, 16))
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


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
    assert multiprocessing.active_children() == []


def test_no_image_at_all_is_an_empty_store(tmp_path: Path) -> None:
    assert pack([], tmp_path / "pixels.npy", PARAMS, 2, None).empty
    assert np.load(tmp_path / "pixels.npy").shape == (0, 20, 16)


def test_threads_of_opencv_that_run_already_do_no_harm(tmp_path: Path) -> None:
    cv2.setNumThreads(4)
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)
    for _ in range(3):
        cv2.GaussianBlur(noise, (31, 31), 5)
    assert len(pack(members(100), tmp_path / "pixels.npy", PARAMS, 2, None)) == 100
    assert cv2.getNumThreads() == 4


@linux
def test_a_worker_that_is_killed_ends_the_ingest_with_a_sentence(tmp_path: Path) -> None:
    def files() -> Iterator[Member]:
        yield from members(BATCH_FILES)
        while True:  # until the pool notices
            for worker in multiprocessing.active_children():
                os.kill(worker.pid or 0, signal.SIGKILL)
            yield members(1)[0]

    with pytest.raises(DataError, match="ended from outside"):
        pack(files(), tmp_path / "pixels.npy", PARAMS, 2, None)
    assert multiprocessing.active_children() == []


@linux
@pytest.mark.attack("11")
def test_workers_end_with_the_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import multiprocessing, sys, time\n"
        "from pathlib import Path\n"
        "from likeness.data.packing import pack\n"
        "from tests.data.test_packing import PARAMS, members\n"
        "def files():\n"
        "    yield from members(200)\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(600)\n"
        "pack(files(), Path(sys.argv[1]), PARAMS, 2, None)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "pixels.npy")]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [Path("/proc", pid) for pid in process.stdout.readline().split()]
        assert len(workers) == 2
        assert all(worker.exists() for worker in workers)
        process.kill()
    deadline = time.monotonic() + 10
    while any(_running(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_running(worker) for worker in workers)


def _running(process: Path) -> bool:
    """Whether there is such a process; one that only waits to be reaped has ended."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
