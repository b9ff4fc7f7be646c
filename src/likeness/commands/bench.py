"""`likeness bench`: how fast decisions and searches are on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.commands.common import JsonOption, emit, print_notice
from likeness.data.cores import available_cores
from likeness.extras import needing

if TYPE_CHECKING:
    from rich.console import Console

    from likeness.serving.bench_search import SearchFigures
    from likeness.serving.bench_towers import TowerFigures

_WIDTH = 112  # where the output is no terminal


def bench(
    models: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of trained models to be timed besides.", show_default=False),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Seconds instead of minutes: no gallery of a million.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Milliseconds of a decision and of a search on one core, with recall and the floor that memory sets.

    S1 and the mobile network are timed with random weights, on which speed does not depend.
    """
    from rich.console import Console

    with needing("train"):
        from likeness.serving.bench_search import PEOPLE, bench_search
        from likeness.serving.bench_towers import bench_towers

    print_notice(f"load of this machine before: {os.getloadavg()[0]:.1f} on {available_cores()} cores")
    towers = bench_towers(
        {folder.resolve().name: folder for folder in models or []}, seconds=0.5 if quick else 2.0
    )
    searches = bench_search(PEOPLE[:2] if quick else PEOPLE)
    if as_json:
        emit(
            {
                "towers": [asdict(figures) for figures in towers],
                "search": [asdict(figures) for figures in searches],
            }
        )
    else:
        console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
        print_towers(console, towers)
        print_searches(console, searches)


def print_towers(console: Console, figures: Sequence[TowerFigures]) -> None:
    """One row a tower and runtime."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        title="One embedding, one decision (one core); batches of 64 (all cores)",
        title_justify="left",
    )
    for column in ("network", "runtime"):
        table.add_column(column)
    for column in ("M params", "embedding ms", "p99 ms", "decision ms", "embeddings/s", "off by"):
        table.add_column(column, justify="right")
    for row in figures:
        table.add_row(
            row.name,
            row.runtime,
            f"{row.parameters:.2f}",
            f"{row.embedding_ms:.2f}",
            f"{row.embedding_p99_ms:.2f}",
            f"{row.decision_ms:.2f}",
            f"{row.per_second:.0f}",
            "" if row.difference is None else f"{row.difference:.1e}",
        )
    console.print(table)


def print_searches(console: Console, figures: Sequence[SearchFigures]) -> None:
    """One row a gallery."""
    from rich import box
    from rich.table import Table

    title = f"Identification among N people, {figures[0].dim} dimensions (one core, embedding not counted)"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("people", justify="right")
    table.add_column("search")
    for column in ("p50 ms", "p99 ms", "memory floor ms", "recall@1 enrolled", "not enrolled", "build s"):
        table.add_column(column, justify="right")
    for row in figures:
        table.add_row(
            f"{row.people:,}",
            row.kind,
            f"{row.p50_ms:.2f}",
            f"{row.p99_ms:.2f}",
            f"{row.floor_ms:.2f}",
            f"{row.recall_enrolled:.3f}",
            f"{row.recall_unknown:.3f}",
            f"{row.build_seconds:.1f}",
        )
    console.print(table)
