"""`likeness verify --pairs`: verdicts on a list of pairs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import likeness as library
from tests.commands.conftest import Likeness

PAIRS = """first,second
photos/ada.png,photos/crowd.png
photos/ada.png,photos/absent.jpg

photos/ben.jpg,photos/ben.jpg
"""


def test_a_row_for_each_pair_as_csv_and_as_json(likeness: Likeness) -> None:
    Path("pairs.csv").write_text(PAIRS)
    done = likeness("verify", "--pairs", "pairs.csv")
    rows = list(csv.DictReader(done.out.splitlines()))
    assert done.code == 2
    assert [row["same"] for row in rows] == ["1", "", "1"]
    assert rows[0]["second_other_faces"] == "1"
    assert "photos/absent.jpg" in rows[1]["error"]
    lines = likeness("verify", "--pairs", "pairs.csv", "--json").lines
    assert [line.get("same") for line in lines] == [True, None, True]
    assert lines[0]["score"] == pytest.approx(float(rows[0]["score"]))
    assert lines[0]["other_faces"] == [0, 1]
    assert "absent" in lines[1]["error"]


def test_the_rows_go_into_a_file(likeness: Likeness) -> None:
    Path("pairs.csv").write_text("photos/ada.png,photos/ben.jpg\n")
    done = likeness("verify", "--pairs", "pairs.csv", "--out", "new/decisions.csv", "--threshold", "0.999")
    assert (done.code, done.out) == (1, "")
    assert len(Path("new/decisions.csv").read_text().splitlines()) == 2
    strict = likeness("verify", "--pairs", "pairs.csv", "--fmr", "0.01", "--json").lines[0]
    alone = likeness("verify", "photos/ada.png", "photos/ben.jpg", "--fmr", "0.01", "--json").lines[0]
    assert {key: strict[key] for key in ("same", "score", "probability", "threshold", "fmr")} == {
        key: alone[key] for key in ("same", "score", "probability", "threshold", "fmr")
    }


def test_the_faces_are_chosen(likeness: Likeness) -> None:
    Path("pairs.csv").write_text("photos/crowd.png,photos/crowd.png\n")
    first, second = (
        likeness("verify", "--pairs", "pairs.csv", "--json", *face).lines[0]["score"]
        for face in ((), ("--face", "2"))
    )
    assert first == pytest.approx(1)
    assert second < 0.998


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no pair is there"),
        ("first,second\n", "no pair is there"),
        ("a.jpg,b.jpg\na.jpg\n", "line 2: expected two paths, found 1"),
        ("a.jpg,b.jpg,c.jpg\n", "line 1: expected two paths, found 3"),
        ("a.jpg,\n", "line 1"),
    ],
)
def test_a_list_that_is_none_is_one_sentence(likeness: Likeness, text: str, said: str) -> None:
    Path("pairs.csv").write_text(text)
    done = likeness("verify", "--pairs", "pairs.csv")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_list_and_photographs_exclude_each_other(likeness: Likeness) -> None:
    for arguments in (("a.jpg", "b.jpg", "--pairs", "pairs.csv"), ("a.jpg",), ()):
        assert likeness("verify", *arguments).code == 2
    Path("pairs.csv").write_text("a.jpg,b.jpg\n")
    assert "takes no photographs" in likeness("verify", "--pairs", "pairs.csv", "--face", "all").err
    assert "expected a CSV file" in likeness("verify", "--pairs", "absent.csv").err


def test_a_program_gets_the_same_from_the_library(likeness: Likeness) -> None:
    verifier = library.Verifier.load("packaged")
    pairs = [("photos/ada.png", "photos/ben.jpg"), ("photos/text.jpg", "photos/ada.png")]
    decided, failed = library.verify_pairs(pairs, verifier=verifier)
    alone = verifier.verify(*pairs[0])
    assert (decided.same, decided.score, decided.probability) == (alone.same, alone.score, alone.probability)
    assert isinstance(failed.error, library.ImageError)
