"""Stage 0, source: a digest of what the mirror holds, by which DVC sees when to ingest again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from likeness.artifacts.source_state import SOURCE_STATE
from likeness.data.source_state import source_state
from likeness.data.sources import DataParams
from likeness.params import read_params
from pipelines._stage import confirm_parameters, run


def main(
    params: Annotated[Path, typer.Option(help="The params.yaml.")],
    out: Annotated[Path, typer.Option(help="File for the state of the source.")],
) -> None:
    """Lists the mirror; reads no photograph and downloads nothing."""
    data = read_params(params, DataParams)
    SOURCE_STATE.write(out, source_state(data, os.environ, out))
    confirm_parameters(params, None, data)


if __name__ == "__main__":
    run(main)
