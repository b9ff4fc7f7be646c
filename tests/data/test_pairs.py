from __future__ import annotations

import os
from pathlib import Path

import pytest

from likeness.data.pairs import ImageName, locate, read_pairs, read_people
from likeness.errors import PairListError
from tests.data.official import TRAIN_DIFFERENT, TRAIN_SAME, pair_list, view_2_lists

LFW = os.environ.get("LIKENESS_LFW")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_one_fold_is_read_in_order_with_its_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "pairsDevTrain.txt", pair_list(TRAIN_SAME, TRAIN_DIFFERENT))
    (pairs,) = read_pairs(path)
    assert [pair.same for pair in pairs] == [True] * 10 + [False] * 10
    assert (pairs[0].first, pairs[0].second) == (ImageName("P0", 1), ImageName("P0", 2))
    assert (pairs[11].first, pairs[11].second) == (ImageName("P0", 2), ImageName("P1", 2))
    assert str(pairs[11].place) == f"{path}:13"


def test_windows_line_ends_and_names_beyond_ascii_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes("1\r\nZoë\t1\t2\r\nZoë\t1\tÅke\t1\r\n".encode())
    (pairs,) = read_pairs(path)
    assert [pair.second for pair in pairs] == [("Zoë", 2), ("Åke", 1)]


@pytest.mark.fault("D22")
def test_a_byte_order_mark_and_blanks_at_the_ends_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes(b"\xef\xbb\xbf1 \r\nAnn\t1\t2 \r\nAnn \t1\tBob\t 1\t\r\n\r\n")
    (pairs,) = read_pairs(path)
    assert [(pair.first, pair.second) for pair in pairs] == [
        (("Ann", 1), ("Ann", 2)),
        (("Ann", 1), ("Bob", 1)),
    ]


@pytest.mark.fault("D24")
def test_names_are_composed(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.txt", "1\nZoe\u0308\t1\t2\nZo\u00eb\t1\tBob\t1\n")
    (pairs,) = read_pairs(path)
    assert {pair.first.person for pair in pairs} == {"Zo\u00eb"}


@pytest.mark.attack("13")
def test_a_number_of_thousands_of_digits_is_no_number(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.txt", f"1\nAnn\t1\t{'9' * 4301}\nAnn\t1\tBob\t1\n")
    with pytest.raises(PairListError, match=r"pairs.txt:2: expected name, number, number"):
        read_pairs(path)


def test_folds_are_kept_apart(tmp_path: Path) -> None:
    lists = view_2_lists(folds=3)
    folds = read_pairs(write(tmp_path / "pairs.txt", lists["pairs.txt"]))
    assert [[pair.first.person[:2] for pair in fold] for fold in folds] == [["F0"] * 4, ["F1"] * 4, ["F2"] * 4]
    people = read_people(write(tmp_path / "people.txt", lists["people.txt"]))
    assert [[row.person for row in fold] for fold in people][2] == ["F2a", "F2b", "F2c", "F2d"]
    assert people[2][0].place.line == 13


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the number of pairs per class"),
        ("<!DOCTYPE html>\n<p>not found", 1, "'<!DOCTYPE html>'"),
        ("0\n", 1, "the number of pairs per class"),
        ("2\nAnn\t1\t2\nAnn\t1\tBob\t1\n", 1, "announces 4 rows, found 2"),
        ("1\nAnn\t1\t2\nAnn\t1\tBob\t1\nAnn\t2\tBob\t1\n", 1, "announces 2 rows, found 3"),
        ("1\nAnn 1 2\nAnn\t1\tBob\t1\n", 2, "name, number, number between tabs, found 'Ann 1 2'"),
        ("1\nAnn\t1\tx\nAnn\t1\tBob\t1\n", 2, "name, number, number"),
        ("1\nAnn\t0\t2\nAnn\t1\tBob\t1\n", 2, "name, number, number"),
        ("1\nAnn\t1\t2\nAnn\t1\t3\n", 3, "name, number, name, number"),
        ("1\nAnn\t2\t2\nAnn\t1\tBob\t1\n", 2, "pairs Ann_0002 with itself"),
        ("1\nAnn\t1\t2\nAnn\t1\tAnn\t2\n", 3, "names Ann twice"),
    ],
)
def test_a_malformed_pair_list_is_refused_by_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path / "pairsDevTest.txt", text)
    with pytest.raises(PairListError) as caught:
        read_pairs(path)
    assert f"{path}:{line}: " in str(caught.value)
    assert said in str(caught.value)


def test_all_malformed_lines_are_reported_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "pairsDevTest.txt", "7\n" + "Ann\n" * 14)
    with pytest.raises(PairListError) as caught:
        read_pairs(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "malformed list (14):"
    assert [line.split(": ")[0].strip() for line in lines[1:11]] == [f"{path}:{n}" for n in range(2, 12)]
    assert lines[11].strip() == "… and 4 more"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("2\nAnn\t1\nBob\n", 3, "found 'Bob'"),
        ("2\nAnn\t1\n", 1, "announces 2 rows, found 1"),
        ("2\n1\nAnn\t1\n2\nBob\t1\n", 4, "announces 2 rows, found 1"),
        ("2\n1\nAnn\t1\n1\nBob\t1\nCy\t1\n", 4, "announces 1 rows, found 2"),
        ("3\n1\nAnn\t1\n1\nBob\t1\n", 6, "found the end of the file"),
    ],
)
def test_a_malformed_people_list_is_refused_by_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path / "people.txt", text)
    with pytest.raises(PairListError) as caught:
        read_people(path)
    assert f"{path}:{line}: " in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_bytes(b"1\nAnn\t1\t2\n\xff\xfe")
    with pytest.raises(PairListError, match=r"no UTF-8 text \(byte 10\)"):
        read_pairs(tmp_path / "pairs.txt")
    with pytest.raises(PairListError, match="No such file"):
        read_people(tmp_path / "people.txt")


def test_pairs_become_rows(tmp_path: Path) -> None:
    (listed,) = read_pairs(write(tmp_path / "pairs.txt", "1\nAnn\t1\t2\nBob\t1\tAnn\t2\n"))
    pairs = locate(listed, {("Ann", 1): 0, ("Ann", 2): 1, ("Bob", 1): 2})
    assert (pairs.a.tolist(), pairs.b.tolist(), pairs.same.tolist()) == ([0, 2], [1, 1], [True, False])
    assert not pairs.drawn.any()


def test_absent_images_are_reported_with_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "pairsDevTest.txt", "1\nAnn\t1\t7\nBob\t1\tAnn\t2\n")
    with pytest.raises(PairListError) as caught:
        locate(read_pairs(path)[0], {("Ann", 1): 0, ("Ann", 2): 1})
    assert f"{path}:2: names Ann_0007, which is not among the 2 images" in str(caught.value)
    assert f"{path}:3: names Bob_0001" in str(caught.value)


@pytest.mark.lfw
@pytest.mark.skipif(LFW is None, reason="LIKENESS_LFW names no folder with real faces")
def test_the_official_lists_are_read() -> None:
    folder = Path(LFW or "")
    sizes = {
        name: [len(fold) for fold in read_pairs(folder / name)] for name in ("pairsDevTrain.txt", "pairs.txt")
    }
    assert sizes == {"pairsDevTrain.txt": [2200], "pairs.txt": [600] * 10}
    assert sum(len(fold) for fold in read_people(folder / "people.txt")) == 5749
    (train,) = read_people(folder / "peopleDevTrain.txt")
    assert (len(train), sum(row.images for row in train)) == (4038, 9525)
