"""Reads YAML that people write: in bounded time, and with a sentence where it cannot.

PyYAML alone recurses without bound, raises errors of Python for dates and numbers that are none, and lets a few
lines of aliases describe billions of values, which whoever walks through them then meets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from likeness.errors import ParamsError

_MAX_BYTES = 1 << 20
_MAX_DEPTH = 50
_MAX_VALUES = 100_000


def read_yaml(path: Path) -> Any:
    """The value that a YAML file holds, in UTF-8; None where it holds comments alone.

    Raises:
        ParamsError: it cannot be read, or is no YAML within the bounds of `parse_yaml`.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except OSError as error:
        raise ParamsError(f"{path}: cannot be read ({error.strerror}); run from the project's root") from error
    if content is None:
        raise ParamsError(f"{path}: is longer than {_MAX_BYTES >> 20} MB, so it is no file of parameters")
    try:
        return parse_yaml(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path}: is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from error


def parse_yaml(text: str, origin: str) -> Any:
    """The value of a YAML text; `origin` names it in a message.

    Raises:
        ParamsError: it is no YAML, is nested deeper than 50 levels, or holds more than 100 000 values, those
            that aliases repeat counted each time.
    """
    try:
        return yaml.load(text, _Loader)  # a safe loader
    except yaml.YAMLError as error:
        raise ParamsError(f"{origin}: is not valid YAML: {error}") from error
    except (ValueError, OverflowError, TypeError, AttributeError, KeyError) as error:
        # of PyYAML's constructors: a day that does not exist, a number of thousands of digits, an odd tag
        raise ParamsError(f"{origin}: holds a value that YAML cannot read: {error}") from error


class _Loader(yaml.SafeLoader):
    """Counts depth and values while the text is parsed, before any value is made."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {_MAX_DEPTH} levels", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        if node is not None and _count(node, {}) > _MAX_VALUES:
            raise yaml.YAMLError(f"more than {_MAX_VALUES} values, with those that its aliases repeat")
        return node


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for."""
    if id(node) not in known:
        known[id(node)] = _MAX_VALUES + 1  # for an alias of a node within itself, which stands for endless ones
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        inner = [one for part in parts for one in (part if isinstance(part, tuple) else (part,))]
        known[id(node)] = 1 + sum(_count(one, known) for one in inner)
    return known[id(node)]
