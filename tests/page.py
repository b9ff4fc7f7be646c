"""The blocks of docs/extending.md, which tests carry out."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


def block(language: str, number: int) -> str:
    """Block `number` (from 0) of a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert number < len(found), f"docs/extending.md has {len(found)} blocks of {language}"
    return str(found[number])
