"""Pictures that a page itself holds, so that showing them asks nobody for anything (RFC 2397)."""

from __future__ import annotations

import base64
from typing import Literal


def data_uri(content: bytes, kind: Literal["jpeg", "png"]) -> str:
    """The address of a picture, given as its file's content."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
