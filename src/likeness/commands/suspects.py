"""`likeness suspects`: photographs in a folder a person that look like somebody else's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from likeness.commands.common import AlignedOption, Exit, ModelOption, load_verifier, print_notice


def suspects(
    folder: Annotated[Path, typer.Argument(help="A folder that holds a folder of photographs for each person.")],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The page; the CSV file of all suspicions is written beside it.")
    ] = Path("suspects.html"),
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many suspicions the page shows.")] = 50,
    model: ModelOption = None,
    aligned: AlignedOption = False,
) -> None:
    """Rank photographs that look like somebody else's: wrong folder, two people in one, one person in two.

    Writes a page to look through and a CSV file. Nothing is moved or deleted.

    Exit code: 0 nothing is suspicious, 1 something is, 2 something went wrong.
    """
    from likeness.serving.labelled_folder import inspect_folder, write_suspects_page, write_suspects_table

    verifier = load_verifier(model)
    found = inspect_folder(verifier, folder, aligned=aligned, shown="embedding")
    table = out.with_suffix(".csv")
    write_suspects_table(table, found)
    write_suspects_page(out, found, verifier, top, aligned)
    kinds = Counter(each.kind for each in found.suspicions)
    for kind, count in kinds.most_common():
        typer.echo(f"{kind}: {count}")
    typer.echo(f"{len(found.paths)} photographs of {len(set(found.people))} people, {len(found.failed)} not used")
    print_notice(f"{out}: the {min(top, len(found.suspicions))} most suspicious; {table}: all of them")
    raise typer.Exit(Exit.NO if found.suspicions else Exit.YES)
