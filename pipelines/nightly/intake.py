"""The batch of a night: snapshot, expectations, drift, and only then the collection."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from likeness.data.collected import Collected
from likeness.data.faceset import FaceSet
from likeness.data.incoming import Snapshot, place, take_snapshot
from likeness.data.sources import DataParams
from likeness.errors import DataError
from likeness.params import read_params
from likeness.validation.params import ValidationParams
from pipelines.nightly.outcome import HaltError, Outcome
from pipelines.nightly.params import NightlyParams, Places


@dataclass(frozen=True)
class Intake:
    """What became of a batch: counts of files, and how far it drifted."""

    counts: dict[str, int]
    drift: list[dict[str, Any]] = field(default_factory=list)
    people: int = 0
    trouble: HaltError | None = None


def take_in(places: Places, params: NightlyParams, accept_drift: bool = False) -> Intake:
    """Takes in what has arrived in full.

    A batch that is bad as a whole, or that drifted, goes to quarantine as a whole and is told as `trouble`.
    """
    faces = _faces(places)
    collected = Collected.listed(places.note.with_suffix(""))
    known = collected.people | (set() if faces is None else set(faces.manifest["person"]))
    snapshot = take_snapshot(places.incoming, places.staging, known, time.time(), params.settle_seconds)
    if snapshot.arrivals:
        return _judged(snapshot, faces, places, params, accept_drift)
    place(snapshot, {}, places.note, places.quarantine)  # brings the note up to date, as after a kill
    return Intake({"arrived": 0, "waiting": snapshot.waiting})


def _judged(
    snapshot: Snapshot, faces: FaceSet | None, places: Places, params: NightlyParams, accept_drift: bool
) -> Intake:
    from likeness.validation.batch import judge  # Great Expectations takes seconds to import
    from likeness.validation.drift import drift_of

    data, bounds = read_params(places.params, data=DataParams, validate=ValidationParams)
    judged = judge(snapshot.arrivals, faces, data, bounds)
    refused, trouble = dict(judged.refused), None
    drift = [] if faces is None else drift_of(judged.manifest, faces.manifest, params.drift)
    drifted = [one for one in drift if one.drifted]
    if len(refused) > params.bad_share * len(snapshot.arrivals):
        trouble = HaltError(
            Outcome.BAD_BATCH, f"{len(refused)} of {len(snapshot.arrivals)} new files are bad; none was taken in."
        )
    elif drifted and not accept_drift:
        found = "; ".join(map(str, drifted))
        trouble = HaltError(Outcome.DRIFT, f"the batch is unlike the data set ({found}); it is in quarantine.")
    if trouble is not None:
        refused = {arrival: refused.get(arrival, str(trouble)) for arrival in snapshot.arrivals}
    placed = place(snapshot, refused, places.note, places.quarantine, judged.known)
    counts = {
        "arrived": len(snapshot.arrivals),
        "waiting": snapshot.waiting,
        "merged": placed.merged,
        "known": placed.known,
        "quarantined": placed.quarantined,
    }
    return Intake(counts, [one.as_json() for one in drift], len(placed.people), trouble)


def _faces(places: Places) -> FaceSet | None:
    """The data set as it is, or None before there is one."""
    try:
        return FaceSet.open(places.faces)
    except DataError:
        return None
