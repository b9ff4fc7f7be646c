"""The page of the nightly runs: how each ended, and the champion's accuracy over time.

It is beside the report, which links to it. Were the runs part of the report, `dvc repro` would have to make that
again after every run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from likeness.artifacts.nightly_run import NightlyRun
from likeness.files import write_text
from likeness.metrics.intervals import Estimate
from likeness.reporting.document import (
    Block,
    Column,
    FigureGroup,
    Headline,
    Note,
    Page,
    Prose,
    Section,
    Table,
    Tone,
)
from likeness.reporting.figures.nightly_runs import champion_over_time, outcomes_over_time
from likeness.reporting.inline import quoted
from likeness.reporting.render import to_page
from likeness.reporting.wording import NOTHING, count, duration, interval, measured, percent

FILE = "nightly-runs.html"
_FINGERPRINT = 7  # hex digits shown
_SHOWN = 90  # runs in the table
_LEAD = (
    "How the nightly runs ended: each adds new photographs, trains a challenger, and compares it with the "
    "champion that serves. The model's own report is [report.html](report.html)."
)
_COLUMNS = [
    Column("start (UTC)", room=12),
    Column("outcome", room=6),
    Column("what happened, and what to do", room=19),
    Column("photographs", room=8),
    Column("challenger", True),
    Column("champion", True),
    Column("duration", True),
    Column("data"),
]
_CHAMPIONS = [
    Column("serves since (UTC)", room=12),
    Column("until", room=12),
    Column("version", True),
    Column("accuracy (95 % interval)"),
    Column("how it came to serve", room=11),
    Column("challengers since", room=8),
]
_COUNTS = {
    "merged": "new",
    "known": "known",
    "quarantined": "in quarantine",
    "waiting": "waiting",
    "aside": "left aside",
}
_TONES: dict[str, Tone] = {
    "promoted": "good",
    "refused": "warning",
    "kept": "plain",
    "nothing-to-do": "plain",
    "overlapping": "plain",
    "cancelled": "plain",
}  # of the rest somebody should look: bad


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
    """The champion's accuracy over time, who was champion, and a row a run."""
    if not runs:
        note = Note("No nightly run yet: `make nightly-now` starts one.", "missing")
        return [Section("nightly-runs", "Nightly runs", [note])]
    sections = [Section("champion", "The champion over time", [Headline(_headline(runs)), _charts(runs)])]
    if served := champions(runs):
        sections.append(Section("champions", "Champions", [_champions_table(served)]))
    return [*sections, Section("nightly-runs", "Run by run", [_table(runs)])]


def _headline(runs: Sequence[NightlyRun]) -> list[tuple[str, str, str]]:
    last = runs[-1]
    figures = [(last.outcome, "outcome of the last run", f"{_when(last)} UTC")]
    served = next((run for run in reversed(runs) if run.champion_accuracy is not None), None)
    if served is not None:
        found = _estimate(served.champion_accuracy, served.champion_interval)
        remark = f"version {served.champion}" + (f", {text}" if (text := interval(found)) else "")
        figures.append((percent(served.champion_accuracy), "accuracy of the champion", remark))
    outcomes = ", ".join(f"{number} {name}" for name, number in Counter(run.outcome for run in runs).most_common())
    return [*figures, (count(len(runs)), "nightly run" if len(runs) == 1 else "nightly runs", outcomes)]


def _charts(runs: Sequence[NightlyRun]) -> Block:
    frame = _frame(runs)
    judged = frame[frame["champion"].notna()]
    drawn = [outcomes_over_time(frame)]
    if len(judged):
        drawn.insert(0, champion_over_time(judged, runs[0].start, runs[-1].start))
    return FigureGroup(drawn)


def _frame(runs: Sequence[NightlyRun]) -> pd.DataFrame:
    rows = []
    for run in runs:
        row: dict[str, object] = {"start": run.start.isoformat(), "outcome": run.outcome}
        for name in ("champion", "challenger"):
            found = _estimate(getattr(run, f"{name}_accuracy"), getattr(run, f"{name}_interval"))
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        rows.append(row)
    return pd.DataFrame(rows)


@dataclass
class Champion:
    """A version while it served, as far as the runs show.

    Attributes:
        first: the run after which it served.
        until: the run after which another one did; None while it serves.
        challengers: outcomes of the runs that compared another version with it.
    """

    first: NightlyRun
    until: NightlyRun | None = None
    challengers: list[str] = field(default_factory=list)


def champions(runs: Sequence[NightlyRun]) -> list[Champion]:
    """Every champion, the oldest first; `runs` likewise."""
    found: list[Champion] = []
    for run in (run for run in runs if run.champion is not None):
        if found and found[-1].first.champion == run.champion:
            found[-1].challengers += [] if run.challenger == run.champion else [run.outcome]
            continue
        if found:
            found[-1].until = run
        found.append(Champion(run))
    return found


def _champions_table(served: Sequence[Champion]) -> Table:
    caption = "Who served when, the newest first. A change by hand shows with the next run that compared models."
    return Table(_CHAMPIONS, [_champion_row(one) for one in reversed(served)], caption, strong=frozenset({0}))


def _champion_row(champion: Champion) -> list[str]:
    first = champion.first
    promoted = first.outcome == "promoted" and first.challenger == first.champion
    counts = Counter(champion.challengers)
    return [
        _when(first),
        _when(champion.until) if champion.until else "now",
        str(first.champion),
        measured(_estimate(first.champion_accuracy, first.champion_interval)),
        "promoted by the gate" if promoted else "by hand, or before the first run",
        ", ".join(f"{number} {name}" for name, number in counts.most_common()) or "none",
    ]


def _table(runs: Sequence[NightlyRun]) -> Table:
    shown = list(reversed(runs[-_SHOWN:]))
    promoted = frozenset(at for at, run in enumerate(shown) if run.outcome == "promoted")
    left_out = f" The {count(_SHOWN)} newest of {count(len(runs))}." if len(runs) > _SHOWN else ""
    caption = f"The newest first; in bold those that changed the champion.{left_out}"
    tones = [_TONES.get(run.outcome, "bad") for run in shown]
    return Table(_COLUMNS, [_row(run) for run in shown], caption, strong=promoted, tones=tones)


def _row(run: NightlyRun) -> list[str]:
    return [
        _when(run),
        run.outcome,
        run.line,
        ", ".join(_photographs(run)) or NOTHING,
        _model(run.challenger, run.challenger_accuracy),
        _model(run.champion, run.champion_accuracy),
        duration(run.known_seconds),
        quoted(run.fingerprint[:_FINGERPRINT]) if run.fingerprint else NOTHING,
    ]


def _photographs(run: NightlyRun) -> Iterator[str]:
    """What became of the files that had arrived, such as "34 new" and "1 waiting"."""
    for key, text in _COUNTS.items():
        if run.batch.get(key):
            yield f"{count(run.batch[key])} {text}"


def _model(version: int | None, accuracy: float | None) -> str:
    return NOTHING if version is None else f"v{version} {percent(accuracy)}"


def _estimate(accuracy: float | None, limits: tuple[float, float] | None) -> Estimate:
    low, high = limits or (float("nan"), float("nan"))
    return Estimate(float("nan") if accuracy is None else accuracy, low, high, 0)


def _when(run: NightlyRun) -> str:
    return f"{run.start:%Y-%m-%d\u00a0%H:%M}"
