"""Uploads made to do harm beside good photographs: the good arrive, each bad one is a row, no run ends early."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.data.batch_images import measure
from likeness.data.batch_placement import Placed, place
from likeness.data.collected import Collected
from likeness.data.incoming import take_snapshot
from likeness.data.names import printable
from likeness.data.sources import DataParams
from likeness.isolation import Limits
from tests.data.hostile import UPLOADS, Upload, photograph
from tests.data.pictures import write_tar, write_zip

DATA = DataParams("folder", None, None, (16, 12))
LIMITS = Limits(seconds=20, memory=1 << 30)
batches = st.lists(st.sampled_from(UPLOADS), max_size=6)


@contextlib.contextmanager
def bounded_memory(size: int) -> Iterator[None]:
    """This process itself may not take more than so many bytes beyond what it holds."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def good_batch(incoming: Path, number: int, rng: random.Random) -> dict[str, str]:
    """Three good photographs, in a folder and in both kinds of archives; their digests and people."""
    files = {f"{person}/{number}.jpg": photograph(rng) for person in ("Ann_Lee", "Bob", "Zoë")}
    (folder, loose), *packed = files.items()
    (incoming / folder).parent.mkdir(parents=True, exist_ok=True)
    (incoming / folder).write_bytes(loose)
    write_zip(incoming / f"good{number}.zip", dict(packed[:1]))
    write_tar(incoming / f"good{number}.tar.gz", dict(packed[1:]))
    return {hashlib.sha256(content).hexdigest(): name.split("/")[0] for name, content in files.items()}


def run_intake(root: Path) -> Placed:
    """What a nightly run does with a batch, but for the expectations and the drift."""
    incoming = root / "incoming"
    found = take_snapshot(incoming, root / ".arrived", ["Ann_Lee"], time.time() + 60, 0, LIMITS)
    fresh = [arrival for arrival in found.arrivals if not arrival.fault]
    _, refused = measure(fresh, DATA, LIMITS)
    refused |= {arrival: arrival.fault for arrival in found.arrivals if arrival.fault}
    return place(found, refused, root / "collected.json", root / "quarantine")


def entries(folder: Path) -> set[str]:
    """Every name below a folder that is no folder."""
    return {
        os.path.join(top, name)  # noqa: PTH118  # names are not always UTF-8
        for top, folders, files in os.walk(folder)
        for name in (*files, *folders)
        if not Path(top, name).is_dir() or Path(top, name).is_symlink()
    }


def check_rounds(uploads: Sequence[Sequence[Upload]], seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "data"
        incoming = root / "incoming"
        expected: dict[str, str] = {}
        for number, batch in enumerate(uploads):
            incoming.mkdir(parents=True, exist_ok=True)
            for upload in batch:
                upload(incoming, rng)
            expected |= good_batch(incoming, number, rng)
            before = entries(incoming)
            with bounded_memory(512 << 20):
                placed = run_intake(root)
            check_rows(placed, before, incoming)
        collected = Collected.read(root / "collected.json")
        held = {photograph.sha256: photograph.person for photograph in collected.photographs}
        assert expected.items() <= held.items()
        assert all(hashlib.sha256(member.data).hexdigest() in held for member in collected)
        assert {path.name for path in Path(name).iterdir()} == {"data"}
        assert {path.name for path in root.iterdir()} <= {"incoming", "collected", "collected.json", "quarantine"}


def check_rows(placed: Placed, before: set[str], incoming: Path) -> None:
    """Every entry is a row, whatever became of it, and everything but what was merged has a reason."""
    names = [row.name for row in placed.rows]
    for path in before:
        name = printable(Path(path).relative_to(incoming).as_posix())
        if not name.endswith(".reason.txt"):
            assert any(row == name or row.startswith(f"{name}/") for row in names), name
    assert all(row.reason for row in placed.rows if row.placement != "merged")


@pytest.mark.attack("4")
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches, st.integers(0, 2**32))
def test_no_upload_ends_a_run_or_keeps_a_good_photograph_out(uploads: list[Upload], seed: int) -> None:
    check_rounds([uploads], seed)


@pytest.mark.slow
@pytest.mark.attack("4")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches, st.integers(0, 2**32))
def test_no_upload_of_many_rounds_ends_a_run(uploads: list[Upload], seed: int) -> None:
    check_rounds([uploads], seed)


@pytest.mark.nightly
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches, st.integers(0, 2**32))
def test_no_upload_of_a_thousand_rounds_ends_a_run(uploads: list[Upload], seed: int) -> None:
    check_rounds([uploads], seed)


@pytest.mark.attack("4")
def test_the_same_uploads_come_again_after_their_quarantine() -> None:
    check_rounds([UPLOADS, UPLOADS, UPLOADS], 1)


@pytest.mark.attack("4")
def test_a_limit_of_memory_ends_the_work_on_one_file(tmp_path: Path) -> None:
    rng = random.Random(0)
    expected = good_batch(tmp_path / "incoming", 0, rng)
    write_zip(tmp_path / "incoming" / "heavy.zip", {"Eve/1.bmp": rng.randbytes(60 << 20)})
    found = take_snapshot(
        tmp_path / "incoming", tmp_path / ".arrived", [], time.time() + 60, 0, Limits(memory=32 << 20)
    )
    faults = {arrival.name: arrival.fault for arrival in found.arrivals if arrival.fault}
    assert faults == {"heavy.zip": "The archive needs more than 32 MB of memory."}
    assert {arrival.sha256 for arrival in found.arrivals if not arrival.fault} == set(expected)
