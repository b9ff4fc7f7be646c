from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import DataError
from likeness.metrics.thresholds import best_threshold, threshold_at_fmr


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=30))
def test_no_threshold_is_right_more_often(pairs: list[tuple[int, bool]]) -> None:
    scores, same = np.array([score for score, _ in pairs], dtype=float), np.array([kind for _, kind in pairs])
    if same.all() or not same.any():
        return
    found = ((scores >= best_threshold(scores, same)) == same).sum()
    assert found == max(((scores >= cut) == same).sum() for cut in [*scores, np.inf])


def test_the_threshold_lies_in_the_middle_of_the_widest_of_equally_good_gaps() -> None:
    # One mistake at any of the cuts 1|2, 4|8 and 9|10; the widest lies between 4 and 8.
    scores, same = np.array([1.0, 2, 4, 8, 9, 10]), np.array([False, True, False, True, False, True])
    assert best_threshold(scores, same) == 6.0


def test_scores_a_last_bit_apart_are_still_separated() -> None:
    low = 1.0
    high = float(np.nextafter(low, 2))
    assert low < best_threshold(np.array([low, high]), np.array([False, True])) <= high


@pytest.mark.parametrize(("scores", "accepted"), [([5.0, 1.0, 2.0], 3), ([1.0, 5.0, 6.0], 0)])
def test_where_scores_mislead_the_more_frequent_kind_is_always_answered(
    scores: list[float], accepted: int
) -> None:
    same = np.array([False, True, True]) if accepted else np.array([True, False, False])
    assert (np.array(scores) >= best_threshold(np.array(scores), same)).sum() == accepted


def test_threshold_at_fmr_by_hand() -> None:
    non_mated = [9.0, 7.0, 5.0, 3.0, 1.0, 8.0, 6.0, 4.0, 2.0, 0.0]
    assert threshold_at_fmr(non_mated, 0.1) == 9.0
    assert threshold_at_fmr(non_mated, 0.25) == 8.0  # two of ten; three would be 0.3
    assert threshold_at_fmr(non_mated, 0.09) is None


def test_equal_scores_at_the_border_are_refused_together() -> None:
    assert threshold_at_fmr([0.0] * 17 + [5.0] * 3, 0.1) == np.nextafter(5.0, np.inf)


@given(st.integers(1, 3000), st.sampled_from([1e-1, 1e-2, 1e-3]))
def test_the_fmr_is_never_exceeded_and_needs_support(pairs: int, rate: float) -> None:
    non_mated = np.random.default_rng(pairs).normal(size=pairs).round(1)
    found = threshold_at_fmr(non_mated, rate)
    assert (found is not None) == (pairs >= round(1 / rate))
    if found is not None:
        assert (non_mated >= found).mean() <= rate


@pytest.mark.parametrize("mated", [[True, True], [False, False]])
def test_one_kind_alone_chooses_no_threshold(mated: list[bool]) -> None:
    with pytest.raises(DataError, match="draw more held-out pairs"):
        best_threshold([0.1, 0.2], mated)
