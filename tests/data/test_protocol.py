from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.split import LostPairs, SideCounts
from likeness.data.faceset import FaceSet
from likeness.data.problems import NOT_ACQUIRED, UNDECODABLE
from likeness.data.protocol import SplitParams, make_split
from likeness.data.splits import Identities, Pairs, Split
from likeness.errors import DataError, OverlapError, PairListError, ParamsError
from likeness.params import from_mapping
from tests.data.official import (
    PEOPLE,
    TEST_DIFFERENT,
    TEST_SAME,
    TRAIN_DIFFERENT,
    TRAIN_SAME,
    pair_list,
    view_1_lists,
    view_2_lists,
    view_2_people,
)
from tests.data.tiny import tiny_faceset, tiny_manifest

LFW = os.environ.get("LIKENESS_LFW")


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    return tiny_faceset(tmp_path / "faces", PEOPLE, lists=view_1_lists())


def people_of(faces: FaceSet, rows: np.ndarray) -> set[str]:
    return set(faces.manifest["person"].iloc[rows])


def sides(faces: FaceSet, split: Split) -> list[set[str]]:
    """The people of training, holdout and test, by pairs and by identities."""
    known = (split.identities, split.holdout_identities, None)
    return [
        people_of(faces, pairs.rows) | (people_of(faces, images.rows) if images else set())
        for pairs, images in zip((split.train, split.holdout, split.test), known, strict=True)
    ]


def assert_disjoint(faces: FaceSet, split: Split) -> None:
    train, holdout, test = sides(faces, split)
    assert not (train & holdout) | (train & test) | (holdout & test)
    assert set(split.card.shared.people.values()) == {0}


def undecodable(faces: FaceSet, row: int, problem: str = UNDECODABLE) -> FaceSet:
    manifest = faces.manifest.copy()
    manifest.loc[row, "problem"] = problem
    return dataclasses.replace(faces, manifest=manifest)


def with_list(faces: FaceSet, name: str, text: str) -> FaceSet:
    faces.lists[name].write_text(text)
    return faces


def test_view_1_loses_no_pair_and_keeps_the_official_order(faces: FaceSet) -> None:
    split = make_split(faces, SplitParams())
    rows = faces.rows_by_name()
    listed = [
        *((rows[a, i], rows[a, j], True) for a, i, j in TRAIN_SAME),
        *((rows[a, i], rows[b, j], False) for a, i, b, j in TRAIN_DIFFERENT),
    ]
    train, holdout = (
        list(zip(pairs.a.tolist(), pairs.b.tolist(), pairs.same.tolist(), strict=True))
        for pairs in (split.train, split.holdout)
    )
    assert sorted(train + holdout) == sorted(listed)
    assert [pair for pair in listed if pair in train] == train
    assert (len(holdout), split.holdout.same.sum()) == (4, 2)
    assert (len(split.test), split.test.same.sum()) == (4, 2)
    assert_disjoint(faces, split)


def test_restricted_training_cannot_see_identities(faces: FaceSet) -> None:
    split = make_split(faces, SplitParams(protocol="restricted"))
    assert split.identities is None
    assert split.holdout_identities is None
    assert isinstance(split.training_data, Pairs)


def test_unrestricted_training_sees_the_listed_people_who_are_not_held_out(faces: FaceSet) -> None:
    split = make_split(faces, SplitParams(protocol="unrestricted"))
    assert isinstance(split.training_data, Identities)
    assert split.identities is not None
    assert split.holdout_identities is not None
    assert people_of(faces, split.identities.rows) == people_of(faces, split.train.rows) | {"Solo"}
    assert people_of(faces, split.holdout_identities.rows) == people_of(faces, split.holdout.rows)
    codes = faces.manifest["person"].iloc[split.identities.rows]
    assert (pd.factorize(codes)[0] == split.identities.labels).all()
    assert len(split.identities) == 8 * 3 + 1
    assert_disjoint(faces, split)


def test_an_undecodable_image_is_no_identity(faces: FaceSet) -> None:
    row = faces.rows_by_name()["Solo", 1]
    split = make_split(undecodable(faces, row), SplitParams(protocol="unrestricted"))
    assert split.identities is not None
    assert row not in split.identities.rows
    assert split.identities.people == split.identities.labels.max() + 1 == 8


