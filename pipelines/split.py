"""Stage 3, split: pairs for training, holdout and test, with no person in two of them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from likeness.data.faceset import FaceSet
from likeness.data.protocol import SplitParams, make_split
from likeness.errors import DataError, ValidationFailedError
from likeness.files import read_json
from likeness.params import read_params
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
    for name, figures in split.card["splits"].items():
        text = "%-7s %d pairs (%d same, %d different) of %d people"
        values = (figures[key] for key in ("pairs", "same", "different", "people"))
        logging.info(text, name, *values)
    confirm_parameters(params, used, wanted)


def require_valid(faces: FaceSet, validation: Path) -> None:
    """Refuses faces that failed their validation or that the record does not speak of."""
    try:
        record = read_json(validation)
        success, fingerprint = record["success"], record["source"]["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{validation}: is no record of the validate stage ({error!r}); run that first") from error
    if fingerprint != faces.source.fingerprint:
        raise DataError(f"{validation}: speaks of other faces than these; run the validate stage again")
    if not success:
        raise ValidationFailedError(
            f"{validation}: a critical expectation over these faces failed; see the docs beside it"
        )


if __name__ == "__main__":
    run(main)
