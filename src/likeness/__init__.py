"""Likeness: from two photographs, is this the same person?"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Verifier", "__version__"]


def __getattr__(name: str) -> Any:
    """`Verifier`, when it is first asked for; by name, because every room imports this package, few that one."""
    if name == "__version__":
        return importlib.import_module("likeness._version").__version__
    if name == "Verifier":
        return importlib.import_module("likeness.serving.verifier").Verifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
