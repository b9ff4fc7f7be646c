"""How a nightly run can end: its outcome, what happened in one line, and what to do next."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from enum import StrEnum

from likeness.errors import Failure

_LINE = 300  # characters of a message that are kept


class RunOutcome(StrEnum):
    """Every way in which a nightly run can end."""

    PROMOTED = "promoted"
    KEPT = "kept"
    REFUSED = "refused"
    NOTHING = "nothing-to-do"
    BAD_BATCH = "bad-batch"
    DRIFT = "drift"
    INVALID = "validation-failed"
    DIVERGED = "diverged"
    LOCK_BUSY = "lock-busy"
    OVERLAPPING = "overlapping"
    DISK_FULL = "disk-full"
    TRACKING_AWAY = "tracking-away"
    CANCELLED = "cancelled"
    KILLED = "killed"
    FAILED = "failed"
    NO_GPU = "no-gpu"
    ALTERED = "deployment-altered"

    @property
    def good(self) -> bool:
        """Whether nobody needs to look."""
        return self in (RunOutcome.PROMOTED, RunOutcome.KEPT, RunOutcome.REFUSED, RunOutcome.NOTHING)

    @property
    def state_name(self) -> str:
        """How Prefect's page names the state of the run."""
        return self.value.replace("-", " ").capitalize()


NEXT_STEPS = {
    RunOutcome.PROMOTED: "Nothing to do; `likeness rollback --because …` undoes it.",
    RunOutcome.KEPT: "Nothing to do.",
    RunOutcome.REFUSED: "Nothing to do; reports/gate/gate.md names what is worse.",
    RunOutcome.NOTHING: "Nothing to do.",
    RunOutcome.BAD_BATCH: "`likeness quarantine list` says why; mend the files, or put the good ones back "
    "with `likeness quarantine release`.",
    RunOutcome.DRIFT: "If the photographs are right, run `likeness quarantine release --reason drifted`, then "
    "`make nightly-now ARGS='--accept-drift --no-settle'`.",
    RunOutcome.INVALID: "See reports/validation/docs/index.html; correct the data or the bound in params.yaml.",
    RunOutcome.DIVERGED: "Lower train.learning_rate or set train.clip_norm in params.yaml.",
    RunOutcome.LOCK_BUSY: "Let that process end, or end it; the next run tries again.",
    RunOutcome.OVERLAPPING: "Nothing to do; the other run continues.",
    RunOutcome.DISK_FULL: "Free some space (`likeness prune` lists what can go); the next run continues.",
    RunOutcome.TRACKING_AWAY: "Bring the MLflow store back; the next run continues where this one stopped.",
    RunOutcome.CANCELLED: "Nothing to do; the next run continues from the last checkpoint.",
    RunOutcome.KILLED: "The next run continues from the last checkpoint. If nobody killed it, look for a lack of "
    "memory (`dmesg`) or of power.",
    RunOutcome.FAILED: "Read the log of the stage in Prefect; `dvc repro` by hand shows the same.",
    RunOutcome.ALTERED: "Find out who can write to the scheduler's database or knows its login; remove "
    ".likeness/prefect-login, and start `make nightly` again, which makes a new login and a new deployment.",
    RunOutcome.NO_GPU: "Set nightly.device to auto, or see `likeness doctor` for the driver.",
}

_BY_KIND = {
    "validation-failed": RunOutcome.INVALID,
    "diverged": RunOutcome.DIVERGED,
    "collapse": RunOutcome.DIVERGED,
    "tracking": RunOutcome.TRACKING_AWAY,
    "disk-full": RunOutcome.DISK_FULL,
}
_DISK_FULL = f"[Errno {errno.ENOSPC}]"  # as Python shows it, in DVC's output too


class HaltError(Exception):
    """Ends a nightly run with an outcome and a line that says what happened.

    Attributes:
        outcome: of the run.
        transient: whether trying again may help.
    """

    def __init__(self, outcome: RunOutcome, line: str, transient: bool = False) -> None:
        super().__init__(line)
        self.outcome = outcome
        self.transient = transient


def outcome_of(failure: Failure) -> RunOutcome:
    """The outcome of a nightly run that failed so."""
    return _BY_KIND.get(failure.kind, RunOutcome.FAILED)


def stage_halt(stage: str, failure: Failure | None, lines: Sequence[str]) -> HaltError:
    """What a stage left when it failed, else the last error of its output, as an outcome."""
    if failure is not None:
        return HaltError(outcome_of(failure), f"{stage}: {failure.message[:_LINE]}", failure.transient)
    full = any(_DISK_FULL in line for line in lines)
    return HaltError(RunOutcome.DISK_FULL if full else RunOutcome.FAILED, f"{stage}: {_last_error(lines)[:_LINE]}")


def _last_error(lines: Sequence[str]) -> str:
    errors = [line for line in lines if line.startswith("ERROR: ")]
    return (errors or list(lines) or ["it failed without any output"])[-1].removeprefix("ERROR: ")
