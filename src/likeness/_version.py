"""The version of the package, in a module of its own so that nothing inside imports the package's `__init__`."""

from __future__ import annotations

from importlib import metadata

DISTRIBUTION = "likeness-verify"
"""Name on the package index, where `likeness` is another project's."""

FALLBACK = "0.2.0.dev0"
"""The version of sources that were neither installed nor have a git tag; pyproject.toml repeats it."""


def _installed() -> str:
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return FALLBACK


__version__ = _installed()
