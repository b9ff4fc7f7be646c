"""The few marks that texts of the report may hold, turned into HTML; Markdown shows them as they are."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+|#[\w-]+|[\w-]+\.html)\)")
_BEFORE_PIPE = re.compile(r"\|")


def to_html(text: str) -> Markup:
    """Escapes a text and turns `code`, **strong** and [label](address) into HTML; marks inside code stay."""
    pieces = _CODE.split(str(text))
    html = [_code(piece) if odd else _marks(piece) for odd, piece in _numbered(pieces)]
    return Markup("").join(html)


def to_cell(text: str) -> str:
    """A text for a cell of a Markdown table: one line, bars escaped."""
    return _BEFORE_PIPE.sub(r"\\|", " ".join(str(text).split()))


def quoted(text: object) -> str:
    """A text from a file as it is, in code marks, so that none of its characters acts as a mark."""
    return f"`{str(text).replace('`', 'ˋ')}`"


def _numbered(pieces: list[str]) -> list[tuple[bool, str]]:
    return [(place % 2 == 1, piece) for place, piece in enumerate(pieces)]


def _code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)


def _marks(text: str) -> Markup:
    html = _STRONG.sub(r"<strong>\1</strong>", str(escape(text)))
    return Markup(_LINK.sub(r'<a href="\2">\1</a>', html))
