"""The version of the package, in a module of its own so that nothing inside imports the package's `__init__`."""

from __future__ import annotations

from typing import Any

DISTRIBUTION = "likeness-verify"
"""Name on the package index, where `likeness` is another project's."""

FALLBACK = "0.2.0.dev0"
"""The version of sources that were neither installed nor have a git tag; pyproject.toml repeats it."""

__version__: str


def __getattr__(name: str) -> Any:
    """`__version__`, of the installed distribution; when it is asked for, because looking takes 50 ms."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import metadata

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return FALLBACK
