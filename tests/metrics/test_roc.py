"""Figures against scikit-learn, against hand computations, and invariants over any scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from likeness.errors import DataError
from likeness.metrics.roc import auc, equal_error_rate, roc
from likeness.metrics.scores import Confusion, confusion

light = settings(max_examples=50, deadline=None)


@st.composite
def scored_pairs(draw):
    """Scores on a coarse grid, so that ties are common, with both classes present."""
    same = draw(st.lists(st.booleans(), min_size=2, max_size=40).filter(lambda s: any(s) and not all(s)))
    scores = draw(st.lists(st.integers(-4, 4), min_size=len(same), max_size=len(same)))
    return np.array(scores, float), np.array(same)


def tmr_at_fmr(scores, mated, level: float) -> float:
    return float(roc(scores, mated).tmr_at_fmr(level)[0])


def noisy(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    same = rng.random(count) < 0.5
    return np.round(rng.normal(size=count) + same, 1), same


@light
@given(scored_pairs())
def test_auc_is_sklearns(pairs):
    scores, same = pairs
    assert auc(scores, same) == pytest.approx(sk.roc_auc_score(same, scores), abs=1e-12)


@light
@given(scored_pairs())
def test_every_roc_point_is_sklearns(pairs):
    scores, same = pairs
    fmr, tmr, thresholds = sk.roc_curve(same, scores, drop_intermediate=False)
    ours = roc(scores, same)
    np.testing.assert_allclose(ours.fmr[0], fmr, atol=1e-12)
    np.testing.assert_allclose(ours.tmr[0], tmr, atol=1e-12)
    np.testing.assert_array_equal(ours.thresholds, thresholds)


@light
@given(scored_pairs(), st.sampled_from([0.0, 1e-3, 0.1, 0.25, 0.5, 1.0]))
def test_tmr_at_fmr_is_the_best_affordable_threshold(pairs, level):
    scores, same = pairs
    best = 0.0
    for threshold in [np.inf, *scores]:
        accepted = scores >= threshold
        if accepted[~same].mean() <= level + 1e-12:
            best = max(best, accepted[same].mean())
    assert tmr_at_fmr(scores, same, level) == pytest.approx(best, abs=1e-12)


@light
@given(scored_pairs())
def test_every_det_point_is_sklearns(pairs):
    scores, same = pairs
    fmr, fnmr, thresholds = sk.det_curve(same, scores)
    ours = roc(scores, same)
    places = np.searchsorted(-ours.thresholds, -thresholds)
    np.testing.assert_array_equal(ours.thresholds[places], thresholds)
    np.testing.assert_allclose(ours.fmr[0, places], fmr, atol=1e-12)
    np.testing.assert_allclose(ours.fnmr[0, places], fnmr, atol=1e-12)


@light
@given(scored_pairs())
def test_auc_is_the_count_of_ordered_pairs_to_the_last_bit(pairs):
    scores, same = pairs
    mated, non_mated = scores[same][:, None], scores[~same][None]
    ordered = np.sum(mated > non_mated) + np.sum(mated == non_mated) / 2
    assert auc(scores, same) == ordered / (mated.size * non_mated.size)


def test_curve_by_hand():
    curve = roc([0.9, 0.7, 0.7, 0.1], [True, False, True, False])
    np.testing.assert_array_equal(curve.thresholds, [np.inf, 0.9, 0.7, 0.1])
    np.testing.assert_array_equal(curve.fmr, [[0, 0, 0.5, 1]])
    np.testing.assert_array_equal(curve.fnmr, [[1, 0.5, 0, 0]])
    np.testing.assert_array_equal(curve.auc(), [(1 + 1 + 0.5 + 1) / 4])  # of 4 mated, non-mated pairs one ties


@light
@given(scored_pairs())
def test_only_the_order_of_scores_matters(pairs):
    scores, same = pairs
    stretched = np.exp(scores / 2) * 3 - 7
    for figure in (auc, equal_error_rate, lambda s, y: tmr_at_fmr(s, y, 0.1)):
        assert figure(stretched, same) == pytest.approx(figure(scores, same), abs=1e-12)


@light
@given(scored_pairs())
def test_swapping_classes_and_sign_changes_neither_auc_nor_eer(pairs):
    scores, same = pairs
    assert auc(-scores, ~same) == pytest.approx(auc(scores, same), abs=1e-12)
    assert equal_error_rate(-scores, ~same) == pytest.approx(equal_error_rate(scores, same), abs=1e-12)


@light
@given(scored_pairs(), st.integers(0, 2**32 - 1))
def test_weights_are_repetitions(pairs, seed):
    scores, same = pairs
    counts = np.random.default_rng(seed).integers(1, 4, len(scores))
    weighted = roc(scores, same, counts[None].astype(float))
    repeated = roc(np.repeat(scores, counts), np.repeat(same, counts))
    np.testing.assert_allclose(weighted.auc(), repeated.auc(), atol=1e-12)
    np.testing.assert_allclose(weighted.eer(), repeated.eer(), atol=1e-12)
    np.testing.assert_allclose(weighted.tmr_at_fmr(0.2), repeated.tmr_at_fmr(0.2), atol=1e-12)


def test_equal_error_rate_by_hand():
    # Thresholds 4, 3, 2, 1 give (FMR, FNMR) = (0, 2/3), (1/2, 2/3), (1/2, 1/3), then (1/2, 0): the rates cross
    # on the line from (1/2, 2/3) to (1/2, 1/3).
    scores, same = [4.0, 3.0, 2.0, 1.0, 0.0], [True, False, True, True, False]
    assert equal_error_rate(scores, same) == pytest.approx(0.5)
    # (0, 1/2) then (1, 1/2): crossing where the FMR has come half the way.
    assert equal_error_rate([2.0, 1.0, 0.0], [True, False, True]) == pytest.approx(0.5)
    # (0, 1) -> (1/4, 1/4) in one tie: exactly there.
    assert equal_error_rate([1] * 4 + [0] * 4, [1, 1, 1, 0, 1, 0, 0, 0]) == pytest.approx(0.25)


def test_perfect_reversed_and_constant_scores():
    same = np.array([True, True, False, False])
    assert (auc([4, 3, 2, 1], same), equal_error_rate([4, 3, 2, 1], same)) == (1.0, 0.0)
    assert (auc([1, 2, 3, 4], same), equal_error_rate([1, 2, 3, 4], same)) == (0.0, 1.0)
    assert (auc([7, 7, 7, 7], same), equal_error_rate([7, 7, 7, 7], same)) == (0.5, 0.5)
    assert tmr_at_fmr([7, 7, 7, 7], same, 0.1) == 0.0


def test_an_fmr_beyond_support_allows_no_false_match():
    scores, same = noisy(100)
    none = (scores > scores[~same].max())[same].mean()
    assert tmr_at_fmr(scores, same, 1e-3) == none == tmr_at_fmr(scores, same, 0.0)


def test_a_class_that_is_absent_gives_nan_not_a_number():
    assert np.isnan(auc([1.0, 2.0], [True, True]))
    assert np.isnan(equal_error_rate([1.0, 2.0], [False, False]))
    assert np.isnan(tmr_at_fmr([1.0, 2.0], [True, True], 0.1))
    assert np.isnan(tmr_at_fmr([1.0, 2.0], [False, False], 0.1))


def test_confusion_is_sklearns():
    scores, same = noisy(300)
    predicted = scores >= 0.4
    (tn, fp), (fn, tp) = sk.confusion_matrix(same, predicted)
    assert confusion(predicted, same) == Confusion(tp, fn, tn, fp)


@pytest.mark.parametrize(
    ("scores", "same", "word"),
    [([], [], "at least one"), ([1.0], [True, False], r"\(1,\) and \(2,\)"), ([1.0, np.nan], [1, 0], "pair 1")],
)
def test_unusable_scores_are_refused(scores, same, word):
    with pytest.raises(DataError, match=word):
        auc(scores, same)
