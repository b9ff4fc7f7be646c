"""`make lfw`, `make folder`: one DVC experiment on faces and with a recipe that are named.

It runs `dvc exp run -S data=… -S recipe=… -S data.mirror='…'`, so that no shell has to quote a path for Hydra.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from pipelines._stage import run
from pipelines.source import FolderOption, SourceOption, set_options, source_overrides


def main(
    recipe: Annotated[str, typer.Option(help="A file of conf/recipe.")],
    source: SourceOption = None,
    mirror: FolderOption = None,
    more: Annotated[list[str] | None, typer.Option("--set", "-S", help="Further Hydra overrides.")] = None,
    stages: Annotated[list[str] | None, typer.Argument(help="Stages up to which it runs; default: all.")] = None,
) -> None:
    """Runs one experiment in the workspace; the exit code is DVC's."""
    overrides = [*source_overrides(source, mirror), f"recipe={recipe}", *(more or [])]
    command = [sys.executable, "-m", "dvc", "exp", "run", *set_options(overrides), *(stages or [])]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    run(main)
