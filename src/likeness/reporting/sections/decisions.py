"""Chapter: the best and the worst decisions, with pictures, heat maps, and a possible cause."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from likeness.artifacts.shown_decisions import ShownDecision
from likeness.errors import DataError
from likeness.reporting.artefacts import Artefacts, Json, records
from likeness.reporting.document import (
    Block,
    Case,
    Cases,
    Column,
    Note,
    Picture,
    Prose,
    Section,
    Subheading,
    Table,
)
from likeness.reporting.inline import quoted
from likeness.reporting.params import ReportParams
from likeness.reporting.sections.explore import error_browser
from likeness.reporting.wording import count, decimal, percent

_TITLE = "Best and worst decisions"
_KINDS = {
    "false-match": ("Worst false matches", "False match: two people decided to be one"),
    "false-non-match": ("Worst false non-matches", "False non-match: one person decided to be two"),
    "true-match": ("Most confident true matches", "True match"),
    "true-non-match": ("Most confident true non-matches", "True non-match"),
}
_COMMON = (
    "By its definition a property stands out in about a tenth of all pairs. One that does so more often among "
    "errors than among right decisions goes with errors; it need not cause them. Brightness is confounded with "
    "skin tone and is no explanation by itself; no demographic analysis was made."
)
_METHODS = {
    "grad-cam": "Grad-CAM (Selvaraju et al. 2017): the last layer that still has places, each channel weighed by "
    "how much the score would rise with it",
    "occlusion": "occlusion (Zeiler and Fergus 2014): each place is hidden in one picture, the other, both and "
    "none, and its share in the score is its Shapley value",
}


def decisions_section(artefacts: Artefacts, params: ReportParams) -> Section:
    """Errors first, the furthest from the threshold first."""
    found = artefacts.decisions
    if found is None:
        return Section(
            "decisions", _TITLE, [Note("None: the evaluation has written no `decisions.json`.", "missing")]
        )
    if not params.decisions:
        hidden = Note("No photographs of decisions: `report.decisions` is 0.", "missing")
        listed = error_browser(artefacts, artefacts.metrics, photographs=False) if artefacts.metrics else []
        return Section("decisions", _TITLE, [hidden, *listed])
    blocks: list[Block] = [Prose(_explained(found.method))]
    for kind, (heading, title) in _KINDS.items():
        chosen = [one for one in found.decisions if one.kind == kind][: params.decisions]
        if chosen:
            cases = [_case(one, title, artefacts.places.evaluation) for one in chosen]
            blocks += [Subheading(heading), Cases(cases)]
        elif kind.startswith("false"):
            blocks += [Subheading(heading), Prose("There is no such error on the test pairs.")]
    blocks += _common(artefacts.causes)
    if artefacts.metrics is not None:
        blocks += error_browser(artefacts, artefacts.metrics, photographs=True)
    return Section("decisions", _TITLE, blocks)


def _common(causes: pd.DataFrame | None) -> list[Block]:
    """How often each property stands out among errors, and among right decisions."""
    if causes is None or not causes["errors"].sum():
        return []
    columns = [Column("what stands out"), *(Column(name, True) for name in ("errors", "right decisions", "ratio"))]
    blocks: list[Block] = [Subheading("What errors have in common"), Prose(_COMMON)]
    for kind, heading in (("false-non-match", "False non-matches"), ("false-match", "False matches")):
        found = causes[(causes["kind"] == kind) & (causes["errors"] > 0)]
        rows = [_frequency(row) for row in records(found)]
        rows.sort(key=lambda row: -row[1])
        if rows:
            cells = [[row[0], *row[2:]] for row in rows]
            blocks.append(Table(columns, cells, f"{heading}, beside right decisions on pairs of the same kind."))
    return blocks


def _frequency(row: Json) -> tuple[str, float, str, str, str]:
    """Meaning, ratio, and cells: share among errors, share among right decisions, ratio."""
    errors, right = (row[f"{name}_extreme"] / max(row[name], 1) for name in ("errors", "right"))
    ratio = errors / right if right else math.inf if errors else 1.0
    first, second = (
        f"{percent(share, 0)} ({count(row[f'{name}_extreme'])} of {count(row[name])})"
        for name, share in (("errors", errors), ("right", right))
    )
    return str(row["meaning"]).replace("its ", "the ", 1), ratio, first, second, f"{ratio:.1f}" if right else "–"


def _explained(method: str) -> str:
    return (
        "Above, the two crops as the model saw them; below, the same under a heat map of what spoke for the "
        f"decision, the brighter the more. Heat maps by {_METHODS.get(method, quoted(method))}. A property is "
        "named as a possible cause when it is in the most extreme tenth of all test pairs: a reason to look, "
        "not a proof. Measured are sharpness, brightness, contrast, turn (yaw) and tilt (roll) of the head, how "
        "alike the crops are pixel by pixel, and copies of one photograph; glasses, other covered parts and age "
        "are not."
    )


def _case(decision: ShownDecision, title: str, folder: Path) -> Case:
    kind, rank = decision.kind, decision.rank
    people = " and ".join(f"{quoted(face.person)} {face.number}" for face in (decision.first, decision.second))
    facts = (
        f"{people}. Score {decimal(decision.score)}, threshold {decimal(decision.threshold)}; "
        f"probability of one person {percent(decision.probability)}."
    )
    path = folder / decision.picture
    try:
        picture = Picture(
            f"{kind}-{rank:02d}", path.read_bytes(), f"{title}: two photographs, and their heat maps"
        )
    except FileNotFoundError:
        picture = None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); run the evaluation again") from error
    return Case(title, not kind.startswith("false"), facts, decision.cause, picture)
