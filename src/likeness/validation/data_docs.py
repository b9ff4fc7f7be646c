"""The Data Docs: every expectation, what came of it, and the pictures of the offending images.

Great Expectations' own pages load Bootstrap, jQuery and fonts from other servers, so without a network they
are a bare list, and they cannot show a picture. This page is rendered from the same results, refers to
nothing outside itself and shows the photographs, which is what one has to see to judge a duplicate.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup, escape
from PIL import Image

from likeness.artifacts.validation_record import Finding, Row, ValidationSummary
from likeness.data.faceset import FaceSet
from likeness.images.data_uri import data_uri
from likeness.validation.findings import failed, shown

PICTURED = 60  # offending rows with pictures, per expectation
LISTED = 200  # offending rows in all, per expectation

TITLES = {
    "images": "Images",
    "people": "People",
    "left aside": "Left aside",
    "lists": "Lists",
    "pairs": "Listed pairs",
    "classes": "Class balance",
    "listed people": "Listed people",
    "view 1": "View 1",
    "view 2": "View 2",
}


def page(faces: FaceSet, findings: Sequence[Finding], facts: dict[str, Any]) -> str:
    """The whole page as HTML.

    Args:
        faces: for the pictures and the source.
        findings: of all expectations.
        facts: see `likeness.validation.validate.facts`.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("likeness.validation"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["thin"] = _with_thin_spaces
    failing = [*failed(findings, "critical"), *failed(findings, "warning")]
    return environment.get_template("docs.html").render(
        source=faces.source,
        facts=facts,
        summary=ValidationSummary.of(findings),
        critical=failed(findings, "critical"),
        failing=[_view(faces, finding) for finding in failing],
        groups=[
            (title, [finding for finding in findings if finding.table == table])
            for table, title in TITLES.items()
            if any(finding.table == table for finding in findings)
        ],
    )


def _view(faces: FaceSet, finding: Finding) -> dict[str, Any]:
    """A finding with its offenders as rows of pictures and named cells."""
    offenders = finding.offenders[:LISTED]
    return {
        "finding": finding,
        "columns": list(shown(offenders[0])) if offenders else [],
        "rows": [
            {
                "pictures": _pictures(faces, offender) if place < PICTURED else [],
                "cells": shown(offender),
            }
            for place, offender in enumerate(offenders)
        ],
        "pictured": bool(offenders) and "row" in offenders[0],
        "more": len(finding.offenders) - len(offenders),
    }


def _breakable(value: object) -> Markup:
    """Escaped text whose paths may be broken between folders and words, for narrow screens."""
    return Markup(re.sub("([/_])", r"\1<wbr>", str(escape(value))))


def _with_thin_spaces(text: str) -> str:
    """Thousands as everywhere in this project's pages: 13 233 with a narrow space for 13,233."""
    return re.sub(r"(?<=\d),(?=\d{3})", "\u202f", text)


def _pictures(faces: FaceSet, offender: Row) -> list[str]:
    return [_crop(faces, offender[name]) for name in ("twin", "row") if name in offender]


def _crop(faces: FaceSet, row: int) -> str:
    """The stored crop of a row as an image that the page itself holds."""
    stream = io.BytesIO()
    Image.fromarray(faces.pixels[row]).save(stream, "JPEG", quality=80)
    return data_uri(stream.getvalue(), "jpeg")
