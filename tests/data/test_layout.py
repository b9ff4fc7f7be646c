from __future__ import annotations

from pathlib import Path

import pytest

from likeness.commands.common import photographs
from likeness.data.layout import folder_layout, holds_lfw, is_system, lfw_layout, people_of, why_left_aside
from tests.data.pictures import write_folder


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("lfw2/Ann_Lee/Ann_Lee_0001.jpg", ("Ann_Lee", 1)),
        ("Ann_Lee/Ann_Lee_0123.jpg", ("Ann_Lee", 123)),
        ("a/b/J_R_0_1/J_R_0_1_0002.jpg", ("J_R_0_1", 2)),
        ("lfw2/Ann_Lee/Bob_0001.jpg", None),
        ("lfw2/Ann_Lee/._Ann_Lee_0001.jpg", None),
        ("lfw2/Ann_Lee/Ann_Lee_01.jpg", None),
        ("lfw2/Ann_Lee/Ann_Lee_0001.png", None),
        ("lfw2/Ann_Lee_0001.jpg", None),
        ("Ann_Lee_0001.jpg", None),
        ("lfw2/README.txt", None),
    ],
)
def test_lfw_names_person_and_number_twice(path: str, name: tuple[str, int] | None) -> None:
    assert lfw_layout(path) == name


@pytest.mark.parametrize(
    ("path", "person"),
    [
        ("Ann Lee/holiday.JPG", "Ann Lee"),
        ("Ann/2019/1.jpeg", "Ann"),
        ("Ann/1.png", "Ann"),
        ("Ann/1.bmp", "Ann"),
        ("Ann/1.webp", "Ann"),
        ("s1/1.pgm", "s1"),
        ("1.jpg", None),
        ("Ann/notes.txt", None),
        ("Ann/.thumb.jpg", None),
        (".cache/1.jpg", None),
        ("__MACOSX/Ann/1.jpg", None),
    ],
)
def test_in_a_folder_set_the_folder_is_the_person(path: str, person: str | None) -> None:
    assert folder_layout(path) == (None if person is None else (person, 0))


def test_an_unpacked_lfw_is_known_by_its_content(tmp_path: Path) -> None:
    write_folder(tmp_path, {"one/Ann/Ann_0001.jpg": b"", "two/Ann/1.jpg": b"", "two/Bob/Ann_0001.jpg": b""})
    assert holds_lfw(tmp_path / "one")
    assert not holds_lfw(tmp_path / "two")
    assert not holds_lfw(tmp_path / "absent")


@pytest.mark.fault("D03")
@pytest.mark.parametrize("around", ["", "photos/", "photos/photos/"])
def test_folders_below_a_person_are_that_persons(around: str) -> None:
    paths = ["Ann/2019/x.jpg", "Ann/2020/y.jpg", "Bob/z.jpg", "Cem/2019/May/w.jpg"]
    assert [person for person, _ in people_of([around + path for path in paths])] == ["Ann", "Ann", "Bob", "Cem"]


@pytest.mark.fault("D03")
def test_folders_that_divide_a_set_are_nobody() -> None:
    found = people_of(["train/Ann/1.jpg", "train/Bob/1.jpg", "test/Cem/1.jpg", "test/Cem/2.jpg"])
    assert found == [("Ann", 1), ("Bob", 1), ("Cem", 1), ("Cem", 2)]


@pytest.mark.fault("D03")
def test_people_may_have_numbers_for_names() -> None:
    paths = ["faces/0000045/001.jpg", "faces/0000099/001.jpg", "faces/1/001.jpg"]
    assert [person for person, _ in people_of(paths)] == ["0000045", "0000099", "1"]
    dated = ["Ann/2019/1.jpg", "Ann/2020-05-01/1.jpg", "Ann/20210704/1.jpg", "Ann/1.5.2022/1.jpg"]
    assert {person for person, _ in people_of(dated)} == {"Ann"}


@pytest.mark.fault("D28")
def test_a_doubled_top_folder_does_not_count() -> None:
    assert people_of(["lfw/lfw/Ann/Ann_0003.jpg", "lfw/lfw/Bob/Bob_0001.jpg"]) == [("Ann", 3), ("Bob", 1)]


SYSTEM = [
    "Ann/@eaDir/1.jpg/thumb.jpg",
    ".Trash-1000/files/1.jpg",
    "Ann/.thumbnails/1.jpg",
    "#recycle/Ann/1.jpg",
    "__MACOSX/Ann/1.jpg",
    "$RECYCLE.BIN/1.jpg",
    "System Volume Information/1.jpg",
]


@pytest.mark.fault("D04")
@pytest.mark.parametrize("path", SYSTEM)
def test_system_folders_are_nobody_for_every_reader(path: str, tmp_path: Path) -> None:
    assert is_system(path)
    assert folder_layout(path) is None
    assert "system folder" in why_left_aside(path)
    write_folder(tmp_path, {path: b"", "Ann/1.jpg": b""})
    assert photographs([str(tmp_path)]) == [tmp_path / "Ann" / "1.jpg"]


@pytest.mark.fault("D06")
def test_numbers_come_from_the_file_names() -> None:
    paths = [f"Ann/Ann_{number}.jpg" for number in (1, 2, 10, 12)]
    assert people_of(paths) == [("Ann", 1), ("Ann", 2), ("Ann", 10), ("Ann", 12)]
    assert people_of(["Ann/a.jpg", "Ann/b2.jpg"]) == [("Ann", 1), ("Ann", 2)]
    assert people_of(["Ann/2019/1.jpg", "Ann/2020-05/1.jpg"]) == [("Ann", 1), ("Ann", 2)]


@pytest.mark.fault("D24")
@pytest.mark.attack("14")
def test_one_name_in_two_forms_is_one_person() -> None:
    assert people_of(["Zo\u00eb/1.jpg", "Zoe\u0308/2.jpg"]) == [("Zo\u00eb", 1), ("Zo\u00eb", 2)]


@pytest.mark.fault("D31")
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Ann/1.jp2", "JP2"),
        ("Ann/1.TIFF", "TIFF"),
        ("loose.jpg", "no person's folder"),
        ("notes.txt", "no picture"),
        ("pairs.csv", "a list that is not read"),
        ("set/matchpairsDevTrain.csv", "a list that is not read"),
        ("Ann/people.csv.bak", "no picture"),
    ],
)
def test_what_is_left_aside_has_a_reason(path: str, reason: str) -> None:
    assert folder_layout(path) is None
    assert reason in why_left_aside(path)
    assert folder_layout("Ann/1.jfif") == ("Ann", 0)
