"""Nested parameters and figures as the flat names that MLflow knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

from likeness.params import leaves

_NOT_IN_A_KEY = re.compile(r"[^\w\-. /:]")  # MLflow's law for names of metrics
_SPREAD = 4


def numbers(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numeric leaves as metrics, keys joined by `/`.

    A figure {value, low, high} goes by its own name, its bounds by `name/low` and `name/high`. True counts as 1.
    A list of at most four entries (an interval, a confusion) is spread by index; longer lists and texts are left
    out.
    """
    for name, value in leaves(values, "/", prefix):
        key = _NOT_IN_A_KEY.sub("_", name).removesuffix("/value")
        if isinstance(value, (list, tuple)) and len(value) <= _SPREAD:
            yield from ((f"{key}/{i}", float(one)) for i, one in enumerate(value) if isinstance(one, Real))
        elif isinstance(value, Real):
            yield key, float(value)
