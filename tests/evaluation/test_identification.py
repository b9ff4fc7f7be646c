"""A rule that compares one number a face makes every rank and rate countable by hand."""

import numpy as np
import pytest

from likeness.data.problems import UNDECODABLE
from likeness.evaluation.identification import (
    IdentificationParams,
    IdentificationSet,
    Ranked,
    cumulative_match,
    detection_and_identification,
    identification_set,
    one_shot,
    rank_probes,
)
from likeness.evaluation.systems import System
from likeness.metrics.intervals import Resampling
from tests.evaluation import tiny

FEW = Resampling(200, 0)


def nearest(positions: list[float]) -> System:
    """Faces on a line; the nearer, the more alike."""
    vectors = np.array(positions, np.float32)[:, None]
    return System("line", np.arange(len(positions)), vectors, lambda a, b: -np.abs(a - b)[:, 0].astype(float))


def people(*rows: list[int], unknown: tuple[int, ...] = ()) -> IdentificationSet:
    return IdentificationSet(tuple(np.array(own) for own in rows), np.array(unknown, np.int64))


def test_ranks_by_hand():
    #        gallery 0, 10, 20 | probes 1 (of 0): rank 1; 4 (of 0): 1; 6 (of 0): 2; 19 (of 10): 2; 0 (of 20): 3
    system = nearest([0, 1, 4, 6, 10, 19, 20, 0.1, 50])
    ranked = rank_probes(system, people([0, 1, 2, 3], [4, 5], [6, 7], unknown=(8,)))
    assert ranked.person.tolist() == [0, 0, 0, 1, 2]
    assert ranked.rank.tolist() == [1, 1, 2, 2, 3]
    assert ranked.unknown.tolist() == [-30]
    # Person 0 is found at once in 2 of 3 probes, the others in none; each person counts a third.
    curve = cumulative_match(ranked, 50, FEW)
    assert [point.value for point in curve] == pytest.approx([2 / 9, 2 / 3, 1])
    assert all(point.low <= point.value <= point.high for point in curve)


def test_ties_count_against_the_right_person():
    ranked = rank_probes(nearest([0, 5, 10, 10]), people([0, 1], [2, 3]))
    assert ranked.rank.tolist() == [2, 1]


def test_open_set_by_hand():
    # Scores of probes found first: -1, -3; one is ranked second; unknown people score -2 and -10.
    ranked = Ranked(np.array([0, 1, 2]), np.array([1, 1, 2]), np.array([-1.0, -3, 0]), np.array([-2.0, -10]))
    none, half, all_in = detection_and_identification(ranked, [0.4, 0.5, 0.999], FEW)
    assert none.value == pytest.approx(1 / 3)  # only -1 is above every unknown person
    assert half.value == pytest.approx(2 / 3)  # -3 is above the second unknown person; the misranked never counts
    assert all_in.value == pytest.approx(2 / 3)


def test_a_perfect_rule_never_errs_and_a_constant_one_guesses():
    subjects = people(*([3 * n, 3 * n + 1, 3 * n + 2] for n in range(30)), unknown=tuple(range(90, 100)))
    exact = nearest([n // 3 * 10 for n in range(90)] + list(range(1000, 1010)))
    params = IdentificationParams(ways=20, trials=300)
    assert one_shot(exact, subjects, params, FEW).value == 1.0
    constant = nearest([0] * 100)
    assert one_shot(constant, subjects, params, FEW).value == pytest.approx(1 / 20)
    noise = nearest(np.random.default_rng(0).normal(size=100).tolist())
    assert one_shot(noise, subjects, IdentificationParams(20, 3000), FEW).value == pytest.approx(1 / 20, abs=0.03)


def test_trials_show_another_photograph_and_different_people():
    seen: list[tuple[float, float]] = []

    def watch(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        seen.extend(zip(first[:, 0].tolist(), second[:, 0].tolist(), strict=True))
        return np.zeros(len(first))

    subjects = people([0, 1], [2, 3, 4], [5, 6], unknown=(7, 8))
    owner = [0, 0, 1, 1, 1, 2, 2, 3, 4]
    system = System("watched", np.arange(9), np.arange(9, dtype=np.float32)[:, None], watch)
    one_shot(system, subjects, IdentificationParams(ways=4, trials=50), FEW)
    trials = np.array(seen, int).reshape(50, 4, 2)
    for trial in trials:
        probe, candidates = trial[0, 0], trial[:, 1]
        owners = [owner[row] for row in candidates]
        assert owners[0] == owner[probe]
        assert probe not in candidates
        assert len(set(owners)) == 4
    assert {owner[row] for row in trials[:, :, 1].ravel()} == {0, 1, 2, 3, 4}


def test_a_seed_gives_the_same_trials():
    subjects = people([0, 1], [2, 3], [4, 5])
    system = nearest(np.random.default_rng(1).normal(size=6).tolist())
    first, again, other = (one_shot(system, subjects, IdentificationParams(3, 40, seed=s), FEW) for s in (0, 0, 1))
    assert first == again
    assert first != other


def test_the_crowd_is_the_people_of_the_rows_with_all_their_usable_photographs(tmp_path):
    store = tiny.faces(tmp_path)
    store.manifest.loc[store.manifest.index[1], "problem"] = UNDECODABLE
    subjects = identification_set(
        store, np.array([0, 8, 9]), probes=2
    )  # persons 0 (rows 0-3), 2 (row 8), 3 (rows 9-12)
    assert [own.tolist() for own in subjects.people] == [[0, 2, 3], [9, 10, 11]]
    assert subjects.unknown.tolist() == [8]
    assert subjects.gallery.tolist() == [0, 9]
    assert subjects.rows.tolist() == [0, 2, 3, 8, 9, 10, 11]
