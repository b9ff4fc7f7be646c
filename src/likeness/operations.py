"""Reads settings of operation (tracking, gate, nightly runs) from operations.yaml, beside params.yaml.

`dvc exp run` composes params.yaml again and would reset them there. They decide nothing about a result, so a
change of them re-runs no stage but `check`, which looks for mistakes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

from likeness.errors import ParamsError
from likeness.params import A, B, C, ParamsSection, load_document, sections_of

log = logging.getLogger(__name__)

OPERATIONS = "operations.yaml"
SECTIONS = ("tracking", "gate", "nightly")


@overload
def read_operations(params: Path, first: type[A], /) -> A: ...


@overload
def read_operations(params: Path, first: type[A], second: type[B], /) -> tuple[A, B]: ...


@overload
def read_operations(params: Path, first: type[A], second: type[B], third: type[C], /) -> tuple[A, B, C]: ...


def read_operations(params: Path, /, *kinds: type[ParamsSection]) -> Any:
    """Reads sections, each into its dataclass; whatever is not set has its default.

    Args:
        params: the params.yaml, which need not be there; operations.yaml is looked for beside it. Sections of
            these names in params.yaml are still read, with a warning; what operations.yaml says comes first.
        kinds: the dataclasses, which know the names of their sections.

    Returns:
        The section's object if one was asked for, else a tuple of them in the order given.

    Raises:
        ParamsError: a file is there but cannot be read, or any key is unknown, of a wrong type or out of range.
    """
    path = params.with_name(OPERATIONS)
    document = _document(path)
    if unknown := [str(name) for name in document if name not in SECTIONS]:
        raise ParamsError(f"{path}: unknown section {', '.join(unknown)}; known are {', '.join(SECTIONS)}")
    names = [kind.SECTION for kind in kinds]
    former = {name: values for name, values in _document(params).items() if name in names}
    for name in former:
        log.warning(
            "%s: section %s belongs in %s; it is still read here, but `dvc exp run` resets it: move it",
            params,
            name,
            OPERATIONS,
        )
    merged = {name: _merged(former.get(name), document.get(name)) for name in names}
    found = sections_of(merged, str(path) if not former else f"{path}, {params}", *kinds)
    return found[0] if len(found) == 1 else found


def _document(path: Path) -> Mapping[str, Any]:
    return load_document(path) if path.is_file() else {}


def _merged(former: Any, values: Any) -> Any:
    """The keys of both sections, nested ones too; those of `values` win. An empty section has no keys."""
    former, values = ({} if one is None else one for one in (former, values))
    if not (isinstance(former, Mapping) and isinstance(values, Mapping)):
        return values or former
    both = former.keys() & values.keys()
    nested = {key: _merged(former[key], values[key]) for key in both if isinstance(values[key], Mapping)}
    return {**former, **values, **nested}
