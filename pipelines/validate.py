"""Stage 2, validate: what must hold for the faces and their lists before anything is built on them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from likeness.params import read_params
from likeness.validation.params import ValidationParams
from pipelines._stage import UsedOption, confirm_parameters, run


def main(
    faces: Annotated[Path, typer.Option(help="Folder of the ingest stage.")],
    out: Annotated[Path, typer.Option(help="Folder for validation.json and the Data Docs.")],
    params: Annotated[Path, typer.Option(help="The params.yaml.")],
    used: UsedOption = None,
) -> None:
    """Holds the faces to all expectations; stops the pipeline if a critical one fails."""
    bounds = read_params(params, ValidationParams)
    logging.info("loading Great Expectations")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it logs what its own parts are as it loads
    from likeness.artifacts.validation_record import ValidationSummary
    from likeness.data.faceset import FaceSet
    from likeness.validation.findings import failed, text_table
    from likeness.validation.validate import validate

    logging.info("holding the faces to the expectations")
    findings = validate(FaceSet.open(faces), bounds, out)
    counts = ValidationSummary.of(findings)
    logging.info("%d of %d expectations hold, no critical one fails", counts.held, counts.expectations)
    if warnings := failed(findings, "warning"):
        logging.info("warnings, shown in %s:\n%s", out / "docs" / "index.html", text_table(warnings))
    confirm_parameters(params, used, bounds)


if __name__ == "__main__":
    run(main)
