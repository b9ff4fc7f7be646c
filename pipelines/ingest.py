"""Stage 1, ingest: the images of a source become one packed pixel store and a manifest."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from likeness.data.collected import Collected
from likeness.data.drawn_faces import write_drawn_faces
from likeness.data.ingest import ingest
from likeness.data.source_location import drawn, locate
from likeness.data.sources import DataParams, SyntheticParams
from likeness.files import write_json
from likeness.params import read_params
from pipelines._stage import UsedOption, confirm_parameters, run


def main(
    params: Annotated[Path, typer.Option(help="The params.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder for the pixel store, the manifest and the lists.")],
    downloads: Annotated[Path, typer.Option(help="Folder for what is downloaded or drawn, kept between runs.")],
    timings: Annotated[Path, typer.Option(help="File for speed and counts, which differ from run to run.")],
    collected: Annotated[Path | None, typer.Option(help="Note of the photographs that arrived since.")] = None,
    used: UsedOption = None,
) -> None:
    """Fetches or draws the faces and packs them."""
    data, synthetic = read_params(params, DataParams, SyntheticParams)
    if data.source == "synthetic":
        logging.info("drawing the faces of %d people", synthetic.people)
        located = drawn(write_drawn_faces(synthetic, downloads / "synthetic"))
    else:
        located = locate(data, downloads, os.environ)
    done = ingest(located, data, out, collected=Collected.read(collected) if collected else None)
    write_json(timings, done.figures())
    confirm_parameters(params, used, data, synthetic)


if __name__ == "__main__":
    run(main)
