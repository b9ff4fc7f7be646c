"""Texts of the report become HTML without letting anything in them act as HTML."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from likeness.reporting.inline import quoted, to_cell, to_html


def test_marks_become_elements() -> None:
    shown = to_html(
        "`a_b` is **much** better, see [there](https://example.org/x), [below](#data), [beside](a-b.html)"
    )
    assert shown == (
        "<code>a_b</code> is <strong>much</strong> better, see "
        '<a href="https://example.org/x">there</a>, <a href="#data">below</a>, <a href="a-b.html">beside</a>'
    )


def test_nothing_else_becomes_an_element() -> None:
    assert to_html('<b>5 < 6 & "x"</b>') == "&lt;b&gt;5 &lt; 6 &amp; &quot;x&quot;&lt;/b&gt;"
    assert "href" not in to_html("[x](javascript:alert(1)) [y](../up.html) [z](javascript:a.html)")
    assert "<img" not in to_html("`<img src=x>` **<img>**")


def test_marks_inside_code_are_left_alone() -> None:
    assert to_html("`**x**`") == "<code>**x**</code>"
    assert to_html(quoted("a`b**c**")) == "<code>aˋb**c**</code>"


def test_a_cell_is_one_line_without_a_bar() -> None:
    assert to_cell("|x − y|\n  twice") == "\\|x − y\\| twice"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))  # 0 is shown as a replacement
def test_a_quoted_text_shows_its_characters_and_nothing_else(text: str) -> None:
    shown = to_html(f"before {quoted(f'<{text}>')} after")
    inside = shown.removeprefix("before <code>").removesuffix("</code> after")
    assert not re.search("[<>]", inside)
    expected = f"<{text}>".replace("`", "ˋ")
    assert " ".join(html.unescape(inside).split()) == " ".join(expected.split())
