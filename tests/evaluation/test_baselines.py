from dataclasses import replace

import numpy as np
import pytest

from likeness.artifacts.source_card import SourceCard
from likeness.data.faceset import FaceSet
from likeness.data.splits import Identities
from likeness.errors import DataError
from likeness.evaluation.baselines import (
    BaselineParams,
    central_window,
    classical_baseline,
)
from likeness.evaluation.systems import cosine
from likeness.metrics.roc import auc
from tests.data.tiny import tiny_manifest
from tests.evaluation import tiny


@pytest.mark.parametrize(
    ("crop", "size", "window"),
    [
        (None, (250, 250), (slice(65, 185), slice(75, 175))),
        (None, (105, 105), (slice(27, 77), slice(31, 73))),
        ((120, 100), (120, 100), (slice(0, 120), slice(0, 100))),
        ((120, 100), (80, 64), (slice(0, 80), slice(0, 64))),
        ((150, 150), (75, 75), (slice(7, 67), slice(12, 62))),
        ((100, 80), (50, 40), (slice(0, 50), slice(0, 40))),  # the store holds less than 120×100
    ],
)
def test_the_central_window_is_found_in_any_store(crop, size, window):
    source = SourceCard("lfw", synthetic=False, alignment="none", place="x", crop=crop)
    faces = FaceSet(np.zeros((1, *size), np.uint8), tiny_manifest({"A": 1}), source)
    assert central_window(faces) == window


def test_cosine_by_hand():
    one, two = np.array([[1, 0], [3, 4], [0, 0]], np.float32), np.array([[1, 1], [-6, -8], [1, 2]], np.float32)
    np.testing.assert_allclose(cosine(one, two), [np.sqrt(0.5), -1, 0])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tiny.faces(tmp_path_factory.mktemp("faces"))


@pytest.mark.parametrize("unrestricted", [False, True])
def test_people_it_has_never_seen_are_separated(store, unrestricted):
    split = tiny.split(store, unrestricted)
    system = classical_baseline(store, split, split.test.rows, BaselineParams())
    assert auc(system.scores(split.test.a, split.test.b), split.test.same) > 0.95


def test_identities_help_where_the_protocol_grants_them_and_are_not_used_where_it_does_not(store):
    restricted, unrestricted = tiny.split(store, False), tiny.split(store, True)
    rows = restricted.test.rows
    said = classical_baseline(store, unrestricted, rows, BaselineParams()).vectors
    shuffled = Identities(unrestricted.identities.rows, np.roll(unrestricted.identities.labels, 1))
    other = classical_baseline(store, replace(unrestricted, identities=shuffled), rows, BaselineParams()).vectors
    assert not np.allclose(said, other)
    flipped = replace(restricted, train=replace(restricted.train, same=~restricted.train.same))
    np.testing.assert_array_equal(
        classical_baseline(store, restricted, rows, BaselineParams()).vectors,
        classical_baseline(store, flipped, rows, BaselineParams()).vectors,
    )


def test_one_training_face_is_refused(store):
    split = replace(tiny.split(store, True), identities=Identities(np.array([0]), np.array([0])))
    with pytest.raises(DataError, match="at least 2 training faces"):
        classical_baseline(store, split, split.test.rows, BaselineParams())
