"""`trial.json` of a planned training: what it is trained on, and which values of a sweep it answers."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.artifacts.json_file import JsonFile


@dataclass(frozen=True)
class SweptValue:
    """A value of a swept parameter, which is named with dots."""

    parameter: str
    value: float


@dataclass(frozen=True)
class TrialNote:
    """What the parameters of a trial do not say.

    Attributes:
        faces: name of its face set, which trials share.
        plan: that it belongs to, a section of conf/plans.yaml.
        training: the recipe and the settings that all trials of the plan share.
        values: that it answers; none where it is no trial of a sweep.
        code: digest of the code that trains it; None where another code makes no other trial.
    """

    faces: str
    plan: str
    training: str
    values: tuple[SweptValue, ...] = ()
    code: str | None = None


TRIAL = JsonFile("trial.json", TrialNote)
