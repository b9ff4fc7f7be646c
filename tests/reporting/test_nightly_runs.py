"""The page of the nightly runs: how each ended, and who served when."""

from __future__ import annotations

from pathlib import Path

import pytest

from likeness.artifacts.nightly_run import NightlyRun
from likeness.reporting.document import Block, Figure, Headline, Table
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
        batch={"merged": 3, "quarantined": 1},
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


def blocks_of(runs: list[NightlyRun]) -> list[Block]:
    return [block for section in nightly_runs_sections(runs) for block in section.blocks]


def test_the_newest_run_comes_first_and_a_change_of_champion_is_bold() -> None:
    table = next(block for block in blocks_of(RUNS) if isinstance(block, Table))
    assert [row[1] for row in table.rows] == ["refused", "failed", "promoted"]
    assert table.strong == {2}
    assert table.rows[2][:8] == [
        "2026-01-01 01:00",
        "promoted",
        "`abababab" + "ab`",
        "v1 75.0\u202f%",
        "v1 75.0\u202f%",
        "3",
        "1",
        "61.2\u202fs",
    ]
    assert table.rows[1][2:7] == ["–"] * 5


def test_the_headline_shows_the_last_outcome_the_champion_and_the_counts() -> None:
    headline = next(block for block in blocks_of(RUNS[:2]) if isinstance(block, Headline))
    assert [figure[0] for figure in headline.figures] == ["failed", "75.0\u202f%", "2"]
    assert headline.figures[1][2] == "version 1, judged 2026-01-01 01:00 UTC"
    assert headline.figures[2][2] == "1 promoted, 1 failed"


def test_runs_that_judged_nothing_draw_no_chart() -> None:
    assert not any(isinstance(block, Figure) for block in blocks_of(RUNS[1:2]))
    chart = next(block for block in blocks_of(RUNS) if isinstance(block, Figure))
    assert chart.name == "champion-over-time"


def test_the_page_stands_alone_and_lets_nothing_act_as_html(tmp_path: Path) -> None:
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
