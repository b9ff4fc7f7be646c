"""YAML of any content: a value or one sentence, in bounded time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import ParamsError
from likeness.params import load_document, read_params
from likeness.yaml_file import parse_yaml, read_yaml
from tests.test_params import Outer

BOMB = "a: &a [x, x]\n" + "".join(
    f"{after}: &{after} [*{before}, *{before}, *{before}, *{before}]\n"
    for before, after in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
)
REFUSED = {
    "Latin-1": ("é: 1".encode("latin-1"), "is not UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), "is not UTF-8"),
    "NUL": (b"a: \0", "is not valid YAML"),
    "a day that is none": (b"a: 2026-02-30", "holds a value that YAML cannot read: day"),
    "a number of thousands of digits": (b"a: " + b"9" * 5000, "holds a value that YAML cannot read"),
    "deep nesting": (b"a: " + b"[" * 5000, "nested deeper than 50 levels"),
    "deep sections": (b"".join(b" " * depth + b"a:\n" for depth in range(200)), "nested deeper than 50 levels"),
    "an alias bomb": (BOMB.encode(), "more than 100000 values"),
    "an alias of itself": (b"a: &a [*a]", "more than 100000 values"),
    "an alias of nothing": (b"a: *b", "is not valid YAML"),
    "a Python object": (b"a: !!python/object/apply:os.system [true]", "is not valid YAML"),
    "base64 that is none": (b"a: !!binary x", "is not valid YAML"),
    "a list as a key": (b"? [a]\n: 1", "is not valid YAML"),
    "a megabyte and more": (b"a: " + b"x" * (1 << 20), "is longer than 1 MB"),
}


@pytest.mark.attack("13")
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_document_is_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    content, said = REFUSED[case]
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParamsError) as caught:
        load_document(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.attack("13")
@pytest.mark.parametrize(
    ("value", "said"),
    [("0x" + "f" * 6000, "a whole number of thousands of digits"), ("9" * 400, "9…"), ("-" + "9" * 400, "9…")],
)
def test_huge_numbers_are_mistakes_of_their_key(value: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"one: {{epochs: 1, inner: {{rate: {value}}}}}")
    with pytest.raises(ParamsError) as caught:
        read_params(path, Outer)
    assert "one.inner.rate: expected a number" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing", "\ufeffa: 1", "a: &x [1]\nb: *x", "a: 2026-02-28"])
def test_sound_documents_are_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml") is None or "a" in read_yaml(tmp_path / "a.yaml")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab: -[]{}&*!#'\"\n", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_bounds_change_no_value(value: Any) -> None:
    assert parse_yaml(yaml.safe_dump(value), "text") == value


@given(st.text("ab: -[]{}&*!#'\"\n\t|>?%@`0129.", max_size=60))
def test_any_text_is_a_value_or_a_sentence(text: str) -> None:
    with contextlib.suppress(ParamsError):
        parse_yaml(text, "text")
