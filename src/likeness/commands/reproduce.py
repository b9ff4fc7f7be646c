"""`likeness reproduce`: a registered version, made again."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from likeness.commands.common import Exit, JsonOption, emit, print_notice
from likeness.extras import needing


def reproduce(
    uri: Annotated[str, typer.Argument(metavar="MODEL", help="models:/likeness/3 or models:/likeness@champion.")],
    keep: Annotated[bool, typer.Option("--keep", help="Leave the worktree, in which the stages ran.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a registered version again, from its commit, parameters and data; exit code 1 if weights differ."""
    with needing("pipeline"):
        from likeness.experiments.reproduce import reproduce as rebuild

    done = rebuild(Path.cwd(), uri, print_notice, keep=keep)
    if as_json:
        emit(dataclasses.asdict(done) | {"equal": done.equal})
    else:
        typer.echo(f"data    {done.data}  equal")
        typer.echo(f"weights {done.found}  {'equal' if done.equal else f'expected {done.expected}'}")
        for line in done.differences:
            typer.echo(f"  {line}")
    raise typer.Exit(Exit.YES if done.equal else Exit.NO)
