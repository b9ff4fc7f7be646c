"""DVC as the flow uses it: one stage at a time, in a process group, waiting for a person's own run."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from likeness.artifacts.failure import FAILURE_FILE, read_failure
from likeness.nightly.outcome import HaltError, RunOutcome, stage_halt
from likeness.nightly.process import CommandResult, run_group

PREPARATION = ("check", "source")
"""The stages that check the parameters and the source, before DVC can say what changed."""
_BUSY = ("is busy, it is being blocked by", "Unable to acquire lock")
_HOLDER = re.compile(r"\(PID (\d+)\): (.+)")
_POLL_SECONDS = 10.0
_QUICK_SECONDS = 600.0  # for commands that change nothing


@dataclass(frozen=True)
class Dvc:
    """DVC in one project.

    Attributes:
        root: the project.
        grace: seconds between the request to stop and the kill.
        wait: seconds that another DVC process is waited for.
        report: gets each line of output.
        failure: file in which a stage that fails leaves its `Failure`.
        poll: seconds between tries while waiting.
    """

    root: Path
    grace: float
    wait: float
    report: Callable[[str], None]
    failure: Path
    poll: float = _POLL_SECONDS

    def changed(self, stages: Sequence[str]) -> bool:
        """Whether any of the stages would run, after a check of the parameters and the source.

        Raises:
            HaltError: a parameter is wrong, DVC fails, or it is busy for too long.
        """
        for stage in PREPARATION:
            self.reproduce(stage, _QUICK_SECONDS)
        done = self._run_when_free(["status", "--quiet", *stages], _QUICK_SECONDS)
        if done.exit_code in (0, 1):
            return done.exit_code == 1
        raise stage_halt("dvc status", None, done.lines)

    def reproduce(self, stage: str, seconds: float) -> tuple[bool, float]:
        """Brings one stage up to date; returns whether it ran, and the seconds that it took.

        Raises:
            HaltError: it failed, took too long, or another DVC process is in the way for too long.
        """
        done = self._run_when_free(["repro", "--single-item", stage], seconds)
        if done.timed_out:
            raise HaltError(
                RunOutcome.FAILED,
                f"{stage}: not finished after {seconds / 60:g} minutes, its limit; it was stopped.",
            )
        if done.exit_code != 0:
            raise stage_halt(stage, read_failure(self.failure), done.lines)
        return any(line.startswith("Running stage") for line in done.lines), done.seconds

    def _run_when_free(self, arguments: Sequence[str], seconds: float) -> CommandResult:
        until = time.monotonic() + self.wait
        while True:
            done = self._run(arguments, seconds)
            holder = _holder(done)
            if holder is None:
                return done
            if time.monotonic() >= until:
                raise HaltError(
                    RunOutcome.LOCK_BUSY,
                    f"another DVC process holds the project ({holder}); gave up after {self.wait / 60:g} minutes.",
                )
            self.report(f"waiting for another DVC process: {holder}")
            time.sleep(min(self.poll, max(until - time.monotonic(), 0.1)))

    def _run(self, arguments: Sequence[str], seconds: float) -> CommandResult:
        binaries = str(Path(sys.executable).parent)  # the stages say `python`
        path = os.pathsep.join([binaries, os.environ.get("PATH", "")])
        self.failure.unlink(missing_ok=True)
        environ = os.environ | {"PATH": path, FAILURE_FILE: str(self.failure)}
        return run_group(
            [sys.executable, "-m", "dvc", *arguments],
            folder=self.root,
            seconds=seconds,
            grace=self.grace,
            report=self.report,
            environ=environ,
        )


def _holder(done: CommandResult) -> str | None:
    """The process that holds the lock on which a command failed; None where that was not the reason."""
    if done.exit_code == 0 or not any(mark in line for line in done.lines for mark in _BUSY):
        return None
    found = next((match for line in done.lines if (match := _HOLDER.search(line))), None)
    return f"process {found[1]}: {found[2]}" if found else "unknown"
