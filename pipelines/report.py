"""Stage 6, report: one page about the whole run, and its Markdown version, from the other stages' files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from likeness.operations import read_operations
from likeness.params import read_params
from likeness.reporting.params import ReportParams
from likeness.tracking.mlflow_store import TrackingParams
from pipelines._stage import confirm_parameters, run


def main(
    params: Annotated[Path, typer.Option(help="The params.yaml.")],
    faces: Annotated[Path, typer.Option(help="Folder of the ingest stage.")],
    splits: Annotated[Path, typer.Option(help="Folder of the split stage.")],
    model: Annotated[Path, typer.Option(help="Folder of the trained model.")],
    validation: Annotated[Path, typer.Option(help="The validation.json.")],
    train: Annotated[Path, typer.Option(help="Folder with the training's tables.")],
    evaluation: Annotated[Path, typer.Option(help="Folder with the evaluation's figures.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.md and figures/.")],
    used: Annotated[
        Path | None,
        typer.Option(help="Folder of the parameters that the stages noted; default: params.yaml."),
    ] = None,
    sweep: Annotated[Path | None, typer.Option(help="Table of a parameter sweep, if there was one.")] = None,
    recipes: Annotated[Path | None, typer.Option(help="Table of `make results`, if it was run.")] = None,
) -> None:
    """Writes the report, and copies it to the run of its training where tracking allows."""
    wanted = read_params(params, ReportParams)
    logging.info("loading Altair, which draws the charts")
    from likeness.artifacts.run_note import RUN_NOTE
    from likeness.reporting.artefacts import Places
    from likeness.reporting.page import write_report
    from likeness.tracking.runs import log_report

    tracking = read_operations(params, TrackingParams)
    places = Places(used or params, faces, splits, model, validation, train, evaluation, sweep, recipes)
    logging.info("drawing the charts and writing the page")
    written = write_report(places, wanted, out)
    logging.info("report: %s (%.1f MB, opens offline)", written.html, written.html.stat().st_size / 1e6)
    pages = (written.html, written.markdown)
    log_report(train / RUN_NOTE.name, *pages, tracking, photographs=written.photographs)
    confirm_parameters(params, None, wanted)


if __name__ == "__main__":
    run(main)
