"""Decisions at any threshold, and all errors at the chosen one: parts of the page that answer to a reader.

Without a script, and on paper, both show the threshold of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likeness.metrics.intervals import Estimate, wilson
from likeness.metrics.scores import Confusion, Floats
from likeness.reporting.wording import measured

WIDTH, HEIGHT, MIDDLE = 640, 224, 104
_TALLEST, _BINS, _TICKS = 92, 48, 7


@dataclass(frozen=True, eq=False)
class Explorer:
    """A histogram, the confusion and the error rates, which follow a slider.

    Attributes:
        mated: float64, ascending, scores of pairs of the same person.
        non_mated: float64, ascending, of different people.
        threshold: of the model.
    """

    mated: Floats
    non_mated: Floats
    threshold: float

    @property
    def data(self) -> dict[str, list[float] | float]:
        """What the script counts."""
        scores = {"mated": self.mated.tolist(), "nonMated": self.non_mated.tolist()}
        return {**scores, "threshold": self.threshold, "low": self.low, "high": self.high, "width": WIDTH}

    @property
    def low(self) -> float:
        """Score at the left end, below all others so that a threshold there accepts everything."""
        return self._ends[0]

    @property
    def high(self) -> float:
        """Score at the right end, above all others so that a threshold there accepts nothing."""
        return self._ends[1]

    @property
    def _ends(self) -> tuple[float, float]:
        """Beyond all scores by more than a browser rounds the value of a slider."""
        bottom = float(min(self.mated.min(), self.non_mated.min(), self.threshold))
        top = float(max(self.mated.max(), self.non_mated.max(), self.threshold))
        margin = 0.002 * ((top - bottom) or 1.0)
        return bottom - margin, top + margin

    @property
    def confusion(self) -> Confusion:
        """Counts at the threshold of the model."""
        rejected, non_rejected = (
            int(np.searchsorted(one, self.threshold)) for one in (self.mated, self.non_mated)
        )
        return Confusion(len(self.mated) - rejected, rejected, non_rejected, len(self.non_mated) - non_rejected)

    def place(self, score: float) -> float:
        """Horizontal place of a score in the drawing."""
        return round(WIDTH * (score - self.low) / (self.high - self.low), 1)

    @property
    def mated_bars(self) -> str:
        """Outline of the bars above the middle, as the `d` of a path."""
        return self._bars(self.mated, -1)

    @property
    def non_mated_bars(self) -> str:
        """Outline of the bars below the middle."""
        return self._bars(self.non_mated, 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places and labels of the axis."""
        span = self.high - self.low
        step = 10 ** np.floor(np.log10(span / _TICKS))
        step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= _TICKS)
        values = np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step
        return [(self.place(float(value)), f"{value + 0.0:.6g}".replace("-", "−")) for value in values]

    @property
    def rates(self) -> list[tuple[str, str, str]]:
        """Key, name and value of the rates at the threshold of the model, with Wilson's intervals."""
        found = self.confusion
        mated, non_mated = len(self.mated), len(self.non_mated)
        right = found.true_matches + found.true_non_matches
        rows = (
            ("fnmr", "false non-match rate (FNMR)", found.false_non_matches, mated),
            ("fmr", "false match rate (FMR)", found.false_matches, non_mated),
            ("accuracy", "accuracy", right, mated + non_mated),
        )
        return [(key, name, _with_interval(hits, total)) for key, name, hits, total in rows]

    def _bars(self, scores: Floats, direction: int) -> str:
        edges = np.linspace(self.low, self.high, _BINS + 1)
        counts = [np.histogram(one, edges)[0] for one in (self.mated, self.non_mated)]
        heights = np.histogram(scores, edges)[0] * _TALLEST / max(1, *(int(one.max()) for one in counts))
        steps = (
            f"M{self.place(left)},{MIDDLE}V{MIDDLE + direction * height:.1f}H{self.place(right)}V{MIDDLE}Z"
            for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True)
            if height
        )
        return "".join(steps)


def _with_interval(hits: int, total: int) -> str:
    return measured(Estimate(hits / total, *wilson(hits / total, total), total))


@dataclass(frozen=True)
class ErrorRow:
    """One wrong decision.

    Attributes:
        error: "false match" or "false non-match".
        first: person and number of the one photograph.
        second: of the other.
        score: of the pair.
        probability: of one person, as it was stated.
        distance: from the threshold, at least 0.
        properties: of the worse photograph, by name.
    """

    error: str
    first: str
    second: str
    score: float
    probability: float
    distance: float
    properties: dict[str, float]


@dataclass(frozen=True, eq=False)
class ErrorBrowser:
    """All errors, which a reader filters and sorts.

    Attributes:
        rows: the errors, the furthest from the threshold first.
        total: how many errors there are, of which `rows` may be the first.
        sheet: the photographs of all rows, two a row, as one JPEG of `across` cells a line; None without any.
        cell: width and height of a photograph in it, in pixels.
        across: photographs a line.
    """

    rows: Sequence[ErrorRow]
    total: int
    sheet: bytes | None
    cell: tuple[int, int]
    across: int

    def offset(self, place: int) -> str:
        """Where in the sheet the photograph of this place is, as a background position."""
        line, column = divmod(place, self.across)
        return f"{-column * self.cell[0]}px {-line * self.cell[1]}px"
