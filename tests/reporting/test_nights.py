"""The page of the nights: what each came to, and who served when."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from likeness.reporting.artefacts import Json
from likeness.reporting.document import Block, Figure, Headline, Table
from likeness.reporting.nights import nights_link, nights_sections, write_nights
from likeness.tracking.history import Night

NIGHTS = [
    Night(
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
    Night("2026-01-02T01:00:00+00:00", "failed", "train: <b>exit code 1</b>", 4.0),
    Night(
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


def blocks_of(nights: list[Json]) -> list[Block]:
    return [block for section in nights_sections(nights) for block in section.blocks]


@pytest.fixture
def nights() -> list[Json]:
    return [dataclasses.asdict(night) for night in NIGHTS]


def test_the_newest_night_comes_first_and_a_change_of_champion_is_bold(nights: list[Json]) -> None:
    table = next(block for block in blocks_of(nights) if isinstance(block, Table))
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


def test_the_headline_tells_the_last_outcome_the_champion_and_the_counts(nights: list[Json]) -> None:
    headline = next(block for block in blocks_of(nights[:2]) if isinstance(block, Headline))
    assert [figure[0] for figure in headline.figures] == ["failed", "75.0\u202f%", "2"]
    assert headline.figures[1][2] == "version 1, judged 2026-01-01 01:00 UTC"
    assert headline.figures[2][2] == "1 promoted, 1 failed"


def test_nights_that_judged_nothing_draw_no_chart(nights: list[Json]) -> None:
    assert not any(isinstance(block, Figure) for block in blocks_of(nights[1:2]))
    chart = next(block for block in blocks_of(nights) if isinstance(block, Figure))
    assert chart.name == "champion-over-time"


def test_the_page_stands_alone_and_lets_nothing_act_as_html(tmp_path: Path, nights: list[Json]) -> None:
    write_nights(nights, tmp_path / "nights.html")
    html = (tmp_path / "nights.html").read_text()
    assert "&lt;b&gt;exit code 1" in html
    assert "<script" not in html
    assert 'href="report.html"' in html
    write_nights([], tmp_path / "nights.html")
    assert "No night yet" in (tmp_path / "nights.html").read_text()


@pytest.mark.fault("B12")
def test_the_report_leads_to_the_page() -> None:
    assert "`nights.html`" in str(nights_link().blocks)
