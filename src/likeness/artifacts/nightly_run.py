"""The record of one nightly run: a small JSON file in reports/nightly."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from likeness.artifacts.json_file import JsonFile
from likeness.errors import DataError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NightlyRun:
    """How one run of the nightly flow ended.

    Attributes:
        started: UTC, ISO 8601.
        outcome: one word, such as promoted, kept or drift.
        line: what happened and what to do, in one line.
        seconds: from start to end.
        trained: whether a model was trained.
        fingerprint: of the data set afterwards.
        challenger, champion: versions of the registry; the champion is the one that serves afterwards.
        challenger_accuracy, champion_accuracy: share of the frozen test pairs on which the model is correct.
        challenger_interval, champion_interval: their 95 % intervals, low and high; None in records before 0.3.
        batch: counts of the files that had arrived, by what became of them.
        stages: seconds of each stage that was run.
        run_id: of the training in MLflow.
        flow_run: id of the run in Prefect.
    """

    started: str
    outcome: str
    line: str
    seconds: float
    trained: bool = False
    fingerprint: str | None = None
    challenger: int | None = None
    champion: int | None = None
    challenger_accuracy: float | None = None
    champion_accuracy: float | None = None
    challenger_interval: tuple[float, float] | None = None
    champion_interval: tuple[float, float] | None = None
    batch: dict[str, int] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    run_id: str | None = None
    flow_run: str | None = None

    def __post_init__(self) -> None:
        if datetime.fromisoformat(self.started).tzinfo is None:
            raise ValueError(f"started: expected a time with its zone, found {self.started!r}")

    @property
    def start(self) -> datetime:
        """When it started, in UTC."""
        return datetime.fromisoformat(self.started).astimezone(UTC)

    @property
    def known_seconds(self) -> float | None:
        """From start to end; None of a killed run, of whose end nobody knows."""
        return None if self.outcome == "killed" else self.seconds

    @property
    def file(self) -> str:
        """Name of its file: sorts by time, and two runs of one second differ by their flow run."""
        stamp = self.started.replace(":", "").replace("+0000", "Z")
        return f"{stamp}{'-' + self.flow_run[:8] if self.flow_run else ''}.json"


NIGHTLY_RUN = JsonFile("<time>.json", NightlyRun)


def write_nightly_run(folder: Path, run: NightlyRun) -> Path:
    """Writes a record beside the others; returns its file."""
    path = folder / run.file
    NIGHTLY_RUN.write(path, run)
    return path


def read_nightly_runs(folder: Path) -> list[NightlyRun]:
    """All records, the oldest first; a file that cannot be read costs a warning."""
    runs = []
    for path in sorted(folder.glob("*.json")):
        try:
            runs.append(NIGHTLY_RUN.read(path))
        except DataError as error:
            _log.warning("%s; left out of the history", error)
    return runs
