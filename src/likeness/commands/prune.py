"""`likeness prune`: frees what a project no longer needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from likeness.commands.common import print_notice


def prune(
    days: Annotated[float, typer.Option(min=0, help="Keep everything that is younger than so many days.")] = 90,
    runs: Annotated[int, typer.Option(min=0, help="Keep the newest runs of each experiment, however old.")] = 20,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINGERPRINT",
            help="Only the runs and versions that were trained on this data set, whatever their age.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it nothing is changed.")] = False,
) -> None:
    """Free space: old runs and versions, experiments, cached outputs, records, logs, the scheduler's database.

    Champion, challenger, the version that `likeness rollback` would take, the journal, and what a branch, a tag or
    a file of the project names stay.
    """
    from likeness.maintenance.prune import Keep, plan, space
    from likeness.maintenance.pruned_runs import data_steps

    root = Path.cwd()
    steps = list(data_steps(root, data)) if data else plan(root, Keep(days, runs))
    if not steps:
        typer.echo("nothing to remove")
        return
    typer.echo("removed:" if yes else "would be removed (say --yes):")
    before = space(root)
    for step in steps:
        if yes:
            step.remove()
        typer.echo(f"  {step.what}" + ("" if step.bytes is None else f" ({step.bytes / 1e6:.1f} MB)"))
    if yes:
        print_notice(f"freed {max(before - space(root), 0) / 1e6:.1f} MB")
