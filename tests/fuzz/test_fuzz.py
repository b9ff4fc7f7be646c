"""The fuzzer itself: every seed passes, and what fails, is lost or is ended is counted and kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from likeness.errors import ImageError, WorkerError
from tests.fuzz.__main__ import repeat, table
from tests.fuzz.running import Tally, execute, explore
from tests.fuzz.targets import TARGETS, LossError, Target

ROOT = Path(__file__).parents[2]


class Here:
    """In place of the worker process; a MemoryError or a crash ends it as it would end that."""

    def call(self, function, *arguments):
        try:
            return function(*arguments)
        except MemoryError:
            raise WorkerError("needs more than 1024 MB of memory") from None


def planted(data: bytes, folder: Path) -> None:
    if b"9" * 400 in data:
        raise KeyError("planted")
    if b"null" in data:
        raise LossError("planted")
    if b"NaN" in data:
        raise MemoryError
    if len(data) > 40:
        raise ImageError("too long")


@pytest.mark.attack("13")
@pytest.mark.parametrize("name", [name for name in TARGETS if name != "intake"])
def test_every_seed_is_read_or_refused_in_a_sentence(name: str) -> None:
    outcomes = [execute(name, data) for data in TARGETS[name].seeds()]
    assert [outcome.detail for outcome in outcomes if outcome.kind not in ("read", "refused")] == []
    assert "read" in {outcome.kind for outcome in outcomes}


def test_each_kind_of_fault_is_found_counted_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = (b"a: 1", b"9" * 400, b"null", b"NaN", b"b" * 41)
    monkeypatch.setitem(TARGETS, "planted", Target(lambda: seeds, planted))
    tally = Tally()
    for seed in range(20):  # a busy machine tries few inputs in a second
        if len(tally.counts) < 5 or len(tally.failures) < 3:
            explore("planted", 2, seed, tally, Here(), tmp_path)
    assert {"read", "refused", "failed", "lost", "killed"} == set(tally.counts)
    assert sorted(place.split(" at ")[0] for place in tally.failures) == [
        "KeyError",
        "LossError",
        "needs more than 1024 MB of memory",
    ]
    assert len(list(tmp_path.iterdir())) == len(tally.failures)
    assert sum(repeat(path) for path in tmp_path.iterdir() if b"NaN" not in path.read_bytes()) == 2
    assert f"{tally.inputs:>10}" in table({"planted": tally})


@pytest.mark.slow
def test_the_command_reports_and_ends_well() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "1", "--seed", "7", "--target", "lists"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("seed 7\ntarget")
    assert "\nlists " in done.stdout
