"""Chapter: the best and the worst decisions, with pictures, heat maps, and a possible cause."""

from __future__ import annotations

from pathlib import Path

from likeness.artifacts.shown_decisions import ShownDecision
from likeness.errors import DataError
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import Block, Case, Cases, Note, Picture, Prose, Section, Subheading
from likeness.reporting.inline import quoted
from likeness.reporting.params import ReportParams
from likeness.reporting.sections.explore import error_browser
from likeness.reporting.wording import number, percent

_TITLE = "Best and worst decisions"
_KINDS = {
    "false-accept": ("Worst false matches", "False match: two people decided to be one"),
    "false-reject": ("Worst false non-matches", "False non-match: one person decided to be two"),
    "true-accept": ("Most confident true matches", "True match"),
    "true-reject": ("Most confident true non-matches", "True non-match"),
}
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
    if artefacts.metrics is not None:
        blocks += error_browser(artefacts, artefacts.metrics, photographs=True)
    return Section("decisions", _TITLE, blocks)


def _explained(method: str) -> str:
    return (
        "Above, the two crops as the model saw them; below, the same under a heat map of what spoke for the "
        f"decision, the brighter the more. Heat maps by {_METHODS.get(method, quoted(method))}. A property is "
        f"named "
        "as a possible cause when it is in the most extreme tenth of all test pairs: a reason to look, not a "
        "proof. "
        "Brightness depends on the light and on the skin alike, so that it explains nothing by itself."
    )


def _case(decision: ShownDecision, title: str, folder: Path) -> Case:
    kind, rank = decision.kind, decision.rank
    people = " and ".join(f"{quoted(face.person)} {face.number}" for face in (decision.first, decision.second))
    facts = (
        f"{people}. Score {number(decision.score, 3)}, threshold {number(decision.threshold, 3)}; "
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
