import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from likeness.errors import DataError
from likeness.metrics.intervals import Estimate, Resampling, bootstrap, mean_over_folds, pair_groups, wilson
from likeness.metrics.roc import roc
from likeness.metrics.scores import weighted_mean

light = settings(max_examples=50, deadline=None)


def test_groups_ignore_the_order_of_the_two_people():
    first = ["ann", "bob", "ann", "ann", "cid"]
    second = ["bob", "ann", "ann", "cid", "cid"]
    groups = pair_groups(first, second)
    assert groups[0] == groups[1]
    assert len(set(groups.tolist())) == 4


@light
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60))
def test_groups_are_equal_exactly_where_the_people_are(pairs):
    first, second = np.array(pairs).T
    groups = pair_groups(first, second)
    assert set(groups.tolist()) == set(range(len({frozenset(pair) for pair in pairs})))
    for i, one in enumerate(pairs):
        for j, two in enumerate(pairs):
            assert (groups[i] == groups[j]) == (set(one) == set(two))


def test_weights_move_groups_together_and_keep_each_class():
    groups = np.array([0, 0, 0, 1, 2, 3, 3])
    same = np.array([1, 1, 1, 1, 0, 0, 0], bool)
    weights = np.concatenate(list(Resampling(500, 3).weights(groups, same)))
    assert weights.shape == (500, 7)
    for group in range(4):
        members = weights[:, groups == group]
        np.testing.assert_array_equal(members, members[:, :1].repeat(members.shape[1], 1))
    firsts = weights[:, [0, 3, 4, 5]]  # one column a group: two groups a class are drawn from each class
    np.testing.assert_array_equal(firsts[:, :2].sum(1), 2)
    np.testing.assert_array_equal(firsts[:, 2:].sum(1), 2)
    assert firsts.mean() == pytest.approx(1.0)


def test_a_seed_gives_the_same_interval():
    same = np.arange(40) % 2 == 0
    scores = np.random.default_rng(0).normal(size=40) + same

    def figure() -> Estimate:
        return bootstrap(lambda w: {"auc": roc(scores, same, w).auc()}, np.arange(40), Resampling(300, 7), same)[
            "auc"
        ]

    whole = figure()
    assert figure() == whole
    other = bootstrap(lambda w: {"auc": roc(scores, same, w).auc()}, np.arange(40), Resampling(300, 8), same)
    assert other["auc"] != whole
    assert whole.low < whole.value < whole.high
    assert whole.n == 40


def test_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(4).random(900)
    mean = bootstrap(lambda w: {"mean": weighted_mean(values, w)}, np.arange(900), Resampling(4000, 0))["mean"]
    error = values.std() / 30
    assert mean.value == pytest.approx(values.mean())
    assert mean.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert mean.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_groups_widen_the_interval_that_single_pairs_would_give():
    """Ten copies of each pair are no new evidence: the interval must stay that of the originals."""
    correct = np.random.default_rng(5).random(60) < 0.8

    def width(values: np.ndarray, groups: np.ndarray) -> float:
        figure = bootstrap(lambda w: {"accuracy": weighted_mean(values, w)}, groups, Resampling(2000, 0))[
            "accuracy"
        ]
        return figure.high - figure.low

    single, copied = width(correct, np.arange(60)), width(correct.repeat(10), np.arange(60).repeat(10))
    assert copied == pytest.approx(single)
    assert width(correct.repeat(10), np.arange(600)) < single / 2


def test_undefined_figures_become_null():
    only_same = np.ones(5, bool)
    figure = bootstrap(
        lambda w: {"auc": roc(np.arange(5.0), only_same, w).auc()}, np.arange(5), Resampling(10, 0), only_same
    )["auc"]
    assert figure.as_json() == {"value": None, "low": None, "high": None, "n": 5}


@pytest.mark.fault("B4")
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_share_without_exception_still_has_an_interval(value):
    """At 0 errors of 500 the rate may be 0.7 %: 1 - 0.025^(1/500) is 0.74 % (Clopper and Pearson)."""
    found = bootstrap(
        lambda weights: {"share": weighted_mean(np.full(500, value), weights)}, np.arange(500), Resampling(200, 0)
    )["share"]
    assert found.value == value
    assert (found.high if value == 0 else 1 - found.low) == pytest.approx(0.0074, abs=0.0005)
    assert (found.low if value == 0 else found.high) == value


@pytest.mark.fault("B4")
@pytest.mark.parametrize("errors", [0, 1, 2])
def test_an_error_rate_near_zero_rests_on_the_pairs_of_its_kind_alone(errors):
    """Of 1,000 pairs 500 are non-mated: the limits of their FMR are Wilson's for 500, not for 1,000."""
    mated, accepted = np.arange(1000) < 500, np.arange(1000) >= 1000 - errors
    found = bootstrap(
        lambda weights: {"fmr": weighted_mean(accepted, weights * ~mated)},
        np.arange(1000),
        Resampling(200, 0),
        mated,
        members={"fmr": ~mated},
    )["fmr"]
    low, high = binomtest(errors, 500).proportion_ci(method="wilson")
    assert found.value == errors / 500
    assert found.low <= low + 1e-6
    assert found.high == pytest.approx(high, abs=0.004)
    assert found.high >= high - 1e-6


@given(st.integers(1, 5000), st.data())
def test_wilson_is_scipys(count, data):
    hits = data.draw(st.integers(0, count))
    low, high = binomtest(hits, count).proportion_ci(method="wilson")
    assert wilson(hits / count, count) == pytest.approx((low, high), abs=1e-6)


def test_mean_over_folds_by_hand():
    found = mean_over_folds([0.8, 0.9, 1.0])
    assert found.mean == pytest.approx(0.9)
    assert found.standard_error == pytest.approx(0.1 / np.sqrt(3))


def test_one_fold_has_no_standard_error():
    with pytest.raises(DataError, match="at least 2 folds"):
        mean_over_folds([0.9])
