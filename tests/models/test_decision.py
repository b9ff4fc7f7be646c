from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from likeness.errors import DataError
from likeness.metrics.platt_scaling import logistic_regression, platt_scaling
from likeness.models.decision import Decision, fit_decision, fmr_table


def _pairs(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    same = random.random(count) < 0.5
    return random.normal(np.where(same, 0.4, 0.1), 0.2), same


def test_platt_is_the_logistic_regression_on_his_smoothed_targets() -> None:
    scores, same = _pairs()
    positives, negatives = int(same.sum()), int((~same).sum())
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    # A target t is t of a positive example and 1 - t of a negative one.
    doubled = np.concatenate([scores, scores])[:, None]
    kinds = np.repeat([1, 0], len(scores))
    reference = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000)
    reference.fit(doubled, kinds, sample_weight=np.concatenate([target, 1 - target]))
    slope, intercept = platt_scaling(scores, same)
    assert slope == pytest.approx(reference.coef_[0, 0], rel=1e-5)
    assert intercept == pytest.approx(reference.intercept_[0], rel=1e-5)


def test_logistic_regression_of_several_scores_is_scikit_learns_on_the_smoothed_targets() -> None:
    _, same = _pairs()
    random = np.random.default_rng(1)
    features = random.normal(same[:, None] * [0.3, 1.0, 0.0], [0.2, 3.0, 1.0])
    positives, negatives = int(same.sum()), int((~same).sum())
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    reference = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000)
    reference.fit(
        np.concatenate([features, features]),
        np.repeat([1, 0], len(same)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slopes, intercept = logistic_regression(features, same)
    np.testing.assert_allclose(slopes, reference.coef_[0], rtol=1e-4, atol=1e-6)
    assert intercept == pytest.approx(reference.intercept_[0], rel=1e-4)


def test_platt_gives_the_smoothed_shares_where_there_are_two_scores_only() -> None:
    # 3 same at score 2, 2 different at score 1: the fit passes through both targets, 4/5 and 1/4.
    decision = fit_decision(np.array([2.0, 2, 2, 1, 1]), np.array([True, True, True, False, False]))
    np.testing.assert_allclose(decision.probability(np.array([2.0, 1.0])), [4 / 5, 1 / 4], rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_probabilities_do_not_depend_on_the_unit_of_the_score(scale: float) -> None:
    scores, same = _pairs()
    plain = fit_decision(scores, same).probability(scores)
    scaled = fit_decision(scores * scale + 3 * scale, same).probability(scores * scale + 3 * scale)
    np.testing.assert_allclose(scaled, plain, atol=1e-7)


def test_equal_scores_give_the_share_of_pairs() -> None:
    decision = fit_decision(np.ones(4), np.array([True, True, True, False]))
    assert decision.probability(np.ones(1))[0] == pytest.approx((3 * 4 / 5 + 1 / 3) / 4)


def test_extreme_scores_do_not_overflow() -> None:
    with np.errstate(all="raise"):
        assert Decision(0, 50.0, 0).probability(np.array([-10.0, 10.0])).tolist() == pytest.approx([0, 1])


def test_probability_rises_with_the_score() -> None:
    scores, same = _pairs()
    probabilities = fit_decision(scores, same).probability(np.sort(scores))
    assert (np.diff(probabilities) >= 0).all()


def test_fmr_table_holds_the_stated_rate_and_only_rates_with_support() -> None:
    impostors = np.random.default_rng(0).permutation(np.arange(250.0))
    table = fmr_table(impostors)
    assert [(point.fmr, point.impostor_pairs) for point in table] == [(0.1, 250), (0.01, 250)]
    assert [int((impostors >= point.threshold).sum()) for point in table] == [25, 2]
    # The highest threshold that accepts the same impostors.
    assert [point.threshold for point in table] == [225.0, 248.0]


def test_more_impostors_reach_the_fmr_table_alone() -> None:
    scores, same = _pairs(100)
    plain, more = fit_decision(scores, same), fit_decision(scores, same, impostors=np.linspace(-1, 1, 2000))
    assert (more.threshold, more.slope, more.intercept) == (plain.threshold, plain.slope, plain.intercept)
    assert [point.fmr for point in more.fmr_table] == [0.1, 0.01, 0.001]
    assert more.fmr_table[0].impostor_pairs == 2000 + int((~same).sum())


def test_predict_accepts_from_the_threshold_on() -> None:
    assert Decision(0.5, 1, 0).predict(np.array([0.4, 0.5, 0.6])).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("scores", "same", "message"),
    [
        ([0.1, float("nan")], [True, False], "1 of 2 scores are not finite"),
        ([0.1, 0.2], [True, True], "found 2 of the one kind and 0 of the other"),
        ([0.1, 0.2, 0.3], [True, False], "as many scores as pairs"),
    ],
)
def test_unusable_pairs_are_refused(scores: list[float], same: list[bool], message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_decision(np.array(scores), np.array(same))
