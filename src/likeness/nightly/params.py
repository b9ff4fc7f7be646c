"""Section `nightly` of operations.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from likeness.nightly.cron import cron_fault
from likeness.nightly.time_zone import is_zone, local_zone
from likeness.operations import read_operations
from likeness.params import Range
from likeness.validation.drift import DriftParams

Minutes = Annotated[float, Range(above=0)]
STAGES = ("ingest", "validate", "split", "train", "evaluate", "report")


@dataclass(frozen=True)
class StageMinutes:
    """The longest that each stage may take; a training that is stopped continues in the next run.

    Attributes:
        ingest: minutes, as all of these; also for a download.
        validate: minutes.
        split: minutes.
        train: minutes.
        evaluate: minutes.
        report: minutes.
    """

    ingest: Minutes = 180
    validate: Minutes = 60
    split: Minutes = 30
    train: Minutes = 720
    evaluate: Minutes = 180
    report: Minutes = 30


@dataclass(frozen=True)
class NightlyParams:
    """Section `nightly` of operations.yaml; it may be left out.

    Attributes:
        cron: when a run starts.
        timezone: of the cron, such as Europe/Berlin; None is the machine's own.
        settle_seconds: a file that changed within them is still being written, and waits for the next run.
        bad_share: when more of a batch is bad than this, all of it goes to quarantine.
        drift: limits of a batch's difference from the data set.
        device: cuda ends a run before its training where there is no GPU.
        free_gigabytes: the minimum of free disk space at the start.
        lock_wait_minutes: how long a person's own `dvc repro` is waited for.
        minutes: limits of the stages.
        grace_seconds: between SIGINT and SIGKILL; below the 30 that Prefect grants a cancelled run.
        retry_seconds: before each further try of a download or of the registry.
        notify: a Prefect block that reports a run that ended badly, such as custom-webhook/likeness.
        notify_always: reports good runs too.
        port: of the embedded server.
    """

    SECTION: ClassVar[str] = "nightly"

    cron: str = "0 2 * * *"
    timezone: str | None = None
    settle_seconds: Annotated[float, Range(low=0)] = 60
    bad_share: Annotated[float, Range(0, 1)] = 0.5
    drift: DriftParams = field(default_factory=DriftParams)
    device: Literal["auto", "cuda"] = "auto"
    free_gigabytes: Annotated[float, Range(low=0)] = 5
    lock_wait_minutes: Annotated[float, Range(low=0)] = 60
    minutes: StageMinutes = StageMinutes()
    grace_seconds: Annotated[float, Range(1, 25)] = 20
    retry_seconds: tuple[float, ...] = (30, 120)
    notify: str | None = None
    notify_always: bool = False
    port: Annotated[int, Range(1024, 65535)] = 4200

    def __post_init__(self) -> None:
        if fault := cron_fault(self.cron):
            raise ValueError(f"cron: {fault}")
        if self.timezone is not None and not is_zone(self.timezone):
            raise ValueError(f"timezone: {self.timezone!r} is no name of the tz database, such as Europe/Berlin")

    @property
    def zone(self) -> str:
        """Name of the time zone of the cron."""
        return self.timezone or local_zone()


def read_nightly(path: Path) -> NightlyParams:
    """The section `nightly` of the operations.yaml beside a params.yaml; whatever is not set has its default.

    Raises:
        ParamsError: a file cannot be read, or the section has mistakes.
    """
    return read_operations(path, NightlyParams)
