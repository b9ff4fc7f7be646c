import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.artifacts.source_card import SourceCard
from likeness.data.faceset import FaceSet
from likeness.data.splits import Pairs
from likeness.evaluation.causes import cause_table
from likeness.evaluation.comparison import Scored
from likeness.evaluation.decision_picture import decision_picture, save_picture
from likeness.evaluation.decisions import SPEAKS, Chosen, PairFacts, choose
from likeness.evaluation.poses import Poses
from tests.data.tiny import tiny_manifest

POSES = Poses(np.arange(80), *np.random.default_rng(1).uniform(-10, 10, (2, 80)))


def test_the_furthest_from_the_threshold_of_each_kind_are_chosen():
    scores = np.array([5, 2, -1, -4, 3, 1, -2, -6], float)
    same = np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    chosen = choose(Scored(scores, 0.0), same, 1)
    assert chosen == [
        Chosen("true-match", 0),
        Chosen("true-non-match", 7),
        Chosen("false-match", 4),
        Chosen("false-non-match", 3),
    ]
    assert len(choose(Scored(scores, 0.0), same, 9)) == 8
    assert choose(Scored(scores, 0.0), same, 0) == []


@pytest.fixture
def store() -> tuple[FaceSet, Pairs]:
    """40 pairs of unremarkable pictures; pair 0 is blurred, pair 1 is twice the same picture under two names."""
    manifest = tiny_manifest({f"P{number:02d}": 1 for number in range(80)})
    rng = np.random.default_rng(0)
    manifest["sharpness"] = rng.uniform(300, 900, 80).astype("float32")
    manifest["brightness"] = rng.uniform(0.4, 0.6, 80).astype("float32")
    manifest["contrast"] = rng.uniform(0.1, 0.3, 80).astype("float32")
    manifest.loc[0, "sharpness"] = 3.0
    pixels = rng.integers(0, 256, (80, 20, 16)).astype(np.uint8)
    pixels[41] = pixels[1]
    manifest.loc[41, "phash"] = manifest.loc[1, "phash"]
    manifest.loc[[2, 42], "phash"] = ""
    faces = FaceSet(pixels, manifest, SourceCard("folder", False, "none", "x"))
    return faces, Pairs(np.arange(40), np.arange(40) + 40, np.arange(40) % 2 == 0)


def test_a_cause_names_what_stands_out_and_nothing_else(store):
    facts = PairFacts.of(*store, np.arange(40) == 0, POSES)
    blurred = facts.about(Chosen("false-non-match", 0))
    assert blurred[0].name == "sharpness"
    assert blurred[0].value == pytest.approx(3.0)
    assert blurred[0].share_below == 0.0
    said = facts.cause(Chosen("false-non-match", 0))
    assert "among the blurriest" in said
    assert said.endswith("The classical baseline is correct on it.")
    # Blur is no reason for a right answer.
    assert "sharpness" not in [fact.name for fact in facts.about(Chosen("true-match", 0))]


def test_a_turned_head_is_named_and_an_unknown_pose_is_not(store):
    yaw = np.where(np.arange(80) == 3, 48.0, POSES.yaw)
    yaw[44] = np.nan
    facts = PairFacts.of(*store, np.zeros(40, bool), Poses(POSES.rows, yaw, POSES.roll))
    turned = {fact.name: fact for fact in facts.about(Chosen("false-non-match", 3))}
    assert turned["yaw"].value == 48.0
    assert "turned most to the side" in turned["yaw"].text
    assert turned["yaw difference"].share_below == pytest.approx(38 / 40)  # 39 pairs are known
    unknown = [fact.name for kind in SPEAKS for fact in facts.about(Chosen(kind, 4))]
    assert not {"yaw", "yaw difference"} & set(unknown)


def test_how_often_a_property_stands_out_is_counted_among_errors_and_right_decisions(store):
    faces, pairs = store
    yaw = np.where(np.isin(np.arange(80), [0, 2, 4]), 50.0, POSES.yaw)
    facts = PairFacts.of(faces, pairs, np.zeros(40, bool), Poses(POSES.rows, yaw, POSES.roll))
    predicted = pairs.same & ~np.isin(np.arange(40), [0, 2, 6])  # three mated pairs are rejected
    table = cause_table(facts, predicted, pairs.same)
    turned = table[(table["kind"] == "false-non-match") & (table["property"] == "yaw")].iloc[0]
    assert (turned["errors"], turned["errors_extreme"]) == (3, 2)
    assert turned["right"] == 17
    assert 1 <= turned["right_extreme"] <= 2  # pair 4, and what else lies in the tenth
    assert table.loc[table["kind"] == "false-match", "errors"].eq(0).all()


def test_a_copy_of_one_photograph_is_named(store):
    facts = PairFacts.of(*store, np.zeros(40, bool), POSES)
    named = {fact.name: fact for fact in facts.about(Chosen("false-match", 1))}
    assert named["hash distance"].value == 0
    assert named["resemblance"].value == pytest.approx(1.0)
    assert "copies of one photograph" in facts.cause(Chosen("false-match", 1))
    assert facts.cause(Chosen("false-match", 1)).endswith("is wrong on it too.")
    assert facts.hash_distance[2] == 64  # unknown hashes are no copies


def test_an_unremarkable_pair_has_no_invented_cause(store):
    facts = PairFacts.of(*store, np.ones(40, bool), POSES)
    places = [place for place in range(40) if not facts.about(Chosen("false-non-match", place))]
    assert places
    assert "nothing" in facts.cause(Chosen("false-non-match", places[0])).lower()


def test_measures_of_pairs_are_symmetric(store):
    faces, pairs = store
    swapped = Pairs(pairs.b, pairs.a, pairs.same)
    one, two = (PairFacts.of(faces, side, np.ones(40, bool), POSES) for side in (pairs, swapped))
    for name in one.values:
        np.testing.assert_allclose(one.values[name], two.values[name])
    pd.testing.assert_series_equal(pd.Series(one.hash_distance), pd.Series(two.hash_distance))


def test_the_picture_shows_the_crops_above_and_the_heat_below(tmp_path):
    grey = np.full((20, 16), 100, np.uint8)
    heat = np.zeros((20, 16), np.float32)
    heat[:10] = 1.0
    picture = decision_picture((grey, grey), (heat, np.zeros_like(heat)))
    half = (picture.shape[0] - 6) // 2
    assert picture.dtype == np.uint8
    assert (picture[:half, :100] == 100).all()
    hot, cold = picture[half + 20, 50].astype(int), picture[-20, 50].astype(int)
    assert np.ptp(hot) > 30  # coloured
    assert (cold == 100).all()  # the crop itself
    assert (picture[half + 20, -50] == 100).all()
    save_picture(tmp_path / "deep" / "x.png", picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "deep" / "x.png")), picture)
