"""One document, two forms: HTML that opens offline and Markdown with its figures beside it."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from likeness.reporting.document import (
    Block,
    Case,
    Cases,
    Code,
    Column,
    Facts,
    Figure,
    FigureGroup,
    Headline,
    Note,
    Page,
    Picture,
    Prose,
    Section,
    Subheading,
    Table,
)
from likeness.reporting.render import to_markdown, to_page, write_figures

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path fill="#1f5fa8" d="M0,0h9"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n not looked at"
PICTURE = Picture("pair-1", PNG, "two <faces>")
BLOCKS: list[Block] = [
    Headline([("73.2 %", "accuracy", "95 % interval")]),
    Prose("Some `code` & <more>."),
    Note("Careful.", "warning"),
    Subheading("Below"),
    Facts([("name", "value")], "A sheet"),
    Table([Column("a|b"), Column("n", True)], [["x|y", "1"], ["z", "2"]], "Two rows", strong=frozenset({1})),
    Table([Column("a")], [["folded away"]], "Long", folded=True),
    Figure("lonely", SVG, "A chart"),
    FigureGroup([Figure("left", SVG, "Left"), Figure("right", SVG, "Right")]),
    Picture("sheet", PNG, "a sheet", "What is seen"),
    Cases([Case("Said same, are two", False, "score 3", "Because.", PICTURE), Case("Right", True, "", "", None)]),
    Code("make run\n# <nothing>"),
]
PAGE = Page(
    "A title", "Not <real>.", "What it is.", [Section("one", "First", BLOCKS), Section("two", "Second", [])]
)


class Outline(HTMLParser):
    """Balanced tags, the ids, and every address that a browser would fetch."""

    VOID = frozenset({"meta", "img", "br", "path", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.fetched += [values[name] or "" for name in ("src", "srcset", "data") if name in values]
        self.fetched += [values.get("href") or ""] if tag == "link" else []
        self.targets += [(values.get("href") or "")[1:]] if tag == "a" else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def outline(html: str) -> Outline:
    parsed = Outline()
    parsed.feed(html)
    parsed.close()
    return parsed


def test_the_page_is_well_formed_and_fetches_nothing() -> None:
    html = to_page(PAGE)
    parsed = outline(html)
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(parsed.targets) <= set(parsed.ids)
    assert all(address.startswith("data:") for address in parsed.fetched)
    assert "<script" not in html
    assert not re.search(r"url\((?!#)|@import", html)


def test_every_block_is_in_both_forms() -> None:
    html, markdown = to_page(PAGE), to_markdown(PAGE, "figures")
    for text in (
        "73.2\u202f%",
        "Careful.",
        "Below",
        "A sheet",
        "Two rows",
        "folded away",
        "Said same, are two",
        "make run",
    ):
        assert text in html
        assert text in markdown
    assert base64.b64encode(PNG).decode() in html
    for name in ("lonely.svg", "left.svg", "right.svg", "sheet.png", "pair-1.png"):
        assert f"](figures/{name})" in markdown


def test_texts_are_escaped() -> None:
    html = to_page(PAGE)
    assert "&lt;more&gt;" in html
    assert 'alt="two &lt;faces&gt;"' in html
    assert "# &lt;nothing&gt;" in html


def test_the_warning_is_the_first_thing_read() -> None:
    body = to_page(PAGE).split("<body>", 1)[1]
    assert re.sub(r"<[^>]+>", "", body).strip().startswith("Not &lt;real&gt;.")
    assert to_markdown(PAGE, "figures").startswith("> **Not <real>.**\n")


def test_a_table_in_markdown_keeps_its_columns() -> None:
    lines = to_markdown(PAGE, "figures").splitlines()
    start = lines.index("| a\\|b | n |")
    assert lines[start + 1 : start + 4] == ["| --- | ---: |", "| x\\|y | 1 |", "| **z** | **2** |"]


def test_bold_rows_in_markdown_hold_no_marks_inside_marks() -> None:
    table = Table([Column("a"), Column("b")], [["**x**, y", ""]], "Bold", strong=frozenset({0}))
    text = to_markdown(Page("A", "", "B", [Section("one", "First", [table])]), "figures")
    assert "| **x, y** |  |" in text


def test_a_table_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells in a table of 2 columns"):
        Table([Column("a"), Column("b")], [["x"]])


def test_figures_of_an_earlier_report_go(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "old.svg").write_text("old")
    write_figures(PAGE, tmp_path / "figures")
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names == ["left.svg", "lonely.svg", "pair-1.png", "right.svg", "sheet.png"]
    assert (tmp_path / "figures" / "lonely.svg").read_text() == SVG
