"""Section `report` of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from likeness.params import Range


@dataclass(frozen=True)
class ReportParams:
    """What the page shows.

    Attributes:
        title: of the page.
        decisions: best and worst decisions shown, of each of four kinds at most; 0 for none.
        sample: faces on the sheet that shows what the network sees; 0 for none.
        rows: rows of long lists (offenders of a validation finding) before they are cut.
    """

    SECTION: ClassVar[str] = "report"

    title: str = "Likeness: one-shot face verification"
    decisions: Annotated[int, Range(0, 24)] = 3
    sample: Annotated[int, Range(0, 60)] = 24
    rows: Annotated[int, Range(1, 1000)] = 20
