"""The page of the nights: what each came to, and the champion's accuracy over time.

It stands beside the report and is linked from it. Nights go on after the report of a model was made; were they
part of its file, `dvc repro` would have to make that anew after every night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from likeness.files import write_text
from likeness.reporting.artefacts import Json
from likeness.reporting.document import Block, Column, Headline, Note, Page, Prose, Section, Table
from likeness.reporting.figures.nights import champion_over_time
from likeness.reporting.inline import quoted
from likeness.reporting.render import to_page
from likeness.reporting.wording import NOTHING, count, duration, percent

FILE = "nights.html"
_FINGERPRINT = 10  # hex digits shown
_SHOWN = 90  # nights in the table
_LEAD = (
    "What became of the nights that take in new photographs, train a challenger, and hold it against the champion "
    "that serves. The model's own report is [report.html](report.html)."
)
_COLUMNS = [
    Column("night (UTC)", room=6),
    Column("outcome", room=5),
    Column("data"),
    Column("challenger", True),
    Column("champion", True),
    Column("new", True),
    Column("bad", True),
    Column("took", True),
    Column("what happened, and what to do", room=20),
]


def nights_link() -> Section:
    """The report's chapter about the page of the nights, which is there once a nightly run has written it."""
    text = (
        f"`make nightly` retrains this model every night and writes `{FILE}` beside this page: how each run "
        "ended, and how the champion's accuracy went over time; `likeness history` prints the same."
    )
    return Section("nights", "The nights", [Prose(text)])


def write_nights(nights: Sequence[Json], path: Path) -> None:
    """Writes the page: self-contained, opens offline.

    Args:
        nights: the fields of `likeness.tracking.history.Night`, the oldest first.
        path: of the HTML file.

    Raises:
        OutputError: it cannot be written.
    """
    page = Page("Likeness: the nights", "", _LEAD, nights_sections(nights))
    write_text(path, to_page(page))


def nights_sections(nights: Sequence[Json]) -> list[Section]:
    """Who serves, with the champion's accuracy over time, and a row a night."""
    if not nights:
        return [Section("nights", "The nights", [Note("No night yet: `make nightly-now` runs one.", "missing")])]
    champion: list[Block] = [Headline(_headline(nights))]
    judged = [night for night in nights if night["champion_accuracy"] is not None]
    if judged:
        champion.append(champion_over_time(_frame(judged)))
    return [
        Section("champion", "The champion over time", champion),
        Section("nights", "Night by night", [_table(nights)]),
    ]


def _headline(nights: Sequence[Json]) -> list[tuple[str, str, str]]:
    last = nights[-1]
    figures = [(last["outcome"], "how the last night ended", f"{_when(last)} UTC")]
    served = next((night for night in reversed(nights) if night["champion_accuracy"] is not None), None)
    if served is not None:
        remark = f"version {served['champion']}, judged {_when(served)} UTC"
        figures.append((percent(served["champion_accuracy"]), "accuracy of the champion", remark))
    outcomes = ", ".join(
        f"{number} {name}" for name, number in Counter(n["outcome"] for n in nights).most_common()
    )
    return [*figures, (count(len(nights)), "nights", outcomes)]


def _frame(judged: Sequence[Json]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "night": [_time(night).isoformat() for night in judged],
            "champion": [night["champion_accuracy"] for night in judged],
            "challenger": [night["challenger_accuracy"] for night in judged],
        }
    )


def _table(nights: Sequence[Json]) -> Table:
    shown = list(reversed(nights[-_SHOWN:]))
    promoted = frozenset(at for at, night in enumerate(shown) if night["outcome"] == "promoted")
    left_out = f" The {count(_SHOWN)} newest of {count(len(nights))}." if len(nights) > _SHOWN else ""
    caption = f"The newest first; in bold those that changed who serves.{left_out}"
    return Table(_COLUMNS, [_row(night) for night in shown], caption, strong=promoted)


def _row(night: Json) -> list[str]:
    return [
        _when(night),
        night["outcome"],
        quoted(night["fingerprint"][:_FINGERPRINT]) if night["fingerprint"] else NOTHING,
        _model(night["challenger"], night["challenger_accuracy"]),
        _model(night["champion"], night["champion_accuracy"]),
        count(night["batch"].get("merged")),
        count(night["batch"].get("quarantined")),
        duration(night["seconds"]),
        night["line"],
    ]


def _model(version: int | None, accuracy: float | None) -> str:
    return NOTHING if version is None else f"v{version} {percent(accuracy)}"


def _when(night: Json) -> str:
    return f"{_time(night):%Y-%m-%d %H:%M}"


def _time(night: Json) -> datetime:
    return datetime.fromisoformat(night["started"]).astimezone(UTC)
