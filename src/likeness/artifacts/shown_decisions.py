"""`decisions.json` of the evaluate stage: the best and the worst decisions, whose pictures lie beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from likeness.artifacts.json_file import JsonFile

Kind = Literal["true-match", "true-non-match", "false-match", "false-non-match"]
_FORMER = {"true-accept": "true-match", "false-accept": "false-match"}  # kinds of release 0.1, deprecated
_FORMER |= {"true-reject": "true-non-match", "false-reject": "false-non-match"}  # former kinds
Method = Literal["grad-cam", "occlusion"]


@dataclass(frozen=True)
class Fact:
    """A measured property of a pair that stands out among the test pairs.

    Attributes:
        name: of the property.
        value: of this pair.
        share_below: share of all test pairs with a lower value; None where a fact is no matter of degree.
        text: the fact in words.
    """

    name: str
    value: float
    share_below: float | None
    text: str


@dataclass(frozen=True)
class ShownFace:
    """A photograph: its person, the number among the person's, and its row of the manifest."""

    person: str
    number: int
    row: int


@dataclass(frozen=True)
class ShownDecision:
    """One decision on a test pair.

    Attributes:
        kind: of the outcome.
        rank: 1 = the most confident of its kind.
        first, second: the photographs.
        same: whether they show one person.
        predicted: whether the model says so.
        score: of the pair.
        threshold: of the model.
        probability: of one person, in [0, 1].
        cause: what can be measured about why, in a sentence or two.
        facts: that it rests on.
        picture: file of both crops and their heat maps, below the folder of this file.
    """

    kind: Kind
    rank: int
    first: ShownFace
    second: ShownFace
    same: bool
    predicted: bool
    score: float
    threshold: float
    probability: float
    cause: str
    facts: tuple[Fact, ...]
    picture: str

    @staticmethod
    def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The former names of kinds are read until version 1.0."""
        kind = values.get("kind")
        return {**values, "kind": _FORMER[kind]} if kind in _FORMER else values


@dataclass(frozen=True)
class ShownDecisions:
    """How the heat maps were made, and the decisions, by kind and rank."""

    method: Method
    decisions: tuple[ShownDecision, ...]


DECISIONS = JsonFile("decisions.json", ShownDecisions, stage="evaluate")
