"""Stage 3, split: pairs for training, holdout and test, with no person in two of them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from likeness.data.faceset import FaceSet
from likeness.data.protocol import SplitParams, make_split
from likeness.params import read_params
from likeness.validation.record import require_valid
from pipelines._stage import UsedOption, confirm_parameters, run


def main(
    faces: Annotated[Path, typer.Option(help="Folder of the ingest stage.")],
    out: Annotated[Path, typer.Option(help="Folder for the pair tables and the split card.")],
    params: Annotated[Path, typer.Option(help="The params.yaml.")],
    validation: Annotated[Path | None, typer.Option(help="Record of the validate stage, if it must hold.")] = None,
    used: UsedOption = None,
) -> None:
    """Divides the faces by the official lists, or draws pairs where there are none."""
    wanted = read_params(params, SplitParams)
    face_set = FaceSet.open(faces)
    if validation is not None:
        require_valid(face_set, validation)
    split = make_split(face_set, wanted)
    split.write(out)
    for name, figures in split.card.splits.items():
        text = "%-7s %d pairs (%d same, %d different) of %d people"
        logging.info(text, name, figures.pairs, figures.same, figures.different, figures.people)
    confirm_parameters(params, used, wanted)


if __name__ == "__main__":
    run(main)
