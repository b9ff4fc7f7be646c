import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from likeness.artifacts.metrics import McNemarResult
from likeness.errors import DataError
from likeness.evaluation.comparison import Scored, difference, mcnemar, tmr_name
from likeness.metrics.intervals import Resampling

light = settings(max_examples=50, deadline=None)

MANY = Resampling(1000, 0)


def test_mcnemar_by_hand():
    # 5 discordant pairs, all for the first: 2 * 0.5**5; one against four: 2 * (1 + 5) / 32.
    assert mcnemar([1] * 5 + [1, 0], [0] * 5 + [1, 0]) == McNemarResult(5, 0, pytest.approx(0.0625))
    assert mcnemar([1, 0, 0, 0, 0], [0, 1, 1, 1, 1]) == McNemarResult(1, 4, pytest.approx(0.375))
    assert mcnemar([1, 0], [1, 0]) == McNemarResult(0, 0, 1.0)


@light
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_scipys_exact_binomial_test(one, other):
    first = np.arange(one + other) < one
    expected = binomtest(one, one + other).pvalue if one + other else 1.0
    assert mcnemar(first, ~first).p_value == pytest.approx(expected, rel=1e-9)


def test_mcnemar_does_not_overflow():
    assert mcnemar(np.ones(5000), np.zeros(5000)).p_value == 0.0


def test_a_system_does_not_differ_from_itself():
    same = np.arange(200) % 2 == 0
    system = Scored(np.random.default_rng(0).normal(size=200), 0.0)
    for figure in difference(system, system, same, np.arange(200), MANY, [0.1]).values():
        assert (figure.value, figure.low, figure.high) == (0, 0, 0)


def test_pairing_finds_a_gain_that_separate_intervals_would_miss():
    rng = np.random.default_rng(1)
    same = np.arange(1000) % 2 == 0
    scores = rng.normal(size=1000) + np.where(same, 1, -1)
    better = scores.copy()
    wrong = np.flatnonzero((scores >= 0) != same)[:15]  # mends 15 of its errors, leaves all else as it is
    better[wrong] *= -1
    gain = difference(Scored(better, 0.0), Scored(scores, 0.0), same, np.arange(1000), MANY, [0.01])
    assert gain["accuracy"].value == pytest.approx(0.015)
    assert gain["accuracy"].low > 0
    assert gain["accuracy"].high < 0.03
    assert set(gain) == {"accuracy", "auc", "tmr_at_fmr_1e-2"}


def test_a_single_score_at_the_threshold_is_accepted():
    assert Scored(np.array([0.5, 0.49]), 0.5).predicted.tolist() == [True, False]


def test_systems_on_different_pairs_are_refused():
    with pytest.raises(DataError, match="3 and 2 scores"):
        difference(Scored(np.zeros(3), 0), Scored(np.zeros(2), 0), np.ones(3, bool), np.arange(3), MANY)


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (0.1, "tmr_at_fmr_1e-1"),
        (0.001, "tmr_at_fmr_1e-3"),
        (0.05, "tmr_at_fmr_5e-2"),
        (0.025, "tmr_at_fmr_2_5e-2"),
    ],
)
def test_names_of_fmr_levels_hold_no_point(level, name):
    assert tmr_name(level) == name
