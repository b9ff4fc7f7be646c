"""Reads sections of params.yaml into frozen dataclasses, and reports every mistake at once.

A section's dataclass lives beside the component that it configures; this module knows none of them. Types
understood: bool, int, float, str, Literal, X | None, tuple[X, ...], tuple[X, Y], Mapping[str, X], Any, and nested
dataclasses, each bounded by `Annotated[X, Range(low, high)]` where a range is meant. Where former versions wrote
other keys, the dataclass has a static method `upgraded`, from their values to those of now.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeVar, Union, overload

from likeness.errors import ParamsError
from likeness.parts import Parts
from likeness.yaml_file import read_yaml

T = TypeVar("T")


class ParamsSection(Protocol):
    """A dataclass that reads one section of a file, and the section's name."""

    SECTION: ClassVar[str]


A = TypeVar("A", bound=ParamsSection)
B = TypeVar("B", bound=ParamsSection)
C = TypeVar("C", bound=ParamsSection)
_SHOWN = 200  # characters of a wrong value in a message
REST: Mapping[str, bool] = types.MappingProxyType({"rest": True})
"""Metadata of a dataclass's field, a mapping, that takes the keys which no other field has."""


@dataclass(frozen=True)
class UnreadParams:
    """A part's name, and its parameters as a file holds them, for readers that do not load the part's class."""

    name: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict, metadata=REST)


NULL_IS_NAN = "null_is_nan"
"""Key of the metadata of a float field that is NaN where the file has null, as JSON holds no NaN."""


@dataclass(frozen=True)
class Range:
    """Closed bounds of a number; `above` and `below` are the open ones. None means unbounded."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return not (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )

    def __str__(self) -> str:
        bounds = [(">=", self.low), (">", self.above), ("<=", self.high), ("<", self.below)]
        return " and ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


class _Mistakes:
    """The mistakes found so far, each with the key it concerns."""

    def __init__(self, origin: str, load_parts: bool = True) -> None:
        self.origin, self.load_parts = origin, load_parts
        self.lines: list[str] = []

    def add(self, key: str, text: str) -> None:
        self.lines.append(f"  {key}: {text}")

    def raise_if_any(self, consequence: str = ", nothing was started") -> None:
        if self.lines:
            count = f"{len(self.lines)} mistake{'s' if len(self.lines) > 1 else ''}"
            raise ParamsError(f"{self.origin}: {count}{consequence}\n" + "\n".join(self.lines))


@overload
def read_params(path: Path, first: type[A], /) -> A: ...


@overload
def read_params(path: Path, first: type[A], second: type[B], /) -> tuple[A, B]: ...


@overload
def read_params(path: Path, first: type[A], second: type[B], third: type[C], /) -> tuple[A, B, C]: ...


def read_params(path: Path, /, *kinds: type[ParamsSection]) -> Any:
    """Reads sections of a YAML file, each into its dataclass.

    Args:
        path: the params.yaml.
        kinds: the dataclasses, which know the names of their sections.

    Returns:
        The section's object if one was asked for, else a tuple of them in the order given.

    Raises:
        ParamsError: the file cannot be read, or any key is unknown, missing, of a wrong type or out of
            range; the message lists all of them.
    """
    found = sections_of(load_document(path), str(path), *kinds)
    return found[0] if len(found) == 1 else found


def sections_of(document: Mapping[str, Any], origin: str, /, *kinds: type[ParamsSection]) -> tuple[Any, ...]:
    """As `read_params`, of a document that was read already; `origin` names its file in a message."""
    mistakes = _Mistakes(origin)
    built = tuple(_read_section(document, kind.SECTION, kind, mistakes) for kind in kinds)
    mistakes.raise_if_any()
    return built


def section_of(document: Mapping[str, Any], origin: str, name: str, kind: type[T]) -> T:
    """One section by a name that its dataclass does not decide, such as a plan among others of its kind."""
    mistakes = _Mistakes(origin)
    built = _read_section(document, name, kind, mistakes)
    mistakes.raise_if_any()
    return typing.cast(T, built)


def from_mapping(kind: type[T], values: Mapping[str, Any], origin: str, *, load_parts: bool = True) -> T:
    """Builds one dataclass from a plain mapping.

    Args:
        kind: the dataclass.
        values: by key, as read from a file; anything else that the file may have held is refused.
        origin: names the file in a message.
        load_parts: read the parameters of parts strictly, which imports their classes; otherwise each part becomes
            an `UnreadParams`.

    Raises:
        ParamsError: any key is unknown, missing, of a wrong type or out of range; the message lists all of them.
    """
    if not isinstance(values, Mapping):
        raise ParamsError(f"{origin}: expected a table of keys and values, found {type(values).__name__}")
    mistakes = _Mistakes(origin, load_parts)
    built = _read_dataclass(kind, values, "", mistakes)
    mistakes.raise_if_any("")
    return typing.cast(T, built)


def keys_of(kind: type[Any], prefix: str) -> list[str]:
    """Dotted names of every leaf key that a section's dataclass reads, such as `train.augment.mirror`."""
    names: list[str] = []
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        inner = hints[field.name]
        name = f"{prefix}.{field.name}"
        names += keys_of(inner, name) if isinstance(inner, type) and dataclasses.is_dataclass(inner) else [name]
    return names


