"""Prints docs/licences.md: what each locked package says of its licence, held to the allow list of pyproject.toml.

    python -m tools.licences > docs/licences.md

The allow list is `tool.likeness.licences` of pyproject.toml: SPDX names, and the names that older metadata use. A
package whose licence is not in it needs an entry with its reason under `tool.likeness.licences.exceptions`.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from boolean import AND, OR, Expression, Symbol
from license_expression import get_spdx_licensing

from tools.lock import MAIN, read_blocks, version_of

_LONGEST = 80  # characters of a `License` field that is a name and not the licence's text
_TITLE = """# Licences of the locked packages

Written by `make licences` from the metadata of the packages in requirements.lock, apart from those for other
systems; `tests/tools/test_licences.py` holds them to the allow list in pyproject.toml. None of them is
distributed with Likeness: pip fetches them. The CUDA libraries of requirements-cuda.lock, which are installed only
where torch is built for GPUs, are under NVIDIA's own licences, Triton under MIT.

| package | version | licence, as its metadata state it | |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Policy:
    """Licences that are allowed, and packages that are excepted with the reason."""

    allow: frozenset[str]
    exceptions: Mapping[str, str]


def read_policy(project: Path = Path("pyproject.toml")) -> Policy:
    """The policy of pyproject.toml."""
    section = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["likeness"]["licences"]
    return Policy(frozenset(section["allow"]), section["exceptions"])


def stated_licence(package: str) -> str:
    """What the metadata of an installed package say: SPDX expression, else classifiers, else a short `License`.

    Raises:
        PackageNotFoundError: it is not installed, for instance because it is for another system.
    """
    fields: dict[str, Any] = metadata(package).json
    if expression := fields.get("license_expression"):
        return str(expression)
    classifiers = [row.split(" :: ") for row in fields.get("classifier", ())]
    if named := [row[-1] for row in classifiers if row[0] == "License" and row[-1] != "OSI Approved"]:
        return "; ".join(named)
    text = str(fields.get("license", "")).strip()
    return text if len(text) <= _LONGEST else ""


def is_allowed(statement: str, allow: Collection[str]) -> bool:
    """Whether every licence of a statement is allowed; of alternatives (OR), one.

    Args:
        statement: an SPDX expression, or names separated by semicolons.
        allow: allowed names.
    """
    names = statement.split("; ")
    if all(name in allow for name in names):
        return True
    if len(names) > 1:
        return False
    try:
        return _evaluate(get_spdx_licensing().parse(statement), allow)
    except Exception:  # its parser raises several kinds; what it cannot read is not allowed
        return False


def _evaluate(expression: Expression, allow: Collection[str]) -> bool:
    if isinstance(expression, Symbol):
        return str(expression) in allow
    combine: dict[type, Callable[[Iterator[bool]], bool]] = {AND: all, OR: any}
    rules = (rule for kind, rule in combine.items() if isinstance(expression, kind))
    return next(rules)(_evaluate(part, allow) for part in expression.args)


def list_licences() -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of every package of requirements.lock that is installed here."""
    for name, block in read_blocks(MAIN.read_text(encoding="utf-8")).items():
        try:
            yield name, version_of(block), stated_licence(name)
        except PackageNotFoundError:
            continue


def main() -> None:
    """Prints the page."""
    policy = read_policy()
    rows = [
        f"| {name} | {version} | {licence or 'not stated'} | {policy.exceptions.get(name, '')} |\n"
        for name, version, licence in list_licences()
    ]
    sys.stdout.write(_TITLE + "".join(rows))


if __name__ == "__main__":
    main()
