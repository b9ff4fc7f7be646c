"""The few marks of Markdown that texts of the report may hold, as HTML: code, emphasis and links."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

_ADDRESS = re.compile(r"https?://.+|#[\w-]+|[\w-]+\.html")


class _Marks(MarkdownIt):
    """Code, emphasis and links; a link to elsewhere than the web or the report stays a text."""

    def __init__(self) -> None:
        super().__init__("zero", {"html": False})
        self.enable(["backticks", "emphasis", "link"])

    def validateLink(self, url: str) -> bool:  # noqa: N802
        """Whether the mark of a link becomes one."""
        return _ADDRESS.fullmatch(url) is not None


def to_html(text: str) -> Markup:
    """A text with its marks as HTML and everything else escaped."""
    return Markup(_Marks().renderInline(str(text)))


def to_cell(text: str) -> str:
    """A text for a cell of a Markdown table: one line, bars escaped."""
    return " ".join(str(text).split()).replace("|", "\\|")


def to_strong_cell(text: str) -> str:
    """The same in bold; marks of emphasis inside it would end it."""
    plain = to_cell(text).replace("**", "")
    return f"**{plain}**" if plain else ""


def quoted(text: object) -> str:
    """A text from a file as it is, in code marks, so that none of its characters acts as a mark."""
    return f"`{str(text).replace('`', 'ˋ')}`"
