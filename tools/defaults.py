"""Writes conf/config.yaml, from which `dvc exp run` composes params.yaml: the defaults of the dataclasses.

`make config` runs it after a default, a key or its description was changed in a dataclass.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from likeness.files import write_text
from pipelines._stage import run
from pipelines.sections import PARAMS

HEADER = """\
# Written by `make config` from the dataclasses that read these sections; do not edit it.
# What `dvc exp run -S data=… -S recipe=…` composes params.yaml from: these values, then the data group, then the
# recipe group. Every key that a stage reads is listed here with its default, so each can be overridden with -S;
# those of a loss are in the recipe that names it.
defaults:
  - _self_
  - data: synthetic
  - recipe: small
"""
_WIDTH = 115


def main(out: Annotated[Path, typer.Option(help="The file.")] = Path("conf") / "config.yaml") -> None:
    """Writes the file."""
    write_text(out, config())


def config() -> str:
    """The text of conf/config.yaml."""
    sections = ("\n".join([f"\n{name}:", *_lines(kind, "  ")]) for name, kind in PARAMS.items())
    return HEADER + "\n".join(sections) + "\n"


def attributes(kind: type[Any]) -> tuple[str, dict[str, str]]:
    """The summary of a dataclass's docstring, and the meaning of each name under "Attributes:"."""
    head, _, rest = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    above = kind.__mro__[1]
    meanings: dict[str, str] = attributes(above)[1] if dataclasses.is_dataclass(above) else {}
    name = ""
    for line in rest.splitlines():
        if found := re.match(r" {4}(\w+): (.*)", line):
            name, meanings[found[1]] = found[1], found[2]
        elif name and line.startswith("        "):
            meanings[name] += " " + line.strip()
        elif line.strip():
            break
    return head.strip(), meanings


def _lines(kind: type[Any], indent: str) -> Iterator[str]:
    """The keys of a section that have a default; what has none is set by a group."""
    _, meanings = attributes(kind)
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if default is dataclasses.MISSING:
            continue
        if text := meanings.get(field.name):
            yield from textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
        if hasattr(default, "PARTS"):  # the others read other keys: a recipe lists those of its own choice
            yield f"{indent}{field.name}:"
            yield f"{indent}  # one of {', '.join(default.PARTS.names)}"
            yield f"{indent}  name: {default.name}"
        elif dataclasses.is_dataclass(hints[field.name]):
            yield f"{indent}{field.name}:"
            yield from _lines(type(default), indent + "  ")
        else:
            yield f"{indent}{field.name}: {_yaml(default)}"


def _yaml(value: Any) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return (
        yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=1000)
        .removesuffix("...\n")
        .strip()
    )


if __name__ == "__main__":
    run(main)
