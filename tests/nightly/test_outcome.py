"""A failure of a stage becomes the outcome of the run."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from likeness.artifacts.failure import FAILURE_FILE, read_failure
from likeness.errors import (
    CollapseError,
    DivergedError,
    DownloadError,
    Failure,
    OutputError,
    SourceError,
    TrackingError,
    UnreachableError,
    ValidationFailedError,
    failure_of,
)
from likeness.nightly.outcome import NEXT_STEPS, RunOutcome, stage_halt
from pipelines._stage import run as run_stage_program


@pytest.mark.parametrize(
    ("error", "outcome", "transient"),
    [
        (ValidationFailedError("2 of 9 fail"), RunOutcome.INVALID, False),
        (DivergedError("the loss is nan"), RunOutcome.DIVERGED, False),
        (CollapseError("one point"), RunOutcome.DIVERGED, False),
        (TrackingError("the store is away"), RunOutcome.TRACKING_AWAY, False),
        (OSError(errno.ENOSPC, "in any language"), RunOutcome.DISK_FULL, False),
        (UnreachableError("http://a: no answer, in any words"), RunOutcome.FAILED, True),
        (DownloadError("http://a: is not the published file"), RunOutcome.FAILED, False),
        (DownloadError("http://a: cut short", transient=True), RunOutcome.FAILED, True),
        (SourceError("/a: a folder whose name is 'the server does not answer'"), RunOutcome.FAILED, False),
        (KeyError("a defect"), RunOutcome.FAILED, False),
    ],
)
def test_a_failure_is_data_and_decides_the_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: RunOutcome, transient: bool
) -> None:
    """A stage program that fails leaves a small JSON; what it prints is for people."""
    left = tmp_path / "failure.json"
    monkeypatch.setenv(FAILURE_FILE, str(left))
    monkeypatch.setattr(sys, "argv", ["stage"])

    def main() -> None:
        raise error

    with pytest.raises((SystemExit, type(error))):
        run_stage_program(main)
    halt = stage_halt("train", read_failure(left), ["ValidationFailedError: printed by something else"])
    assert (halt.outcome, halt.transient) == (outcome, transient)
    assert str(halt).startswith("train: ")


def test_a_full_disk_below_another_error_is_a_full_disk() -> None:
    error = OutputError("data/faces: cannot be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert failure_of(error) == Failure("disk-full", False, "data/faces: cannot be written")


@pytest.mark.parametrize(
    ("lines", "outcome", "line"),
    [
        (["ERROR: failed to reproduce 'train': exited with 1"], RunOutcome.FAILED, "failed to reproduce 'train'"),
        (
            ["ERROR: unexpected error - [Errno 28] No space left on device"],
            RunOutcome.DISK_FULL,
            "unexpected error",
        ),
        (["ValidationFailedError: printed, but not left"], RunOutcome.FAILED, "printed, but not left"),
        ([], RunOutcome.FAILED, "without any output"),
    ],
)
def test_a_stage_that_leaves_nothing_failed_as_its_output_ends(
    tmp_path: Path, lines: list[str], outcome: RunOutcome, line: str
) -> None:
    halt = stage_halt("train", read_failure(tmp_path / "none.json"), lines)
    assert (halt.outcome, halt.transient) == (outcome, False)
    assert line in str(halt)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"kind": 3}', b"\xff"])
def test_a_torn_failure_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "failure.json").write_bytes(content)
    assert read_failure(tmp_path / "failure.json") is None


def test_every_outcome_says_what_to_do() -> None:
    assert set(NEXT_STEPS) == set(RunOutcome)
