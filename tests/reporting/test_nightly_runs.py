"""The page of the nightly runs: how each ended, and who served when."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from likeness.artifacts.nightly_run import NightlyRun
from likeness.reporting.document import Block, FigureGroup, Headline, Table
from likeness.reporting.nightly_runs import nightly_runs_link, nightly_runs_sections, write_page

RUNS = [
    NightlyRun(
        "2026-01-01T02:00:00+01:00",
        "promoted",
        "version 1: It clears the floor. Nothing.",
        61.2,
        trained=True,
        fingerprint="ab" * 32,
        challenger=1,
        champion=1,
        challenger_accuracy=0.75,
        champion_accuracy=0.75,
        champion_interval=(0.7, 0.8),
        challenger_interval=(0.7, 0.8),
        batch={"merged": 3, "quarantined": 1, "waiting": 2, "aside": 0},
    ),
    NightlyRun("2026-01-02T01:00:00+00:00", "failed", "train: <b>exit code 1</b>", 4.0),
    NightlyRun(
        "2026-01-03T01:00:00+00:00",
        "refused",
        "version 2: worst slice.",
        9000.0,
        challenger=2,
        champion=1,
        challenger_accuracy=0.8125,
        champion_accuracy=0.75,
    ),
]
KILLED = NightlyRun("2026-01-04T02:00:00+00:00", "killed", "the process was killed at train.", 28406638.0)


def run(day: int, outcome: str, challenger: int | None = None, champion: int | None = None) -> NightlyRun:
    accuracy = None if champion is None else 0.75
    return NightlyRun(
        f"2026-01-0{day}T02:00:00+00:00", outcome, "", 4.0, challenger=challenger, champion=champion,
        champion_accuracy=accuracy, challenger_accuracy=accuracy,
    )  # fmt: skip


def figures_of(runs: list[NightlyRun]) -> list[str]:
    return [figure.name for block in blocks_of(runs) if isinstance(block, FigureGroup) for figure in block.figures]


def blocks_of(runs: list[NightlyRun]) -> list[Block]:
    return [block for section in nightly_runs_sections(runs) for block in section.blocks]


def test_the_newest_run_comes_first_and_a_change_of_champion_is_bold() -> None:
    table = next(block for block in blocks_of(RUNS) if isinstance(block, Table) and block.tones)
    assert [row[1] for row in table.rows] == ["refused", "failed", "promoted"]
    assert table.strong == {2}
    assert list(table.tones) == ["warning", "bad", "good"]
    assert table.rows[2] == [
        "2026-01-01\u00a001:00",
        "promoted",
        "version 1: It clears the floor. Nothing.",
        "3 new, 1 in quarantine, 2 waiting",
        "v1 75.0\u202f%",
        "v1 75.0\u202f%",
        "61.2\u202fs",
        "`abababa`",
    ]
    assert table.rows[1][3:6] == ["–"] * 3


def test_the_headline_shows_the_last_outcome_the_champion_and_the_counts() -> None:
    headline = next(block for block in blocks_of(RUNS[:2]) if isinstance(block, Headline))
    assert [figure[0] for figure in headline.figures] == ["failed", "75.0\u202f%", "2"]
    assert headline.figures[1][2] == "version 1, 95\u202f% interval 70.0 to 80.0\u202f%"
    assert headline.figures[2][1:] == ("nightly runs", "1 promoted, 1 failed")
    alone = next(block for block in blocks_of(RUNS[:1]) if isinstance(block, Headline))
    assert alone.figures[2][:2] == ("1", "nightly run")


def test_runs_that_judged_nothing_draw_their_outcomes_alone() -> None:
    assert figures_of(RUNS[1:2]) == ["outcomes-over-time"]
    assert figures_of(RUNS) == ["champion-over-time", "outcomes-over-time"]


def test_a_killed_run_has_no_duration() -> None:
    table = next(block for block in blocks_of([KILLED]) if isinstance(block, Table))
    assert table.rows[0][5] == "–"


def test_the_history_of_the_champion_says_who_served_when() -> None:
    runs = [*RUNS, run(4, "kept", 3, 1), run(5, "promoted", 4, 4), run(6, "nothing-to-do"), run(7, "kept", 5, 1)]
    table = blocks_of(runs)[2]
    assert isinstance(table, Table)
    assert [row[2] for row in table.rows] == ["1", "4", "1"]
    assert [row[:2] for row in table.rows] == [
        ["2026-01-07\u00a002:00", "now"],
        ["2026-01-05\u00a002:00", "2026-01-07\u00a002:00"],
        ["2026-01-01\u00a001:00", "2026-01-05\u00a002:00"],
    ]
    assert table.rows[0][4].startswith("by hand")
    assert table.rows[2][3:] == [
        "75.0\u202f% (70.0 to 80.0\u202f%)",
        "promoted by the gate",
        "1 refused, 1 kept",
    ]


@pytest.mark.parametrize(
    ("last", "labels"),
    [
        ("2026-01-01T19:00:00", r"\d\d:\d\d"),
        ("2026-01-20T01:00:00", r"\d+ Jan"),
        ("2027-06-01T01:00:00", r"[A-Z][a-z]{2} 202[67]"),
    ],
)
def test_the_axis_shows_hours_of_24_days_or_months(last: str, labels: str) -> None:
    later = replace(RUNS[2], started=f"{last}+00:00")
    chart = next(block for block in blocks_of([RUNS[0], later]) if isinstance(block, FigureGroup)).figures[0]
    shown = re.findall(r">([^<>]+)</text>", chart.svg)
    assert not any(text.endswith(("AM", "PM")) for text in shown)
    assert any(re.fullmatch(labels, text) for text in shown), shown


def test_the_page_is_self_contained_and_lets_nothing_act_as_html(tmp_path: Path) -> None:
    write_page(RUNS, tmp_path / "nightly-runs.html")
    html = (tmp_path / "nightly-runs.html").read_text()
    assert "&lt;b&gt;exit code 1" in html
    assert "<script" not in html
    assert 'href="report.html"' in html
    write_page([], tmp_path / "nightly-runs.html")
    assert "No nightly run yet" in (tmp_path / "nightly-runs.html").read_text()


@pytest.mark.fault("B12")
def test_the_report_leads_to_the_page() -> None:
    assert "`nightly-runs.html`" in str(nightly_runs_link().blocks)
