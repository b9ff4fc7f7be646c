"""Parts of the results that answer to a reader: decisions at any threshold, and a list of all errors."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from likeness.artifacts.manifest import image_names
from likeness.artifacts.metrics import Metrics
from likeness.metrics.scores import Confusion
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import Block, Column, Note, Subheading, Table, Widget
from likeness.reporting.explorer import ErrorBrowser, ErrorRow, Explorer
from likeness.reporting.figures.verification import score_histogram
from likeness.reporting.inline import quoted
from likeness.reporting.wording import count, decimal, percent

PROPERTIES = ("sharpness", "brightness", "contrast", "yaw")
_MOST = 400  # errors in the list: what a reader can look through, and a page can carry with photographs
_LISTED = 20  # of them in Markdown
_HEIGHT = 48  # of a photograph in the list, in pixels
_ACROSS = 24
_QUALITY = 78


def explorer(artefacts: Artefacts, metrics: Metrics) -> list[Block]:
    """Histogram, confusion and error rates of the test pairs at any threshold; nothing without predictions."""
    if artefacts.predictions is None:
        return [Note("No decisions: the evaluation has written no `predictions.parquet`.", "missing")]
    test = _test_pairs(artefacts.predictions)
    scores, same = test["score"].to_numpy(np.float64), test["same"].to_numpy(bool)
    threshold = metrics.model.threshold
    content = Explorer(np.sort(scores[same]), np.sort(scores[~same]), threshold)
    return [Widget("explorer", content, score_histogram(scores, same, threshold), _confusion(content.confusion))]


def error_browser(artefacts: Artefacts, metrics: Metrics, *, photographs: bool) -> list[Block]:
    """All wrong decisions on the test pairs, the furthest from the threshold first.

    Args:
        artefacts: predictions, manifest and pixels.
        metrics: of the evaluation.
        photographs: whether the two photographs of each are shown.
    """
    if artefacts.predictions is None:
        return []
    test = _test_pairs(artefacts.predictions)
    wrong = test[~test["correct"].astype(bool)]
    distance = (wrong["score"] - metrics.model.threshold).abs()
    chosen = wrong.assign(distance=distance).sort_values("distance", ascending=False, kind="stable").head(_MOST)
    if chosen.empty or (chosen["first"] == "").any():  # those of earlier releases do not name the photographs
        return []
    rows = [_row(pair) for _, pair in chosen.iterrows()]
    places = {name: row for row, name in enumerate(image_names(artefacts.manifest))}
    shown = [places[name] for name in chosen[["first", "second"]].to_numpy().ravel()]
    pixels = artefacts.pixels[shown] if photographs else None
    cell = (round(artefacts.pixels.shape[2] * _HEIGHT / artefacts.pixels.shape[1]), _HEIGHT)
    content = ErrorBrowser(rows, len(wrong), None if pixels is None else _sheet(pixels, cell), cell, _ACROSS)
    return [Subheading("All errors"), Widget("errors", content, None, _listed(content))]


def _test_pairs(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[predictions["split"] == "test"]


def _confusion(counts: Confusion) -> Table:
    columns = [Column("at the threshold"), Column("decided same", True), Column("decided different", True)]
    rows = [
        ["same person", count(counts.true_matches), count(counts.false_non_matches)],
        ["different people", count(counts.false_matches), count(counts.true_non_matches)],
    ]
    return Table(columns, rows, "Decisions on the test pairs.")


def _listed(errors: ErrorBrowser) -> Table:
    columns = [Column("error"), Column("photographs"), Column("score", True), Column("probability", True)]
    rows = [
        [one.error, f"{quoted(one.first)}, {quoted(one.second)}", decimal(one.score), percent(one.probability)]
        for one in errors.rows[:_LISTED]
    ]
    caption = (
        f"{len(rows)} of {count(errors.total)} errors, the furthest from the threshold; report.html lists all."
    )
    return Table(columns, rows, caption)


def _row(pair: pd.Series) -> ErrorRow:
    first, second = (str(pair[side]).rpartition("_") for side in ("first", "second"))
    return ErrorRow(
        "false non-match" if pair["same"] else "false match",
        f"{first[0]} {int(first[2])}",
        f"{second[0]} {int(second[2])}",
        float(pair["score"]),
        float(pair["probability"]),
        float(pair["distance"]),
        {name: float(pair[name]) for name in PROPERTIES},
    )


def _sheet(faces: NDArray[np.uint8], cell: tuple[int, int]) -> bytes:
    """Photographs uint8 [n, H, W] or [n, H, W, 3], each made as large as a cell, as one JPEG."""
    width, height = cell
    lines = -(-len(faces) // _ACROSS)
    size = (width * _ACROSS, height * lines)
    sheet = Image.new("L", size, 255) if faces.ndim == 3 else Image.new("RGB", size, "white")
    for place, face in enumerate(faces):
        line, column = divmod(place, _ACROSS)
        sheet.paste(Image.fromarray(face).resize(cell, Image.Resampling.LANCZOS), (column * width, line * height))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=_QUALITY, optimize=True)
    return stream.getvalue()