@pytest.mark.parametrize("problem", NOT_ACQUIRED)
def test_a_listed_pair_without_a_face_is_left_out_and_counted(faces: FaceSet, problem: str) -> None:
    row = faces.rows_by_name()["T3", 2]
    whole, split = make_split(faces, SplitParams()), make_split(undecodable(faces, row, problem), SplitParams())
    lost = (whole.test.a == row) | (whole.test.b == row)
    assert lost.any()
    np.testing.assert_array_equal(split.test.a, whole.test.a[~lost])
    same = int(whole.test.same[lost].sum())
    assert split.card.not_acquired == {"learn": LostPairs(), "test": LostPairs(same, int(lost.sum()) - same)}
    assert whole.card.not_acquired == {"learn": LostPairs(), "test": LostPairs()}


def test_a_listed_pair_with_an_undecodable_image_is_refused_by_line(faces: FaceSet) -> None:
    with pytest.raises(PairListError) as caught:
        make_split(undecodable(faces, faces.rows_by_name()["T3", 2]), SplitParams())
    assert f"{faces.lists['pairsDevTest.txt']}:5: T2_0001 with T3_0002" in str(caught.value)


def test_an_absent_image_is_reported_with_file_and_line(faces: FaceSet) -> None:
    with_list(faces, "pairsDevTest.txt", pair_list([*TEST_SAME[:1], ("T1", 1, 9)], TEST_DIFFERENT))
    with pytest.raises(PairListError, match=r"pairsDevTest\.txt:3: names T1_0009"):
        make_split(faces, SplitParams())


def test_people_on_both_sides_are_refused_by_name(faces: FaceSet) -> None:
    with_list(
        faces, "pairsDevTest.txt", pair_list([*TEST_SAME, ("P3", 1, 3)], [*TEST_DIFFERENT, ("P3", 1, "T0", 1)])
    )
    with pytest.raises(OverlapError, match=r"^people are in (train|holdout) and in test \(1\): P3\."):
        make_split(faces, SplitParams())


def test_test_people_among_the_training_identities_are_refused(faces: FaceSet) -> None:
    with_list(
        faces, "peopleDevTrain.txt", faces.lists["peopleDevTrain.txt"].read_text().replace("Solo\t1", "T1\t2")
    )
    with pytest.raises(OverlapError, match=r"in train and in test \(1\): T1"):
        make_split(faces, SplitParams(protocol="unrestricted"))


def test_people_without_an_image_are_refused_by_line(faces: FaceSet) -> None:
    with_list(faces, "peopleDevTrain.txt", "2\nP1\t3\nNobody\t1\n")
    with pytest.raises(PairListError, match=r"peopleDevTrain\.txt:3: Nobody"):
        make_split(faces, SplitParams(protocol="unrestricted"))


@pytest.mark.parametrize(
    ("gone", "params", "said"),
    [
        ("pairsDevTest.txt", SplitParams(), "view 1 needs pairsDevTest.txt, but"),
        ("peopleDevTrain.txt", SplitParams(protocol="unrestricted"), "unrestricted needs peopleDevTrain.txt"),
        (None, SplitParams(view=2), "view 2 needs pairs.txt, but"),
    ],
)
def test_a_missing_list_is_reported(faces: FaceSet, gone: str | None, params: SplitParams, said: str) -> None:
    lists = {name: path for name, path in faces.lists.items() if name != gone}
    with pytest.raises(PairListError, match=said):
        make_split(dataclasses.replace(faces, lists=lists), params)


def test_pairs_that_all_hang_together_cannot_be_divided(faces: FaceSet) -> None:
    chain = [(f"P{i}", 1, f"P{i + 1}", 1) for i in range(9)] + [("P0", 2, "P9", 2)]
    with_list(faces, "pairsDevTrain.txt", pair_list(TRAIN_SAME, chain))
    with pytest.raises(DataError, match="no person-disjoint holdout"):
        make_split(faces, SplitParams())


def test_extra_holdout_pairs_are_drawn_among_holdout_people(faces: FaceSet) -> None:
    listed = make_split(faces, SplitParams(protocol="unrestricted"))
    split = make_split(faces, SplitParams(protocol="unrestricted", holdout_draw=3))
    extra = split.holdout.take(split.holdout.drawn)
    assert (extra.same.sum(), (~extra.same).sum()) == (3, 3)
    assert split.holdout.take(~split.holdout.drawn).a.tolist() == listed.holdout.a.tolist()
    assert people_of(faces, extra.rows) <= people_of(faces, listed.holdout.rows)
    assert split.card.splits["holdout"].drawn == 6


@pytest.mark.parametrize("fold", [0, 9])
def test_view_2_tests_on_one_fold_and_learns_from_the_nine_others(tmp_path: Path, fold: int) -> None:
    faces = tiny_faceset(tmp_path / "faces", view_2_people(), lists=view_2_lists())
    split = make_split(faces, SplitParams(view=2, fold=fold, protocol="unrestricted", holdout_fraction=0.25))
    train, holdout, test = sides(faces, split)
    assert test == {f"F{fold}{letter}" for letter in "abcd"}
    assert train | holdout == set(view_2_people()) - test
    assert (len(split.train), len(split.holdout), len(split.test)) == (28, 8, 4)
    assert split.holdout.same.sum() == 4
    assert split.card.fold == fold
    assert_disjoint(faces, split)


