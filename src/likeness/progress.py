"""The one progress bar: shown on a terminal for anything longer than two seconds, silent elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(items: Iterable[T], what: str, total: int | None = None, unit: str = "it") -> Iterator[T]:
    """Passes `items` on while a bar named `what` counts them; `total` where `len(items)` is unknown."""
    return iter(tqdm(items, desc=what, total=total, unit=unit, delay=2.0, disable=not sys.stderr.isatty()))
