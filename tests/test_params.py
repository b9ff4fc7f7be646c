"""The reader of params.yaml: right values into dataclasses, and every mistake at once with its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import ParamsError
from likeness.params import Range, from_mapping, keys_of, load_document, read_params, section_of, sections_of


@dataclass(frozen=True)
class Inner:
    SECTION: ClassVar[str] = "two"

    rate: Annotated[float, Range(above=0, high=1)] = 0.5
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Outer:
    SECTION: ClassVar[str] = "one"

    epochs: Annotated[int, Range(low=1)]
    size: tuple[int, int] = (8, 8)
    crop: tuple[int, int] | None = None
    flag: bool = False
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        if self.crop is not None and self.crop < self.size:
            raise ValueError("crop must not be smaller than size")


@dataclass(frozen=True)
class Third:
    SECTION: ClassVar[str] = "three"


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_nested_sections_with_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, "one: {epochs: 3, size: [4, 5], inner: {rate: 5e-5}}\ntwo: {kind: b}\n")
    one, two = read_params(path, Outer, Inner)
    assert one == Outer(epochs=3, size=(4, 5), inner=Inner(rate=5e-5))
    assert two == Inner(kind="b")


def test_says_every_mistake_at_once_with_file_and_key(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "one: {epochs: 0, size: [1], flag: 3, epoch: 2, inner: {rate: 2, kind: c}}\ntwo: {rat: 1}\n",
    )
    with pytest.raises(ParamsError) as caught:
        read_params(path, Outer, Inner, Third)
    message = str(caught.value)
    assert message.startswith(f"{path}: 8 mistakes")
    for part in (
        "one.epochs: expected a whole number >= 1, found 0",
        "one.size: expected 2 values, found 1",
        "one.flag: expected true or false, found 3",
        "one.epoch: unknown key, did you mean epochs?",
        "one.inner.rate: expected a number > 0 and <= 1, found 2",
        "one.inner.kind: expected one of a, b, found 'c'",
        "two.rat: unknown key, did you mean rate?",
        "three: expected a section with keys, found nothing",
    ):
        assert part in message


@pytest.mark.fault("A7")
def test_a_value_of_another_type_is_answered_with_type_and_range() -> None:
    with pytest.raises(ParamsError, match="epochs: expected a whole number >= 1, found 'ten'"):
        from_mapping(Outer, {"epochs": "ten"}, "x")
    with pytest.raises(ParamsError, match="rate: expected a number > 0 and <= 1, found 'high'"):
        from_mapping(Inner, {"rate": "high"}, "x")


def test_a_section_of_a_document_that_was_read_already(tmp_path: Path) -> None:
    document = load_document(write(tmp_path, "two: {kind: b}\nplan: {kind: a}\n"))
    assert sections_of(document, "x", Inner) == (Inner(kind="b"),)
    assert section_of(document, "x", "plan", Inner) == Inner()
    with pytest.raises(ParamsError, match="other: expected a section with keys, found nothing"):
        section_of(document, "x", "other", Inner)


def test_a_rule_over_several_keys_is_a_mistake_of_the_section() -> None:
    with pytest.raises(ParamsError, match="crop must not be smaller"):
        from_mapping(Outer, {"epochs": 1, "crop": [2, 2]}, "card.json")


def test_missing_key_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"epochs: missing, expected a whole number >= 1"):
        from_mapping(Outer, {}, "x")
    with pytest.raises(ParamsError, match="cannot be read"):
        read_params(tmp_path / "absent.yaml", Outer)
    with pytest.raises(ParamsError, match="not valid YAML"):
        read_params(write(tmp_path, "a: [1"), Outer)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "three", None, True, [1]])
def test_a_number_is_a_finite_number(value: object) -> None:
    with pytest.raises(ParamsError, match="expected a number"):
        from_mapping(Inner, {"rate": value}, "x")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_range_accepts_exactly_its_interval(value: float) -> None:
    assert (value in Range(above=0, high=1)) == (0 < value <= 1)


def test_keys_of_lists_every_leaf() -> None:
    assert keys_of(Outer, "one") == [
        "one.epochs", "one.size", "one.crop", "one.flag", "one.inner.rate", "one.inner.kind",
    ]  # fmt: skip


@dataclass(frozen=True)
class Choice:
    view: Literal[1, 2] = 1


@pytest.mark.attack("14")
@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_a_choice_of_whole_numbers_takes_nothing_else(value: object) -> None:
    with pytest.raises(ParamsError, match="expected one of 1, 2"):
        from_mapping(Choice, {"view": value}, "params.yaml")
    assert from_mapping(Choice, {"view": 1}, "params.yaml").view == 1
