"""Writes the pages that are read off the code, before Sphinx reads its sources: commands, settings, errors."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from sphinx.application import Sphinx

from likeness import cli, errors
from likeness.params import ParamsSection, Range
from pipelines.sections import OPERATIONS, PARAMS
from tools.defaults import attributes

GENERATED = "This page is generated from the source; do not edit it.\n\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the generator to Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_pages(app: Sphinx) -> None:
    """Writes docs/reference/*.md where their text has changed, so that an unchanged page is not built again."""
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in {"cli": commands(), "configuration": settings(), "errors": error_classes()}.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# --- commands


def commands() -> str:
    """Every command with its arguments and options, from the command line program itself."""
    root = typer.main.get_command(cli.app)
    lines = ["# Commands\n", GENERATED]
    _command(root, ["likeness"], lines)
    return "\n".join(lines) + "\n"


def _command(command: Any, path: list[str], lines: list[str]) -> None:
    children = getattr(command, "commands", {})
    if len(path) > 1:
        lines += [f"## {' '.join(path)}\n", _prose(command.help or command.short_help or "") + "\n"]
        _parameters(command, path, lines)
    for name, child in children.items():
        if not child.hidden:
            _command(child, [*path, name], lines)


def _parameters(command: Any, path: list[str], lines: list[str]) -> None:
    rows = [_parameter(one) for one in command.params if not getattr(one, "hidden", False)]
    rows = [row for row in rows if "`--help`" not in row[0]]
    usage = " ".join([*path, *(one for one in map(_usage, command.params) if one)])
    lines += ["```console", f"$ {usage}", "```\n"]
    if rows:
        lines += ["| argument or option | default | meaning |", "|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows] + [""]


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return ""
    name = (parameter.metavar or parameter.name).upper()
    name += "..." if parameter.nargs == -1 and not name.endswith("...") else ""
    return name if parameter.required else f"[{name}]"


def _parameter(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "option":
        name = ", ".join(f"`{one}`" for one in [*parameter.opts, *parameter.secondary_opts])
    else:
        name = f"`{(parameter.metavar or parameter.name).upper()}`"
    default = parameter.default
    shown = "required" if parameter.required else "" if default in (None, False, (), "") else f"`{default}`"
    return name, shown, _cell(getattr(parameter, "help", None) or "")


# --- settings


SECTIONS: dict[str, tuple[str, Sequence[type[ParamsSection]]]] = {
    "params.yaml": (
        "What a training is made of. Every value can be set with `-S section.key=value` of `dvc exp run`.",
        tuple(PARAMS.values()),
    ),
    "operations.yaml": ("How the machine runs it: no experiment changes these.", OPERATIONS),
}


def settings() -> str:
    """Every key of params.yaml and operations.yaml: type, range, default and meaning, from the dataclasses."""
    lines = ["# Settings\n", GENERATED]
    written: dict[type[Any], str] = {}
    for name, (text, sections) in SECTIONS.items():
        lines += [f"## {name}\n", text + "\n"]
        for kind in sections:
            _section(kind.SECTION, kind, lines, written)
    return "\n".join(lines) + "\n"


def _section(name: str, kind: type[Any], lines: list[str], written: dict[type[Any], str]) -> None:
    written[kind] = name
    summary, meanings = attributes(kind)
    lines += [f"### {name}\n", _prose(summary) + "\n", "| key | type | default | meaning |", "|---|---|---|---|"]
    nested: list[tuple[str, type[Any]]] = []
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = [field for field in dataclasses.fields(kind) if "{name:" not in name or field.name != "name"]
    for field in fields:  # a part's own name is in its heading
        inner = _dataclass_in(hints[field.name])
        place = written.get(inner, f"{name}.{field.name}") if inner else ""
        if inner and inner not in written:
            written[inner] = place
            nested.append((place, inner))
        default = f"keys: see {place}" if inner else _default(field)
        row = (f"`{field.name}`", _type(hints[field.name]), default, _cell(meanings.get(field.name, "")))
        lines.append(f"| {' | '.join(row)} |")
    lines.append("")
    if parts := kind.__dict__.get("PARTS"):
        chosen = {f"{name}: {{name: {one}}}": parts.kind_of_params(one) for one in parts.names}
        nested += [(key, inner) for key, inner in chosen.items() if inner is not kind]
    for key, inner in nested:
        _section(key, inner, lines, written)


def _dataclass_in(hint: Any) -> type[Any] | None:
    if dataclasses.is_dataclass(hint):
        return hint if isinstance(hint, type) else None
    return next(filter(None, map(_dataclass_in, typing.get_args(hint))), None)


def _type(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return ", ".join([_type(arguments[0]), *(str(one) for one in arguments[1:] if isinstance(one, Range))])
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if one is type(None) else _type(one) for one in arguments)
    if origin is typing.Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin is tuple:
        return (
            "list of " + _type(arguments[0])
            if arguments[-1] is ...
            else f"{len(arguments)} × {_type(arguments[0])}"
        )
    if dataclasses.is_dataclass(hint) or origin is Mapping:
        return "section"
    return {int: "integer", float: "number", str: "text", bool: "true or false"}.get(hint, str(hint))


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value is dataclasses.MISSING:
        return "none, must be given"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value) if isinstance(value, tuple) else value}`"


# --- errors


def error_classes() -> str:
    """Every class of error that a user can meet, with its exit code."""
    rows = []
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.LikenessError) and kind.__module__ == errors.__name__:
            rows.append(f"| `{name}` | {kind.exit_code} | {_cell(inspect.getdoc(kind) or '')} |")
    head = "Causes and remedies: [troubleshooting](../troubleshooting.md).\n"
    return (
        "\n".join(["# Errors\n", GENERATED, head, "| class | exit code | meaning |", "|---|---|---|", *rows])
        + "\n"
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _prose(text: str) -> str:
    return re.sub(r"\n(?=\S)", " ", inspect.cleandoc(text)).replace("\b", "")
