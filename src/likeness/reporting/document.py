"""What a report is made of, before it becomes HTML or Markdown: sections of blocks.

Texts may hold the inline marks of `likeness.reporting.inline`: `code`, **strong** and [label](address).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Tone = Literal["plain", "good", "warning", "bad", "missing"]


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str
    kind: str = field(default="prose", init=False)


@dataclass(frozen=True)
class Note:
    """A paragraph set apart: a warning, or something that is missing and how to get it."""

    text: str
    tone: Tone = "plain"
    kind: str = field(default="note", init=False)


@dataclass(frozen=True)
class Column:
    """The head of a column of a table; numbers are aligned to the right, `room` is the least width in em."""

    name: str
    numeric: bool = False
    room: int = 0


@dataclass(frozen=True)
class Table:
    """Rows of finished texts.

    Attributes:
        columns: heads.
        rows: as many texts a row as there are columns.
        caption: what it shows.
        strong: indices of rows that are set in bold.
        folded: shown only when opened (long lists).
        tones: of the rows, as a coloured edge; none where empty.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    strong: frozenset[int] = frozenset()
    folded: bool = False
    tones: Sequence[Tone] = ()
    kind: str = field(default="table", init=False)

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.caption}: {len(row)} cells in a table of {len(self.columns)} columns")


@dataclass(frozen=True)
class Facts:
    """Names with their values, as in a data sheet."""

    items: Sequence[tuple[str, str]]
    caption: str = ""
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Figure:
    """A chart as SVG.

    Attributes:
        name: file name without its ending, unique in the report; also what its inner ids begin with.
        svg: the drawing, for a light background.
        caption: what is to be seen, in a sentence or two.
    """

    name: str
    svg: str
    caption: str
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class FigureGroup:
    """Figures side by side where there is room."""

    figures: Sequence[Figure]
    kind: str = field(default="gallery", init=False)


@dataclass(frozen=True)
class Picture:
    """A photograph or a sheet of them, as PNG; `alt` for those who do not see it."""

    name: str
    png: bytes
    alt: str
    caption: str = ""
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True)
class Case:
    """One decision with its picture.

    Attributes:
        title: the decision and the truth.
        right: whether these agree.
        facts: score, probability, people.
        cause: a reasoned guess at why.
        picture: the two photographs and, if known, what the network looked at.
    """

    title: str
    right: bool
    facts: str
    cause: str
    picture: Picture | None


@dataclass(frozen=True)
class Cases:
    """Decisions side by side."""

    cases: Sequence[Case]
    kind: str = field(default="cases", init=False)


@dataclass(frozen=True)
class Code:
    """Commands or a file, verbatim."""

    text: str
    language: str = "sh"
    kind: str = field(default="code", init=False)


@dataclass(frozen=True)
class Download:
    """A file that the page carries; in Markdown a link to it beside the charts.

    Attributes:
        name: of the file.
        content: UTF-8 text.
        text: what the link says.
    """

    name: str
    content: str
    text: str
    kind: str = field(default="download", init=False)


@dataclass(frozen=True)
class Headline:
    """The most important figures: (value, what it is, its interval or remark)."""

    figures: Sequence[tuple[str, str, str]]
    kind: str = field(default="headline", init=False)


@dataclass(frozen=True)
class Subheading:
    """A heading inside a section."""

    text: str
    kind: str = field(default="subheading", init=False)


@dataclass(frozen=True)
class Widget:
    """A part of the page that a reader operates: drawn by a template of its own, with a script.

    Attributes:
        kind: "explorer" or "errors", the name of its macro and of its script.
        content: what the template shows.
        figure: a chart in its place where no script runs.
        table: the same in Markdown.
    """

    kind: Literal["explorer", "errors"]
    content: Any
    figure: Figure | None
    table: Table


Block = (
    Prose
    | Note
    | Table
    | Facts
    | Figure
    | FigureGroup
    | Picture
    | Cases
    | Code
    | Download
    | Headline
    | Subheading
    | Widget
)


@dataclass(frozen=True)
class Section:
    """A chapter of the report."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes:
        title: of the page.
        warning: the first line, where there is something that must not be overlooked.
        lead: what this page is about, in a sentence.
        sections: in reading order.
    """

    title: str
    warning: str
    lead: str
    sections: Sequence[Section]

    def figures(self) -> list[Figure]:
        """All charts, in reading order."""
        found: list[Figure] = []
        for block in self._blocks():
            if isinstance(block, Figure):
                found.append(block)
            elif isinstance(block, FigureGroup):
                found += block.figures
            elif isinstance(block, Widget) and block.figure:
                found.append(block.figure)
        return found

    def widgets(self) -> list[str]:
        """Kinds of all parts that need a script, each once, in reading order."""
        return list(dict.fromkeys(block.kind for block in self._blocks() if isinstance(block, Widget)))

    def pictures(self) -> list[Picture]:
        """All photographs, in reading order."""
        found: list[Picture] = []
        for block in self._blocks():
            if isinstance(block, Picture):
                found.append(block)
            elif isinstance(block, Cases):
                found += [case.picture for case in block.cases if case.picture]
        return found

    def downloads(self) -> list[Download]:
        """All files that it carries, in reading order."""
        return [block for block in self._blocks() if isinstance(block, Download)]

    def _blocks(self) -> list[Block]:
        return [block for section in self.sections for block in section.blocks]
