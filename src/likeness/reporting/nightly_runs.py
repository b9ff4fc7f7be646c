"""The page of the nightly runs: how each ended, and the champion's accuracy over time.

It lies beside the report, which links to it. Were the runs part of the report, `dvc repro` would have to make that
anew after every run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from likeness.artifacts.nightly_run import NightlyRun
from likeness.files import write_text
from likeness.reporting.document import Block, Column, Headline, Note, Page, Prose, Section, Table
from likeness.reporting.figures.nightly_runs import champion_over_time
from likeness.reporting.inline import quoted
from likeness.reporting.render import to_page
from likeness.reporting.wording import NOTHING, count, duration, percent

FILE = "nightly-runs.html"
_FINGERPRINT = 10  # hex digits shown
_SHOWN = 90  # runs in the table
_LEAD = (
    "How the nightly runs ended: each adds new photographs, trains a challenger, and compares it with the "
    "champion that serves. The model's own report is [report.html](report.html)."
)
_COLUMNS = [
    Column("start (UTC)", room=6),
    Column("outcome", room=5),
    Column("data"),
    Column("challenger", True),
    Column("champion", True),
    Column("new", True),
    Column("bad", True),
    Column("duration", True),
    Column("what happened, and what to do", room=20),
]


def nightly_runs_link() -> Section:
    """The report's chapter about the page of the nightly runs, which is there once one has ended."""
    text = (
        f"`make nightly` retrains this model every night and writes `{FILE}` beside this page: how each run "
        "ended, and the champion's accuracy over time; `likeness history` prints the same."
    )
    return Section("nightly-runs", "Nightly runs", [Prose(text)])


def write_page(runs: Sequence[NightlyRun], path: Path) -> None:
    """Writes the page: self-contained, opens offline.

    Args:
        runs: the oldest first.
        path: of the HTML file.

    Raises:
        OutputError: it cannot be written.
    """
    page = Page("Likeness: nightly runs", "", _LEAD, nightly_runs_sections(runs))
    write_text(path, to_page(page))


def nightly_runs_sections(runs: Sequence[NightlyRun]) -> list[Section]:
    """The champion's accuracy over time, and a row a run."""
    if not runs:
        note = Note("No nightly run yet: `make nightly-now` starts one.", "missing")
        return [Section("nightly-runs", "Nightly runs", [note])]
    champion: list[Block] = [Headline(_headline(runs))]
    judged = [run for run in runs if run.champion_accuracy is not None]
    if judged:
        champion.append(champion_over_time(_frame(judged)))
    return [
        Section("champion", "The champion over time", champion),
        Section("nightly-runs", "Run by run", [_table(runs)]),
    ]


def _headline(runs: Sequence[NightlyRun]) -> list[tuple[str, str, str]]:
    last = runs[-1]
    figures = [(last.outcome, "outcome of the last run", f"{_when(last)} UTC")]
    served = next((run for run in reversed(runs) if run.champion_accuracy is not None), None)
    if served is not None:
        remark = f"version {served.champion}, judged {_when(served)} UTC"
        figures.append((percent(served.champion_accuracy), "accuracy of the champion", remark))
    outcomes = ", ".join(f"{number} {name}" for name, number in Counter(run.outcome for run in runs).most_common())
    return [*figures, (count(len(runs)), "nightly runs", outcomes)]


def _frame(judged: Sequence[NightlyRun]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "start": [run.start.isoformat() for run in judged],
            "champion": [run.champion_accuracy for run in judged],
            "challenger": [run.challenger_accuracy for run in judged],
        }
    )


def _table(runs: Sequence[NightlyRun]) -> Table:
    shown = list(reversed(runs[-_SHOWN:]))
    promoted = frozenset(at for at, run in enumerate(shown) if run.outcome == "promoted")
    left_out = f" The {count(_SHOWN)} newest of {count(len(runs))}." if len(runs) > _SHOWN else ""
    caption = f"The newest first; in bold those that changed the champion.{left_out}"
    return Table(_COLUMNS, [_row(run) for run in shown], caption, strong=promoted)


def _row(run: NightlyRun) -> list[str]:
    return [
        _when(run),
        run.outcome,
        quoted(run.fingerprint[:_FINGERPRINT]) if run.fingerprint else NOTHING,
        _model(run.challenger, run.challenger_accuracy),
        _model(run.champion, run.champion_accuracy),
        count(run.batch.get("merged")),
        count(run.batch.get("quarantined")),
        duration(run.seconds),
        run.line,
    ]


def _model(version: int | None, accuracy: float | None) -> str:
    return NOTHING if version is None else f"v{version} {percent(accuracy)}"


def _when(run: NightlyRun) -> str:
    return f"{run.start:%Y-%m-%d %H:%M}"
