"""The best and worst decisions with their pictures, ready to be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from likeness.artifacts.shown_decisions import Method, ShownDecision, ShownDecisions, ShownFace
from likeness.data.faceset import FaceSet
from likeness.data.splits import Pairs
from likeness.evaluation.comparison import Scored
from likeness.evaluation.decision_picture import Picture, decision_picture
from likeness.evaluation.decisions import Chosen, PairFacts, choose
from likeness.evaluation.heat_maps import best_method, explain_pair
from likeness.evaluation.systems import ScoredSystem
from likeness.models.weights import LoadedModel
from likeness.progress import progress


@dataclass(frozen=True, eq=False)
class Showcase:
    """Decisions worth showing.

    Attributes:
        shown: the decisions.
        pictures: file name -> RGB picture.
    """

    shown: ShownDecisions
    pictures: dict[str, Picture]


def showcase(
    faces: FaceSet, test: Pairs, model: LoadedModel, system: ScoredSystem, facts: PairFacts, count: int
) -> Showcase:
    """Chooses `count` decisions of each kind, explains and draws them.

    Args:
        faces: the store.
        test: the P test pairs.
        model: what decided.
        system: its scores of these pairs.
        facts: of these pairs.
        count: of each kind at most.
    """
    scored = Scored(system.test, system.decision.threshold)
    chosen = choose(scored, test.same, count)
    method = best_method(model.siamese, model.card.preprocess)
    named = list(_named(chosen))
    shown = tuple(_shown_decision(faces, test, system, facts, one, rank, name) for one, rank, name in named)
    pictures = {
        name: _picture(faces, test, model, method, one, bool(scored.predicted[one.place]))
        for one, _, name in progress(named, "heat maps", unit="pair")
    }
    return Showcase(ShownDecisions(method, shown), pictures)


def _named(chosen: list[Chosen]) -> Iterator[tuple[Chosen, int, str]]:
    """Each decision with its rank within its kind and the name of its picture."""
    ranks: dict[str, int] = {}
    for one in chosen:
        ranks[one.kind] = ranks.get(one.kind, 0) + 1
        yield one, ranks[one.kind], f"{one.kind}-{ranks[one.kind]:02d}.png"


def _shown_decision(
    faces: FaceSet, test: Pairs, system: ScoredSystem, facts: PairFacts, chosen: Chosen, rank: int, picture: str
) -> ShownDecision:
    score = float(system.test[chosen.place])
    return ShownDecision(
        kind=chosen.kind,
        rank=rank,
        first=_face(faces, int(test.a[chosen.place])),
        second=_face(faces, int(test.b[chosen.place])),
        same=bool(test.same[chosen.place]),
        predicted=bool(system.decision.predict(np.array(score))),
        score=score,
        threshold=system.decision.threshold,
        probability=float(system.decision.probability(np.array(score))),
        cause=facts.cause(chosen),
        facts=tuple(facts.about(chosen)),
        picture=f"decisions/{picture}",
    )


def _face(faces: FaceSet, row: int) -> ShownFace:
    face = faces.manifest.iloc[row]
    return ShownFace(str(face["person"]), int(face["number"]), row)


def _picture(
    faces: FaceSet, test: Pairs, model: LoadedModel, method: Method, chosen: Chosen, predicted: bool
) -> Picture:
    first, second = (np.asarray(faces.pixels[rows[chosen.place]]) for rows in (test.a, test.b))
    maps = explain_pair(model.siamese, model.card.preprocess, first, second, method, same=predicted)
    return decision_picture((first, second), maps)
