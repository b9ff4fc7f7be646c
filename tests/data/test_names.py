"""Untrusted file names: whatever they are, what is made of them stays below its folder and can be shown."""

from __future__ import annotations

import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from likeness.data.names import MAX_PERSON, person_fault, printable, safe_path, spelled

any_name = st.text(st.characters(codec=None), max_size=60) | st.binary(max_size=60).map(
    lambda data: data.decode("utf-8", "surrogateescape")
)


@pytest.mark.attack("4")
@given(any_name)
def test_a_safe_path_can_be_written_and_stays_below_its_folder(name: str) -> None:
    path = safe_path(name * 3)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert all(0 < len(part.encode()) <= 130 and not part.startswith(".") for part in path.parts)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_name(target.name + ".reason.txt").write_text("reason")


@pytest.mark.attack("4")
@given(any_name)
@example("\ud800")
def test_a_name_can_be_shown_and_a_person_without_fault_can_be_a_folder(name: str) -> None:
    assert not {unicodedata.category(one) for one in printable(name)} & {"Cc", "Cs", "Zl", "Zp"}
    person = spelled(name)
    if not person_fault(person):
        assert 0 < len(person.encode()) <= MAX_PERSON
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / person
            made.mkdir()
            assert made.resolve().parent == Path(folder).resolve()


def test_safe_paths_of_usual_names_are_the_names() -> None:
    assert str(safe_path("batch.zip/Zoë K/1 (2).jpg")) == "batch.zip/Zoë K/1 (2).jpg"


def test_long_names_that_differ_at_their_end_stay_different() -> None:
    assert safe_path("x" * 300 + "a.jpg") != safe_path("x" * 300 + "b.jpg")
    assert safe_path("a/" * 99 + "1.jpg") != safe_path("b/" * 99 + "1.jpg")
