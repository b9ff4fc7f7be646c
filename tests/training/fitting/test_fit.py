from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from likeness.data.splits import Identities, Pairs
from likeness.errors import DataError, ParamsError
from likeness.training.fitting.fit import LinearMap, fit_map, formula_of
from likeness.training.fitting.params import FitParams

PEOPLE = Identities(np.arange(100, 220), np.arange(40).repeat(3))
KINDS = ["wccn", "lda", "lmnn"]


def embeddings(rows: npt.NDArray[np.int64], seed: int = 0) -> npt.NDArray[np.float64]:
    """People differ on axis 0, axis 1 is loud within each."""
    random = np.random.default_rng(seed)
    centres = np.zeros((40, 4))
    centres[:, 0] = random.normal(size=40)
    everybody = centres.repeat(3, axis=0) + random.normal(size=(120, 4)) * [0.1, 2, 0.1, 0.1] + 3.0
    return everybody[rows - 100]


def weights(fitted: LinearMap) -> tuple[float, float]:
    """How far one step along each of the first two axes is after the map."""
    return float(np.linalg.norm(fitted.weight[:, 0])), float(np.linalg.norm(fitted.weight[:, 1]))


@pytest.mark.parametrize("kind", KINDS)
def test_each_map_plays_the_nuisance_down(kind: str) -> None:
    params = FitParams(kind, learning_rate=2e-2 if kind == "lmnn" else None)
    useful, loud = weights(fit_map(PEOPLE, embeddings, params))
    assert loud < 0.6 * useful


def test_wccn_whitens_the_same_pairs_of_the_restricted_protocol() -> None:
    """Differences of same pairs, over √2, become white; the different pairs have no say."""
    a, b = np.arange(100, 220, 3), np.arange(101, 220, 3)
    pairs = Pairs(np.append(a, 100), np.append(b, 219), np.append(np.ones(40, bool), False))
    fitted = fit_map(pairs, embeddings, FitParams("wccn", shrinkage=0.0))
    differences = (embeddings(a) - embeddings(b)) @ fitted.weight.T / np.sqrt(2)
    np.testing.assert_allclose(differences.T @ differences / 40, np.eye(4), atol=1e-3)


def test_closed_forms_centre_the_training_faces() -> None:
    fitted = fit_map(PEOPLE, embeddings, FitParams("lda", dim=2))
    mapped = embeddings(PEOPLE.rows) @ fitted.weight.T + fitted.bias
    assert fitted.weight.shape == (2, 4)
    np.testing.assert_allclose(mapped.mean(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("kind", ["wccn", "lda"])
def test_as_many_components_as_there_are_dimensions_change_no_distance(kind: str) -> None:
    plain, reduced = (fit_map(PEOPLE, embeddings, FitParams(kind, shrinkage=0.0, components=k)) for k in (None, 4))
    faces = embeddings(PEOPLE.rows)
    apart = [np.linalg.norm((faces[:20] - faces[20:40]) @ one.weight.T, axis=1) for one in (plain, reduced)]
    np.testing.assert_allclose(apart[0], apart[1], rtol=1e-3)
    np.testing.assert_allclose((faces @ reduced.weight.T + reduced.bias).mean(axis=0), 0, atol=1e-3)


def test_fewer_components_leave_the_quiet_directions_out() -> None:
    fitted = fit_map(PEOPLE, embeddings, FitParams("wccn", shrinkage=0.0, components=2))
    assert fitted.weight.shape == (2, 4)
    assert np.linalg.norm(fitted.weight[:, 2:]) < 0.2 * np.linalg.norm(fitted.weight[:, :2])


def test_a_cap_takes_so_many_photographs_of_each_person() -> None:
    seen: list[npt.NDArray[np.int64]] = []

    def watched(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        seen.append(rows)
        return embeddings(rows)

    shuffled = Identities(PEOPLE.rows, PEOPLE.labels[np.random.default_rng(0).permutation(120)])
    fit_map(shuffled, watched, FitParams("wccn", images_per_person=2))
    assert np.bincount(shuffled.labels[seen[0] - 100]).tolist() == [2] * 40


@pytest.mark.parametrize("kind", ["lda", "lmnn"])
def test_what_needs_identities_is_refused_where_there_are_pairs_alone(kind: str) -> None:
    pairs = Pairs(np.array([100]), np.array([101]), np.array([True]))
    with pytest.raises(ParamsError, match=rf"fit\.kind: {kind} needs the identity of every training image"):
        fit_map(pairs, embeddings, FitParams(kind))


@pytest.mark.parametrize("data", [Pairs([100], [109], [False]), Identities([100, 103], [0, 1])])
def test_nothing_to_whiten(data: Pairs | Identities) -> None:
    with pytest.raises(DataError, match="no two training photographs show one person"):
        fit_map(data, embeddings, FitParams("wccn"))


def test_a_key_that_the_kind_does_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"wccn does not read neighbours, rounds; it reads shrinkage"):
        FitParams("wccn", neighbours=3, rounds=2)


@pytest.mark.parametrize("kind", KINDS)
def test_formulas_hold_their_numbers(kind: str) -> None:
    said = formula_of(FitParams(kind))
    assert said.startswith(kind)
    assert "{" not in said