@pytest.mark.parametrize("drawn", [False, True])
def test_folds_left_out_together_learn_the_same_and_see_neither(tmp_path: Path, drawn: bool) -> None:
    listed = {f"Person {i:02d}": 1 + i % 4 for i in range(60)} if drawn else view_2_people()
    faces = tiny_faceset(tmp_path / "faces", listed, lists=None if drawn else view_2_lists())
    params = [SplitParams(view=2, fold=fold, folds_out=2, protocol="unrestricted") for fold in (2, 3)]
    first, second = (make_split(faces, one) for one in params)
    assert first.identities is not None
    assert second.identities is not None
    for name in ("a", "b", "same"):
        assert np.array_equal(getattr(first.train, name), getattr(second.train, name))
        assert np.array_equal(getattr(first.holdout, name), getattr(second.holdout, name))
    assert np.array_equal(first.identities.rows, second.identities.rows)
    tested = people_of(faces, np.concatenate([first.test.rows, second.test.rows]))
    learnt = np.concatenate([first.train.rows, first.holdout.rows, first.identities.rows])
    assert not tested & people_of(faces, learnt)
    assert not people_of(faces, first.test.rows) & people_of(faces, second.test.rows)


@pytest.mark.parametrize("protocol", ["restricted", "unrestricted"])
@pytest.mark.parametrize("drawn", [False, True])
def test_a_share_of_the_people_is_trained_on_and_measured_on_the_same_pairs(
    tmp_path: Path, protocol: str, drawn: bool
) -> None:
    listed = {f"Person {i:02d}": 3 for i in range(80)} if drawn else PEOPLE
    faces = tiny_faceset(tmp_path / "faces", listed, lists=None if drawn else view_1_lists())
    params = SplitParams(protocol=protocol, pairs_per_class=60, holdout_draw=3 * (protocol == "unrestricted"))  # type: ignore[arg-type]
    whole, half = (make_split(faces, dataclasses.replace(params, people_share=share)) for share in (1.0, 0.5))
    for one, other in ((whole.holdout, half.holdout), (whole.test, half.test)):
        assert [(one.a == other.a).all(), (one.b == other.b).all()] == [True, True]
    assert half.card.people_share == 0.5
    assert half.train.same.sum() * 2 == len(half.train) == pytest.approx(len(whole.train) / 2, abs=1)
    assert sides(faces, half)[0] < sides(faces, whole)[0]
    if protocol == "unrestricted":
        assert whole.identities is not None
        assert half.identities is not None
        assert half.identities.people == pytest.approx(whole.identities.people / 2, abs=0.5)
    assert_disjoint(faces, half)


