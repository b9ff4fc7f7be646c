"""Numbers in words."""

from __future__ import annotations

import math

import pytest

from likeness.metrics.intervals import Estimate
from likeness.reporting.published import Published
from likeness.reporting.wording import (
    complement,
    count,
    decimal,
    duration,
    interval,
    measured,
    number,
    percent,
    points,
    scientific,
    size,
    unit_spaces,
)

FIGURE = Estimate(0.732, 0.704, 0.7591, 1000)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0\u202fs"), (99, "99.0\u202fs"), (250, "4.2\u202fmin"), (7200, "2.0\u202fh")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.17194, "0.172"), (-1.5, "−1.500"), (0.004567, "0.00457"), (12345.67, "12\u202f345.7"), (0.0, "0.000"),
     (None, "–"), (math.nan, "–")],
)  # fmt: skip
def test_decimals(value: float | None, text: str) -> None:
    assert decimal(value) == text


def test_rates_have_one_length_and_units_a_space_that_does_not_break() -> None:
    assert [scientific(rate) for rate in (0.001923, 6.033e-8, 1.0)] == ["1.92e−3", "6.03e−8", "1.00e0"]
    assert unit_spaces("5 % of 100 %, 3 of") == "5\u202f% of 100\u202f%, 3 of"


def test_numbers() -> None:
    assert count(38954049) == "38\u202f954\u202f049"
    assert number(5e-5) == "5e-05"
    assert number(3.0) == "3"
    assert number(True) == "True"
    assert size([120, 100]) == "120×100"


def test_measured_figures() -> None:
    assert measured(FIGURE) == "73.2\u202f% (70.4 to 75.9\u202f%)"
    assert measured(FIGURE, share=False) == "0.732 (0.704 to 0.759)"
    assert interval(FIGURE) == "95\u202f% interval 70.4 to 75.9\u202f%"


def test_what_is_not_known_is_a_dash() -> None:
    undefined = Estimate(math.nan, math.nan, math.nan, 0)
    assert {count(None), percent(None), number(None), duration(None), measured(None), measured(undefined)} == {"–"}
    assert interval(undefined) == ""


def test_the_complement_of_a_share_swaps_its_limits() -> None:
    missed = complement(FIGURE)
    assert (missed.value, missed.low, missed.high) == pytest.approx((0.268, 0.2409, 0.296))


@pytest.mark.parametrize(("difference", "text"), [(0.0876, "+8.8"), (-0.08, "−8.0")])
def test_differences_are_points_with_their_sign(difference: float, text: str) -> None:
    assert points(difference) == text


@pytest.mark.parametrize(("printed", "text"), [("0.7393 ± 0.0049", "73.93 ± 0.49"), ("0.732", "73.2")])
def test_published_accuracies_keep_the_digits_that_were_printed(printed: str, text: str) -> None:
    assert Published("a", printed, "b", "c").percentage == f"{text}\u202f%"
