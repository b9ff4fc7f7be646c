import numpy as np
import pytest

from likeness.errors import DataError
from likeness.evaluation.protocols import View1, aggregate_folds, cross_thresholded, view1


def test_view1_takes_its_threshold_from_the_holdout_alone():
    holdout, same = np.array([0.0, 1.0, 3.0, 4.0]), np.array([False, False, True, True])
    test = np.array([1.5, 2.5, 2.5, 0.0])
    truth = np.array([True, True, False, False])
    assert view1(holdout, same, test, truth) == View1(threshold=2.0, holdout_accuracy=1.0, accuracy=0.5)
    assert view1(holdout, same, test, ~truth).threshold == 2.0


def test_aggregate_by_hand():
    found = aggregate_folds([0.8, 0.9, 1.0])
    assert found.mean == pytest.approx(0.9)
    assert found.standard_error == pytest.approx(0.1 / np.sqrt(3))
    assert found.accuracies == (0.8, 0.9, 1.0)


def test_each_fold_is_thresholded_on_the_others():
    # Folds 0 and 1 agree on a threshold near 0; fold 2 would want one near 10, and must not get it.
    scores = np.array([-1, 1, -1, 1, 9, 11], float)
    same = np.array([0, 1, 0, 1, 0, 1], bool)
    assert cross_thresholded(scores, same, [0, 0, 1, 1, 2, 2]).accuracies[2] == 0.5


def test_one_fold_has_no_standard_error():
    with pytest.raises(DataError, match="at least 2 folds"):
        aggregate_folds([0.9])
