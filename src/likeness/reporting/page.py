"""The whole page: its first line, its sentence, its chapters; and writing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from likeness.files import write_text
from likeness.reporting.artefacts import Artefacts, Places
from likeness.reporting.document import Page
from likeness.reporting.inline import quoted
from likeness.reporting.nightly_runs import nightly_runs_link
from likeness.reporting.params import ReportParams
from likeness.reporting.render import to_markdown, to_page, write_figures
from likeness.reporting.sections.decisions import decisions_section
from likeness.reporting.sections.faces import faces_section
from likeness.reporting.sections.network import network_section
from likeness.reporting.sections.recipes import recipes_section
from likeness.reporting.sections.recognition import recognition_section
from likeness.reporting.sections.results import results_section
from likeness.reporting.sections.setup import provenance_section, setup_section
from likeness.reporting.sections.threshold import threshold_section
from likeness.reporting.sections.training import sweep_section, training_section

_SYNTHETIC = (
    "The faces on this page are drawn by a generator. Such accuracy says nothing about people; it only shows that "
    "the pipeline works."
)


@dataclass(frozen=True)
class Written:
    """Where a report is, and whether its pictures show people (or drawn faces)."""

    html: Path
    markdown: Path
    figures: Path
    photographs: bool


def write_report(places: Places, params: ReportParams, folder: Path) -> Written:
    """Makes `report.html`, `report.md` and `figures/` in a folder; equal inputs give equal files.

    Raises:
        DataError: a required file is missing, or one cannot be read.
        OutputError: the folder cannot be written; an earlier page is intact.
    """
    artefacts = Artefacts(places)
    page = build_page(artefacts, params)
    photographs = not artefacts.source.synthetic
    written = Written(folder / "report.html", folder / "report.md", folder / "figures", photographs)
    html, markdown = to_page(page), to_markdown(page, written.figures.name)
    write_figures(page, written.figures)
    write_text(written.markdown, markdown)
    write_text(written.html, html)
    return written


def build_page(artefacts: Artefacts, params: ReportParams) -> Page:
    """All chapters in reading order: what came out first, how it came about after."""
    sections = [
        results_section(artefacts),
        threshold_section(artefacts),
        recognition_section(artefacts),
        decisions_section(artefacts, params),
        training_section(artefacts),
        sweep_section(artefacts),
        recipes_section(artefacts),
        network_section(artefacts),
        faces_section(artefacts, params),
        nightly_runs_link(),
        setup_section(artefacts),
        provenance_section(artefacts, params),
    ]
    warning = _SYNTHETIC if artefacts.source.synthetic else ""
    return Page(params.title, warning, _lead(artefacts), sections)


def _lead(artefacts: Artefacts) -> str:
    card = artefacts.card
    return (
        "Do two photographs show the same person, whom the network has never seen before? "
        f"Recipe {quoted(card.recipe)} on {quoted(card.source)}, protocol **{card.protocol}**, "
        f"alignment **{card.alignment}**, outside data **{card.outside_data}**."
    )
