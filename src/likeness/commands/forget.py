"""`likeness forget`: a person is to be removed from the project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from likeness.commands.common import GALLERY, Exit, GalleryOption


def forget(
    name: Annotated[str, typer.Argument(help="As the person's folder or the gallery spells it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it nothing is changed.")] = False,
    gallery: GalleryOption = GALLERY,
) -> None:
    """Remove a person's collected photographs and gallery entry; list what else holds them, and what to run.

    Exit code: 0 nothing of the person is left here, 1 something is, 2 something went wrong.
    """
    from likeness.maintenance import forget as person
    from likeness.maintenance.traces import Project, find_traces

    project = Project(Path.cwd(), gallery)
    traces = find_traces(project, name)
    if yes and traces.removable:
        person.remove_person(project, name, traces)
    _section("removed" if yes else "would be removed (say --yes)", person.found_lines(project, traces))
    _section("still here", person.remaining_lines(traces))
    _section("may hold this person", person.unknown_lines(traces))
    _section("to do, in this order", person.steps(name, traces))
    left = traces.remaining or (traces.removable and not yes)
    if not (traces.removable or traces.remaining):
        typer.echo(f"nothing of {name} was found")
    raise typer.Exit(Exit.NO if left else Exit.YES)


def _section(title: str, lines: list[str]) -> None:
    if lines:
        typer.echo(f"{title}:")
        for line in lines:
            typer.echo(f"  {line}")