def test_a_fold_that_the_list_does_not_have_is_refused(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", view_2_people(3), lists=view_2_lists(3))
    with pytest.raises(PairListError, match=r"has 3 folds \(0 to 2\), not fold 3"):
        make_split(faces, SplitParams(view=2, fold=3))


@pytest.mark.parametrize("view", [1, 2])
def test_a_set_without_lists_gets_drawn_pairs(tmp_path: Path, view: int) -> None:
    people = {f"Person {i:02d}": 1 + i % 4 for i in range(60)}
    faces = tiny_faceset(tmp_path / "faces", people)
    split = make_split(faces, SplitParams(view=view, protocol="unrestricted", pairs_per_class=30))  # type: ignore[arg-type]
    expected = {1: (34, 8, 18), 2: (44, 10, 6)}[view]  # pairs: 0.3125 of 30 are 9, 0.1 of 30 are 3, of each class
    assert (len(split.train), len(split.holdout), len(split.test)) == expected
    for pairs in (split.train, split.holdout, split.test):
        assert pairs.same.sum() * 2 == len(pairs)
        assert pairs.drawn.all()
    assert len(people_of(faces, split.test.rows)) <= {1: 19, 2: 6}[view]
    assert split.card.lists is None
    assert_disjoint(faces, split)


def test_the_ten_folds_of_drawn_pairs_test_everybody_once(tmp_path: Path) -> None:
    people = {f"Person {i:02d}": 2 for i in range(40)}
    faces = tiny_faceset(tmp_path / "faces", people)
    tested = [
        people_of(faces, make_split(faces, SplitParams(view=2, fold=fold, pairs_per_class=1000)).test.rows)
        for fold in range(10)
    ]
    assert sorted(person for fold in tested for person in fold) == sorted(people)


def test_undecodable_images_are_never_drawn(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", {f"Person {i}": 3 for i in range(12)})
    broken = undecodable(undecodable(faces, 4), 20)
    split = make_split(broken, SplitParams(pairs_per_class=500))
    assert not {4, 20} & {row for pairs in (split.train, split.holdout, split.test) for row in pairs.rows.tolist()}


@pytest.mark.parametrize("people", [{"Ann": 4, "Bob": 3}, {f"Person {i}": 1 for i in range(30)}])
def test_too_few_people_are_reported(tmp_path: Path, people: dict[str, int]) -> None:
    with pytest.raises(DataError, match="too few people to split"):
        make_split(tiny_faceset(tmp_path / "faces", people), SplitParams())


def test_fewer_pairs_than_asked_for_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    faces = tiny_faceset(tmp_path / "faces", {f"Person {i}": 2 for i in range(9)})
    split = make_split(faces, SplitParams(pairs_per_class=1600))
    assert (
        f"asked for 880 training pairs of each class, these photos yield only {len(split.train) // 2}"
        in caplog.text
    )


def test_equal_seeds_give_equal_splits_and_others_do_not(tmp_path: Path) -> None:
    faces = tiny_faceset(tmp_path / "faces", {f"Person {i:02d}": 3 for i in range(30)})
    one, again, other = (make_split(faces, SplitParams(pairs_per_class=20, seed=seed)) for seed in (0, 0, 1))
    assert one.test.a.tolist() == again.test.a.tolist()
    assert one.test.a.tolist() != other.test.a.tolist()


def test_the_card_counts_the_same_file_on_two_sides(faces: FaceSet) -> None:
    manifest = faces.manifest.copy()
    rows = faces.rows_by_name()
    manifest.loc[rows["T0", 1], "sha256"] = manifest.loc[rows["P0", 1], "sha256"]
    split = make_split(dataclasses.replace(faces, manifest=manifest), SplitParams())
    shared = split.card.shared.identical_files
    assert shared["train-test"] + shared["holdout-test"] == 1
    assert shared["train-holdout"] == 0


def test_the_card_holds_the_numbers(faces: FaceSet) -> None:
    card = make_split(faces, SplitParams(seed=3)).card
    assert card.splits["test"] == SideCounts(
        pairs=4, same=2, different=2, same_share=0.5, drawn=0, images=6, people=4
    )
    head = (card.protocol, card.view, card.fold, card.seed, card.lists, card.fingerprint)
    lists = ("pairsDevTrain.txt", "pairsDevTest.txt")
    assert head == ("restricted", 1, None, 3, lists, faces.source.fingerprint)


def test_restricted_drawing_beside_lists_is_a_wrong_parameter() -> None:
    with pytest.raises(ParamsError, match="needs protocol = unrestricted"):
        from_mapping(SplitParams, {"holdout_draw": 10}, "params.yaml")


@pytest.mark.lfw
@pytest.mark.skipif(LFW is None, reason="LIKENESS_LFW names no folder with real faces")
@pytest.mark.parametrize("protocol", ["restricted", "unrestricted"])
@pytest.mark.parametrize(("view", "fold", "sizes"), [(1, 0, (1760, 440, 1000)), (2, 4, (4320, 1080, 600))])
def test_the_official_views(protocol: str, view: int, fold: int, sizes: tuple[int, int, int]) -> None:
    folder = Path(LFW or "")
    people = dict(line.split("\t") for line in (folder / "lfw-names.txt").read_text().splitlines())
    manifest = tiny_manifest({person: int(images) for person, images in people.items()})
    source = SourceCard("lfw", synthetic=False, alignment="none", place="lists")
    lists = {path.name: path for path in folder.glob("p*.txt")}
    faces = FaceSet(np.zeros((len(manifest), 1, 1), dtype=np.uint8), manifest, source, lists)
    split = make_split(faces, SplitParams(protocol=protocol, view=view, fold=fold))  # type: ignore[arg-type]
    assert (len(split.train), len(split.holdout), len(split.test)) == sizes
    assert all(pairs.same.sum() * 2 == len(pairs) for pairs in (split.train, split.holdout, split.test))
    assert_disjoint(faces, split)
    half = make_split(faces, SplitParams(protocol=protocol, view=view, fold=fold, people_share=0.5))  # type: ignore[arg-type]
    assert (len(half.train), half.train.same.sum()) == (sizes[0] // 2, sizes[0] // 4)
    if split.identities is not None and view == 1:
        known = split.identities.people + len(people_of(faces, split.holdout.rows))
        assert known == 4038
