from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from likeness.artifacts.split import SplitCard
from likeness.data.splits import Identities, Pairs, Split
from likeness.errors import DataError, OutputError, OverlapError

TRAIN = Pairs(np.array([4, 0]), np.array([5, 2]), np.array([True, False]))
HOLDOUT = Pairs(np.array([7]), np.array([6]), np.array([True]), np.array([True]))
TEST = Pairs(np.array([9, 8]), np.array([8, 10]), np.array([True, False]))
CARD = SplitCard(protocol="unrestricted")
IDENTITIES = Identities(np.array([0, 2, 4, 5]), np.array([0, 1, 2, 2]))


def split(identities: Identities | None = None) -> Split:
    return Split(TRAIN, HOLDOUT, TEST, identities, None, CARD)


def test_what_is_written_is_read_again_in_its_order(tmp_path: Path) -> None:
    split(IDENTITIES).write(tmp_path / "splits")
    read = Split.open(tmp_path / "splits")
    for name in ("train", "holdout", "test"):
        before, after = getattr(split(), name), getattr(read, name)
        for column in ("a", "b", "same", "drawn"):
            assert getattr(before, column).tolist() == getattr(after, column).tolist()
            assert getattr(before, column).dtype == getattr(after, column).dtype
    assert read.identities is not None
    assert (read.identities.rows.tolist(), read.identities.labels.tolist()) == ([0, 2, 4, 5], [0, 1, 2, 2])
    assert read.holdout_identities is None
    assert read.card == CARD


def test_the_tables_have_the_columns_agreed_on(tmp_path: Path) -> None:
    split().write(tmp_path)
    pairs = pd.read_parquet(tmp_path / "pairs.parquet")
    kinds = {"split": "str", "a": "int32", "b": "int32", "same": "bool", "origin": "str"}
    assert pairs.dtypes.astype(str).to_dict() == kinds
    assert pairs["split"].tolist() == ["train", "train", "holdout", "test", "test"]
    assert pairs["origin"].tolist() == ["listed", "listed", "drawn", "listed", "listed"]
    identities = pd.read_parquet(tmp_path / "identities.parquet")
    assert identities.dtypes.astype(str).to_dict() == {"row": "int32", "label": "int32", "split": "str"}
    assert len(identities) == 0


def test_training_data_is_what_the_protocol_allows() -> None:
    assert isinstance(split().training_data, Pairs)
    assert isinstance(split(IDENTITIES).training_data, Identities)


def test_figures_of_pairs_and_identities() -> None:
    assert TRAIN.rows.tolist() == [0, 2, 4, 5]
    assert TRAIN.take(TRAIN.same).a.tolist() == [4]
    assert (len(IDENTITIES), IDENTITIES.people) == (4, 3)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        Pairs(np.array([1, 2]), np.array([1]), np.array([True, False]))
    with pytest.raises(ValueError, match="one length"):
        Identities(np.array([1, 2]), np.array([1]))


@pytest.mark.parametrize("name", ["pairs.parquet", "identities.parquet", "card.json"])
def test_a_missing_or_damaged_file_is_reported(tmp_path: Path, name: str) -> None:
    split().write(tmp_path)
    (tmp_path / name).write_text("{")
    with pytest.raises(DataError, match=f"{name}: .*cannot be read"):
        Split.open(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match="is missing; `dvc repro split` makes it"):
        Split.open(tmp_path)


def test_a_table_of_another_kind_is_reported(tmp_path: Path) -> None:
    split().write(tmp_path)
    pd.DataFrame({"split": ["train"], "a": [1]}).to_parquet(tmp_path / "pairs.parquet")
    with pytest.raises(DataError, match="b is missing, same is missing, origin is missing"):
        Split.open(tmp_path)


def test_a_folder_that_cannot_be_made_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        split().write(tmp_path / "file" / "splits")
    assert (tmp_path / "file").read_text() == "in the way"


def test_equal_splits_are_equal_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        split(IDENTITIES).write(tmp_path / folder)
    for name in ("pairs.parquet", "identities.parquet", "card.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


PEOPLE = [f"Person {row // 2}" for row in range(12)]


@pytest.mark.attack("14")
def test_a_split_whose_test_pairs_are_its_training_pairs_is_refused_at_load(tmp_path: Path) -> None:
    Split(TRAIN, HOLDOUT, TRAIN, None, None, CARD).write(tmp_path)
    for people in (None, PEOPLE):
        with pytest.raises(OverlapError, match=r"in train and in test"):
            Split.open(tmp_path, people)


@pytest.mark.attack("14")
def test_a_person_on_two_sides_with_different_images_is_seen_where_the_people_are_known(tmp_path: Path) -> None:
    one, other = (Pairs(np.array([row]), np.array([row + 2]), np.array([False])) for row in (0, 1))
    Split(one, HOLDOUT, other, None, None, CARD).write(tmp_path)
    Split.open(tmp_path)  # no image is on two sides
    with pytest.raises(OverlapError, match=r"in train and in test \(2\): Person 0, Person 1"):
        Split.open(tmp_path, PEOPLE)


@pytest.mark.attack("14")
def test_an_identity_of_the_test_set_among_those_that_are_trained_on_is_refused(tmp_path: Path) -> None:
    known = Identities(np.array([0, 2, 4, 5, 9]), np.array([0, 1, 2, 2, 3]))
    split(known).write(tmp_path)
    with pytest.raises(OverlapError, match="in train and in test"):
        Split.open(tmp_path)


@pytest.mark.attack("14")
@pytest.mark.parametrize("name", ["pairs.parquet", "identities.parquet", "card.json"])
def test_an_edited_split_is_refused(tmp_path: Path, name: str) -> None:
    split(IDENTITIES).write(tmp_path)
    if name == "card.json":
        (tmp_path / name).write_text('{"protocol": "restricted"}')
    else:
        pd.read_parquet(tmp_path / name).iloc[:-1].to_parquet(tmp_path / name, index=False)
    with pytest.raises(DataError, match=rf"not what the split stage wrote there: {name}"):
        Split.open(tmp_path)


def test_rows_that_the_face_set_does_not_have_are_reported(tmp_path: Path) -> None:
    split().write(tmp_path)
    with pytest.raises(DataError, match="row 10 of a face set with 5 rows"):
        Split.open(tmp_path, PEOPLE[:5])
