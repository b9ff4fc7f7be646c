"""Names of the versions before, which are still read until version 1.0; docs/api.md lists them."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_RENAMED = {
    r"(?<=\bacquisition\.)far$": "false_acceptance_rate",
    r"(?<=\bacquisition\.)frr$": "false_rejection_rate",
    r"(?<=\bidentification\.)far$": "fpir",
    r"\b(true|false)_accepts$": r"\1_matches",
    r"\b(true|false)_rejects$": r"\1_non_matches",
    r"\bopen_set_at_far_(?=[^.]*$)": "tpir_at_fpir_",
    r"\btar_at_far_(?=[^.]*$)": "tmr_at_fmr_",
    r"\bfar(?=$|_table$|_\d[^.]*$)": "fmr",
    r"\btar(?=$|_fall$)": "tmr",
}
"""By what a dotted key ends in; the keys of cards, metrics, tables and parameters of release 0.1."""


def current_name(key: str) -> str:
    """The name of now of a dotted key, such as evaluate.fmr for evaluate.far."""
    for former, name in _RENAMED.items():
        key = re.sub(former, name, key)
    return key


def current_names(values: Mapping[str, Any], prefix: str = "") -> Mapping[str, Any]:
    """A file's nested values under the names of now; where a key of both names is there, the former one stays."""
    renamed: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{prefix}.{key}"
        name = current_name(path).removeprefix(f"{prefix}.") if isinstance(key, str) else key
        renamed[key if name in values else name] = _current_value(value, path)
    return renamed


def _current_value(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return current_names(value, path)
    if isinstance(value, list):  # of tables, or of names
        return [current_name(item) if isinstance(item, str) else _current_value(item, path) for item in value]
    return value


def reads_former(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function whose keyword arguments had other names: `@reads_former(far="fmr")`."""

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            for former in names.keys() & kwargs.keys():
                if names[former] in kwargs:
                    raise TypeError(f"{function.__name__}: expected {names[former]} alone, found {former} too")
                _warn(former, names[former])
                kwargs[names[former]] = kwargs.pop(former)
            return function(*args, **kwargs)

        return called

    return decorated


def former_attribute(former: str, name: str) -> Any:
    """The attribute `name` of a class under its former name."""

    def read(owner: Any) -> Any:
        _warn(former, name)
        return getattr(owner, name)

    return property(read, doc=f"Deprecated: use `{name}`.")


def _warn(former: str, name: str) -> None:
    warnings.warn(f"{former} goes in version 1.0; use {name}", DeprecationWarning, stacklevel=3)
