import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sk_log_loss

from likeness.metrics.calibration_error import Reliability, equal_mass_bins, expected_calibration_error, log_loss

light = settings(max_examples=50, deadline=None)


def test_error_by_hand():
    # Two bins: (0.1, 0.3 | 0 of 2 same) is off by 0.2, (0.6, 0.8 | 1 of 2 same) by 0.2 too.
    probability, same = [0.1, 0.3, 0.6, 0.8], [False, False, True, False]
    assert expected_calibration_error(probability, same, bins=2) == pytest.approx(0.2)
    # One bin: mean probability 0.45, share 0.25.
    assert expected_calibration_error(probability, same, bins=1) == pytest.approx(0.2)
    # Four bins: |0.1| + |0.3| + |0.4| + |0.8| over 4.
    assert expected_calibration_error(probability, same, bins=4) == pytest.approx(0.4)


def test_curve_and_brier_are_sklearns():
    rng = np.random.default_rng(1)
    probability = rng.random(500)
    same = rng.random(500) < probability**2
    sorted_in = Reliability.of(probability, same, bins=10)
    share, mean = calibration_curve(same, probability, n_bins=10, strategy="quantile")
    pairs = np.bincount(sorted_in.bin)
    np.testing.assert_allclose(np.bincount(sorted_in.bin, sorted_in.mated) / pairs, share)
    np.testing.assert_allclose(np.bincount(sorted_in.bin, sorted_in.probability) / pairs, mean)
    brier = sorted_in.brier_score(np.ones((1, 500)))[0]
    assert brier == pytest.approx(brier_score_loss(same, probability))
    assert log_loss(probability, same) == pytest.approx(sk_log_loss(same, probability))


def test_an_honest_probability_has_a_small_error_and_an_overconfident_one_a_large():
    rng = np.random.default_rng(2)
    honest = rng.random(20_000)
    same = rng.random(20_000) < honest
    assert expected_calibration_error(honest, same, bins=10) < 0.02
    assert expected_calibration_error(honest > 0.5, same, bins=10) == pytest.approx(0.25, abs=0.02)


def test_equal_probabilities_share_a_bin():
    assert equal_mass_bins(np.array([0.5] * 6 + [0.9] * 2), 4).tolist() == [0] * 6 + [1] * 2


def test_log_loss_by_hand() -> None:
    expected = -(np.log(0.8) + np.log(1 - 0.3)) / 2
    assert log_loss(np.array([0.8, 0.3]), np.array([True, False])) == pytest.approx(expected, rel=1e-15)


@light
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50), st.integers(1, 12))
def test_error_is_bounded_by_the_mean_distance(pairs, bins):
    probability, same = np.array(pairs, float).T
    error = expected_calibration_error(probability, same, bins)
    assert -1e-12 <= error <= np.mean(np.abs(probability - same)) + 1e-9
