from __future__ import annotations

from pathlib import Path

import pytest

from likeness.data.layout import folder_layout, holds_lfw, lfw_layout
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
        ("faces/Ann/1.jpeg", "Ann"),
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
