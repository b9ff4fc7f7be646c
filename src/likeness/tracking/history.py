"""The nights: one small file each, and the table that `likeness history` prints."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likeness.errors import ParamsError
from likeness.files import read_json, write_json
from likeness.params import from_mapping

if TYPE_CHECKING:
    from rich.console import Console

_log = logging.getLogger(__name__)
_FINGERPRINT = 10  # hex digits shown


@dataclass(frozen=True)
class Night:
    """What one run of the nightly flow came to.

    Attributes:
        started: UTC, ISO 8601.
        outcome: one word, such as promoted, kept or drift.
        line: what happened and what to do, in one line.
        seconds: from start to end.
        trained: whether a model was trained.
        fingerprint: of the data set afterwards.
        challenger, champion: versions of the registry; the champion is the one that serves afterwards.
        challenger_accuracy, champion_accuracy: share of the frozen test pairs decided rightly.
        batch: counts of the files that had arrived.
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
    batch: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    flow_run: str | None = None

    def __post_init__(self) -> None:
        if datetime.fromisoformat(self.started).tzinfo is None:
            raise ValueError(f"started: expected a time with its zone, found {self.started!r}")

    @property
    def file(self) -> str:
        """Name of its file: sorts by time, and two runs of one second differ by their flow run."""
        stamp = self.started.replace(":", "").replace("+0000", "Z")
        return f"{stamp}{'-' + self.flow_run[:8] if self.flow_run else ''}.json"


def write_night(folder: Path, night: Night) -> Path:
    """Writes a night beside the others; returns its file."""
    path = folder / night.file
    write_json(path, dataclasses.asdict(night))
    return path


def read_nights(folder: Path) -> list[Night]:
    """All nights, the oldest first; a file that cannot be read costs a warning."""
    nights = []
    for path in sorted(folder.glob("*.json")):
        try:
            nights.append(_night(read_json(path), path))
        except (OSError, ValueError, RecursionError, ParamsError, TypeError, AttributeError) as error:
            _log.warning("%s: left out of the history (%s)", path, error)
    return nights


def print_history(folder: Path, console: Console, last: int = 14, as_json: bool = False) -> None:
    """Prints the last nights, the newest first.

    Args:
        folder: of the nights' files.
        console: where to.
        last: how many.
        as_json: one JSON list instead of a table.
    """
    nights = read_nights(folder)[: -last - 1 : -1]
    if as_json:
        console.print_json(json.dumps([dataclasses.asdict(night) for night in nights]))
    elif not nights:
        console.print(f"No night in {folder} yet: `make nightly-now` runs one, `make nightly` one every night.")
    else:
        console.print(_table(nights))
        console.print(f"last: {nights[0].line}", markup=False)


def _night(values: Mapping[str, Any], path: Path) -> Night:
    """A night of its file; batch and stages are free tables, which the parameter reader does not know."""
    if not isinstance(values, Mapping):
        raise TypeError("is no table")
    batch, stages = (dict(values.get(name) or {}) for name in ("batch", "stages"))
    plain = {name: value for name, value in values.items() if name not in ("batch", "stages")}
    return dataclasses.replace(from_mapping(Night, plain, str(path)), batch=batch, stages=stages)


def _table(nights: list[Night]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, collapse_padding=True)  # fits in 80 columns
    for heading in ("night", "outcome", "data", "challenger", "champion", "new", "bad", "seconds"):
        table.add_column(heading, no_wrap=True)
    for night in nights:
        when = datetime.fromisoformat(night.started).astimezone(UTC)
        table.add_row(
            f"{when:%Y-%m-%d %H:%M}",
            escape(night.outcome),
            escape((night.fingerprint or "-")[:_FINGERPRINT]),
            _model(night.challenger, night.challenger_accuracy),
            _model(night.champion, night.champion_accuracy),
            str(night.batch.get("merged", "-")),
            str(night.batch.get("quarantined", "-")),
            f"{night.seconds:.0f}",
        )
    return table


def _model(version: int | None, accuracy: float | None) -> str:
    figure = "" if accuracy is None else f" {accuracy:.4f}"
    return "-" if version is None else f"v{version}{figure}"
