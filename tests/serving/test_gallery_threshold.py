from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from likeness.errors import ModelError
from likeness.models.decision import Decision, FmrPoint, fmr_table
from likeness.serving.gallery_threshold import fmr_at, gallery_threshold, threshold_at

# Scores of non-mated comparisons of mean 0 and deviation 1.
TABLE = tuple(FmrPoint(fmr, NormalDist().inv_cdf(1 - fmr), 100_000) for fmr in (1e-1, 1e-2, 1e-3))
DECISION = Decision(threshold=1.5, slope=1.0, intercept=0.0, fmr_table=TABLE)
EMPTY = Decision(threshold=1.5, slope=1.0, intercept=0.0)


def test_stated_rates_give_the_tables_thresholds_and_back() -> None:
    for point in TABLE:
        assert threshold_at(DECISION, point.fmr) == pytest.approx(point.threshold)
        assert fmr_at(DECISION, point.threshold) == pytest.approx(point.fmr)


@pytest.mark.parametrize("score", [1.5, 2.0, 2.5, 3.0])
def test_between_them_the_tail_is_normal(score: float) -> None:
    fmr = 1 - NormalDist().cdf(score)
    assert threshold_at(DECISION, fmr) == pytest.approx(score)
    assert fmr_at(DECISION, score) == pytest.approx(fmr)


@pytest.mark.parametrize("fmr", [0.5, 1e-4, 0.0])
def test_a_rate_that_the_card_cannot_support_is_refused(fmr: float) -> None:
    with pytest.raises(ModelError, match=r"from 0\.001 to 0\.1"):
        threshold_at(DECISION, fmr)


def test_a_card_without_a_table_says_so() -> None:
    with pytest.raises(ModelError, match="for no rate"):
        threshold_at(EMPTY, 0.01)
    with pytest.raises(ModelError, match="too few thresholds"):
        gallery_threshold(EMPTY, 10, 0.01)
    assert fmr_at(EMPTY, 1.5) is None


def test_a_threshold_outside_the_table_has_no_known_rate() -> None:
    assert fmr_at(DECISION, 0.5) is None
    assert fmr_at(DECISION, 3.5) is None


def test_one_person_is_one_comparison() -> None:
    single = gallery_threshold(DECISION, 1, 0.01)
    assert single.threshold == TABLE[1].threshold
    assert not single.extended


def test_the_rate_of_each_comparison_adds_up_to_that_of_the_gallery() -> None:
    result = gallery_threshold(DECISION, 50, 0.1)
    assert 1 - (1 - result.fmr) ** 50 == pytest.approx(0.1)
    assert result.fmr == pytest.approx(0.1 / 50, rel=0.06)


def test_beyond_the_table_the_tail_is_extended() -> None:
    result = gallery_threshold(DECISION, 1_000_000, 0.01)
    assert result.extended
    assert result.fmr is not None
    assert result.threshold == pytest.approx(-NormalDist().inv_cdf(result.fmr), rel=1e-6)


def test_a_badly_supported_last_point_does_not_carry_the_tail_but_bounds_it() -> None:
    supported = tuple(FmrPoint(point.fmr, point.threshold, 10_000) for point in TABLE)
    freak = FmrPoint(1e-4, 3.1, 10_000)  # rests on one accepted pair; the others predict 3.7
    decision = Decision(1.5, 1.0, 0.0, (*supported, freak))
    result = gallery_threshold(decision, 1000, 0.001)
    assert result.threshold == pytest.approx(-NormalDist().inv_cdf(result.fmr or 0), rel=1e-6)
    high = Decision(1.5, 1.0, 0.0, (*supported, FmrPoint(1e-4, 9.0, 10_000)))
    assert gallery_threshold(high, 100, 0.002).threshold == 9.0


@pytest.mark.parametrize("fmr", [0.0, 1.0, -0.1])
def test_a_rate_is_between_0_and_1(fmr: float) -> None:
    with pytest.raises(ModelError, match="between 0 and 1"):
        gallery_threshold(DECISION, 10, fmr)


def test_people_who_are_not_enrolled_are_refused_at_the_stated_rate() -> None:
    """Scores beyond the table, of galleries whose comparisons are independent, as the formula assumes."""
    rng = np.random.default_rng(3)
    decision = Decision(0.0, 1.0, 0.0, fmr_table(rng.standard_normal(20_000)))
    for people in (10, 1000):
        threshold = gallery_threshold(decision, people, 0.05).threshold
        best = rng.standard_normal((2000, people)).max(axis=1)
        assert (best >= threshold).mean() == pytest.approx(0.05, abs=0.02)
