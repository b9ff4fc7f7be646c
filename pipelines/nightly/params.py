"""Section `nightly` of operations.yaml, and where the flow keeps its things."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from likeness.operations import read_operations
from likeness.params import Range
from likeness.validation.drift import DriftParams
from pipelines.nightly.zone import cron_fault, is_zone, local_zone

Minutes = Annotated[float, Range(above=0)]
STAGES = ("ingest", "validate", "split", "train", "evaluate", "report")


@dataclass(frozen=True)
class StageMinutes:
    """The longest that each stage may take; a training that is stopped goes on where it was the next night."""

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
        cron: when a night begins.
        timezone: of the cron, such as Europe/Berlin; None is the machine's own.
        settle_seconds: a file that changed within them is still being written, and waits for the next night.
        bad_share: when more of a batch is bad than this, all of it goes to quarantine.
        drift: limits of a batch's difference from the data set.
        device: cuda ends the night before a training where there is no GPU.
        free_gigabytes: the least free disk space to begin with.
        lock_wait_minutes: how long a person's own `dvc repro` is waited for.
        minutes: limits of the stages.
        grace_seconds: between the request to stop and the kill; below the 30 that Prefect grants a cancelled run.
        retry_seconds: before each further try of a download or of the registry.
        notify: a Prefect block that is told how a night ended badly, such as custom-webhook/likeness.
        notify_always: tells it of good nights too.
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
        """Name of the time zone that the cron is meant in."""
        return self.timezone or local_zone()


def read_nightly(path: Path) -> NightlyParams:
    """The section `nightly` of the operations.yaml beside a params.yaml; whatever is not set has its default.

    Raises:
        ParamsError: a file cannot be read, or the section has mistakes.
    """
    return read_operations(path, NightlyParams)


@dataclass(frozen=True)
class Places:
    """Where the flow finds and leaves things, below the project's root."""

    root: Path

    @property
    def params(self) -> Path:
        """The params.yaml."""
        return self.root / "params.yaml"

    @property
    def incoming(self) -> Path:
        """New photographs, put there by anybody."""
        return self.root / "data" / "incoming"

    @property
    def quarantine(self) -> Path:
        """Bad files, each with a text beside it."""
        return self.root / "data" / "quarantine"

    @property
    def staging(self) -> Path:
        """Copies of what has arrived, while it is looked at; on the same disk as the collection."""
        return self.root / "data" / ".arrived"

    @property
    def batch(self) -> Path:
        """What became of each file of the last batch, and why; it names people, and stays on this machine."""
        return self.state / "batch.json"

    @property
    def failure(self) -> Path:
        """What the stage that failed last leaves of its failure."""
        return self.state / "failure.json"

    @property
    def note(self) -> Path:
        """The note of the collected photographs."""
        return self.root / "data" / "collected.json"

    @property
    def faces(self) -> Path:
        """The data set as it is."""
        return self.root / "data" / "faces"

    @property
    def model(self) -> Path:
        """The model that was trained last, which need not be the one that serves."""
        return self.root / "models" / "model"

    @property
    def reports(self) -> Path:
        """What the stages report."""
        return self.root / "reports"

    @property
    def nights(self) -> Path:
        """A file for each night."""
        return self.reports / "nightly"

    @property
    def state(self) -> Path:
        """The flow's own lock and memory."""
        return self.root / ".likeness" / "nightly"
