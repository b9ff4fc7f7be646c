"""The table of nightly runs that `likeness history` prints."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likeness.artifacts.nightly_run import NightlyRun, read_nightly_runs

if TYPE_CHECKING:
    from rich.console import Console

_COUNTS = {"new": "merged", "bad": "quarantined", "wait": "waiting", "left": "aside"}  # column: key of the batch


def print_history(folder: Path, console: Console, last: int = 14, as_json: bool = False) -> None:
    """Prints the last nightly runs, the newest first.

    Args:
        folder: of their records.
        console: where to.
        last: how many.
        as_json: one JSON list instead of a table.
    """
    runs = read_nightly_runs(folder)[: -last - 1 : -1]
    if as_json:
        console.print_json(json.dumps([dataclasses.asdict(run) for run in runs]))
    elif not runs:
        console.print(
            f"No nightly run in {folder} yet: `make nightly-now` starts one, `make nightly` one every night."
        )
    else:
        console.print(_table(runs))
        console.print(f"last: {runs[0].line}", markup=False)


def _table(runs: list[NightlyRun]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, collapse_padding=True)  # fits in 80 columns
    for heading in ("start (UTC)", "outcome"):
        table.add_column(heading, no_wrap=True)
    for heading in ("challenger", "champion", *_COUNTS, "min"):
        table.add_column(heading, no_wrap=True, justify="right")
    for run in runs:
        table.add_row(
            f"{run.start:%Y-%m-%d %H:%M}",
            escape(run.outcome),
            _model(run.challenger, run.challenger_accuracy),
            _model(run.champion, run.champion_accuracy),
            *(str(run.batch.get(key, "-")) for key in _COUNTS.values()),
            "-" if run.known_seconds is None else f"{run.known_seconds / 60:.1f}",
        )
    return table


def _model(version: int | None, accuracy: float | None) -> str:
    figure = "" if accuracy is None else f" {accuracy:.1%}"
    return "-" if version is None else f"v{version}{figure}"
