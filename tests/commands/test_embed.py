"""`likeness embed`: a row a face, a row a failure, in each form of table."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from likeness import Verifier
from likeness.serving.face_rows import embed_photographs
from tests.commands.conftest import Likeness

NAMES = [f"photos/{name}" for name in ("ada.png", "ben.jpg", "crowd.png", "nobody.png", "text.jpg")]


def test_parquet_has_a_row_for_each_face_and_each_failure(likeness: Likeness) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow, of the extra [train]")
    Path("photos/ben.jpg").unlink()
    done = likeness("embed", "photos", "--out", "new/faces.parquet", "--face", "all")
    assert done.code == 1
    assert done.err.startswith("new/faces.parquet: 3 faces, 2 of 4 photographs without one; ")
    table = parquet.read_table("new/faces.parquet")
    rows = table.to_pylist()
    found = [(row["path"], row["face"]) for row in rows]
    assert found == [(NAMES[0], 1), (NAMES[2], 1), (NAMES[2], 2), (NAMES[3], 0), (NAMES[4], 0)]
    verifier = Verifier.load("packaged")
    assert table.schema.metadata[b"model"].decode() == verifier.digest
    np.testing.assert_allclose(rows[0]["embedding"], verifier.embed([NAMES[0]])[0], atol=1e-6)
    for row in rows[:3]:
        box, landmarks = row["box"], np.array(row["landmarks"])
        assert landmarks.shape == (5, 2)
        assert (landmarks > [box["left"], box["top"]]).all()
        assert 0 < row["quality"] <= 1
        assert row["error"] == ""
    for row in rows[3:]:
        assert row["error"]
        assert (row["box"], row["landmarks"], row["quality"], row["embedding"]) == (None,) * 4


def test_csv_and_npz_hold_the_same(likeness: Likeness) -> None:
    for name in ("faces.csv", "faces.npz"):
        assert likeness("embed", "photos", "--out", name).code == 1
    with Path("faces.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    arrays = np.load("faces.npz")
    assert [row["path"] for row in rows] == arrays["path"].tolist() == NAMES
    assert [row["error"] for row in rows] == arrays["error"].tolist()
    np.testing.assert_allclose(arrays["embedding"][:3, 7], [float(row["e7"]) for row in rows[:3]], rtol=1e-6)
    assert np.isnan(arrays["embedding"][3:]).all()
    assert rows[3]["e0"] == rows[3]["left"] == rows[3]["left_eye_x"] == ""
    np.testing.assert_allclose(arrays["landmarks"][0, 2, 1], float(rows[0]["nose_y"]), atol=1e-3)


def test_where_every_photograph_gives_a_face_it_is_exit_code_0(likeness: Likeness) -> None:
    assert likeness("embed", NAMES[0], "--out", "faces.csv", "--aligned").code == 0


def test_a_table_of_another_form_is_refused_before_any_work(
    likeness: Likeness, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = likeness("embed", "photos", "--out", "faces.xlsx")
    assert (done.code, done.err) == (2, "faces.xlsx: expected a file that ends in .parquet, .csv or .npz\n")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = likeness("embed", "photos", "--out", "faces.parquet")
    assert done.code == 2
    assert "pip install pyarrow" in done.err
    assert not list(Path().glob("faces*"))


def test_more_photographs_than_a_batch_keep_their_order(likeness: Likeness) -> None:
    paths = [NAMES[0], NAMES[4]] * 40
    rows = list(embed_photographs(Verifier.load("packaged"), paths, aligned=True))
    assert [row.path for row in rows] == paths
    assert [row.number for row in rows] == [1, 0] * 40