def leaves(values: Mapping[str, Any], joint: str = ".", prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings with their keys joined by `joint`; a list is a leaf, an empty mapping too."""
    for key, value in values.items():
        name = f"{prefix}{joint}{key}" if prefix else str(key)
        if isinstance(value, Mapping) and value:
            yield from leaves(value, joint, name)
        else:
            yield name, value


def load_document(path: Path) -> Mapping[str, Any]:
    """The sections of a YAML file; none where it holds comments alone.

    Raises:
        ParamsError: it cannot be read, or holds something else.
    """
    document = read_yaml(path)
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise ParamsError(f"{path}: expected sections with keys, found {type(document).__name__}")
    return document


def _read_section(document: Mapping[str, Any], name: str, kind: type[Any], mistakes: _Mistakes) -> Any:
    values = document.get(name)
    if not isinstance(values, Mapping):
        found = "nothing" if values is None else type(values).__name__
        mistakes.add(name, f"expected a section with keys, found {found}")
        return None
    return _read_dataclass(kind, values, name, mistakes)


def _read_dataclass(kind: type[Any], values: Mapping[str, Any], prefix: str, mistakes: _Mistakes) -> Any:
    if "upgraded" in kind.__dict__:  # the keys of former versions
        values = kind.upgraded(values)
    parts: Parts[Any] | None = kind.__dict__.get("PARTS")
    if parts is not None and not mistakes.load_parts:
        kind, parts = UnreadParams, None
    if parts is not None:
        values = parts.without_nulls(values)
        try:
            kind = parts.kind_of_params(str(values.get("name", kind.name)))
        except ValueError as error:
            mistakes.add(_join(prefix, "name"), str(error))
            return None
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    rest = next((field.name for field in fields.values() if field.metadata == REST), None)
    if rest is not None:
        known = {key: value for key, value in values.items() if key in fields and key != rest}
        values = {**known, rest: {key: value for key, value in values.items() if key not in known}}
    before = len(mistakes.lines)
    for key in values:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(fields)}"
            reader = "unknown key" if parts is None else f"not read by {values.get('name', kind.name)}"
            mistakes.add(_join(prefix, str(key)), f"{reader}, {hint}")
    built: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values and values[name] is None and NULL_IS_NAN in field.metadata:
            built[name] = math.nan
        elif name in values:
            built[name] = _read_value(hints[name], values[name], _join(prefix, name), mistakes)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            mistakes.add(_join(prefix, name), f"missing, expected {_describe(hints[name])}")
    if len(mistakes.lines) > before:
        return None
    try:
        return kind(**built)
    except ValueError as error:  # a rule over several keys, stated in __post_init__
        mistakes.add(prefix or kind.__name__, str(error))
        return None


def _read_value(hint: Any, value: Any, key: str, mistakes: _Mistakes, bounds: str = "") -> Any:
    """A value of the type `hint`; `bounds` says in a message what else is expected of it."""
    origin = typing.get_origin(hint)
    if origin is Annotated:
        inner, *notes = typing.get_args(hint)
        return _read_ranged(inner, [n for n in notes if isinstance(n, Range)], value, key, mistakes)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _read_optional(hint, value, key, mistakes, bounds)
    if origin is Literal:
        if any(type(value) is type(choice) and value == choice for choice in typing.get_args(hint)):
            return value
    elif origin is tuple:
        return _read_tuple(hint, value, key, mistakes, bounds)
    elif origin in (dict, Mapping):
        if isinstance(value, Mapping):
            _, inner = typing.get_args(hint)
            return {
                name: _read_value(inner, item, _join(key, str(name)), mistakes) for name, item in value.items()
            }
    elif dataclasses.is_dataclass(hint):
        if isinstance(value, str) and "PARTS" in hint.__dict__:
            value = {"name": value}
        if isinstance(value, Mapping):
            return _read_dataclass(typing.cast(type[Any], hint), value, key, mistakes)
    elif hint is bool or isinstance(value, bool):
        if hint is bool and isinstance(value, bool):
            return value
    elif hint is float and isinstance(value, (int, float, str)):
        number = _as_float(value)
        if number is not None:
            return number
    elif isinstance(value, hint):
        return value
    mistakes.add(key, f"expected {_describe(hint)}{bounds}, found {_shown(value)}")
    return None


def _as_float(value: int | float | str) -> float | None:
    """A finite float; text is accepted because YAML 1.1 reads `5e-5` as a string."""
    try:
        number = float(value)
    except (ValueError, OverflowError):  # a text that is no number; a whole number beyond every float
        return None
    return number if math.isfinite(number) else None


def _read_ranged(hint: Any, ranges: list[Range], value: Any, key: str, mistakes: _Mistakes) -> Any:
    before = len(mistakes.lines)
    read = _read_value(hint, value, key, mistakes, "".join(f" {bounds}" for bounds in ranges))
    if len(mistakes.lines) == before:
        for bounds in ranges:
            numbers = read if isinstance(read, tuple) else (read,)
            if any(number is not None and number not in bounds for number in numbers):
                mistakes.add(key, f"expected {_describe(hint)} {bounds}, found {_shown(value)}")
    return read


def _read_optional(hint: Any, value: Any, key: str, mistakes: _Mistakes, bounds: str) -> Any:
    inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    if value is None and len(inner) < len(typing.get_args(hint)):
        return None
    if len(inner) != 1:
        raise TypeError(f"{key}: only X | None is understood, not {hint}")
    return _read_value(inner[0], value, key, mistakes, bounds)


def _read_tuple(hint: Any, value: Any, key: str, mistakes: _Mistakes, bounds: str) -> Any:
    args = typing.get_args(hint)
    if not isinstance(value, (list, tuple)):
        mistakes.add(key, f"expected {_describe(hint)}{bounds}, found {_shown(value)}")
        return None
    if args[-1] is Ellipsis:
        args = (args[0],) * len(value)
    if len(args) != len(value):
        mistakes.add(key, f"expected {len(args)} values, found {len(value)}")
        return None
    return tuple(
        _read_value(arg, item, f"{key}[{i}]", mistakes, bounds)
        for i, (arg, item) in enumerate(zip(args, value, strict=True))
    )


def _shown(value: Any) -> str:
    """A value as a message shows it."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of thousands of digits
        return "a whole number of thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _describe(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        inner, *notes = typing.get_args(hint)
        return " ".join([_describe(inner), *(str(note) for note in notes if isinstance(note, Range))])
    if origin is Literal:
        return "one of " + ", ".join(str(choice) for choice in typing.get_args(hint))
    if origin in (Union, types.UnionType):
        return " or ".join("null" if arg is type(None) else _describe(arg) for arg in typing.get_args(hint))
    if origin is tuple:
        return "a list of " + ", ".join(_describe(a) for a in typing.get_args(hint) if a is not Ellipsis)
    if origin in (dict, Mapping):
        return f"keys, each with {_describe(typing.get_args(hint)[1])}"
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return names.get(hint, "a section with keys" if dataclasses.is_dataclass(hint) else str(hint))
