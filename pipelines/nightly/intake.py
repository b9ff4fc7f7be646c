"""The batch of a night: snapshot, expectations, drift, and only then the collection."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, get_args

from likeness.data.collected import Collected
from likeness.data.faceset import FaceSet
from likeness.data.incoming import Snapshot, take_snapshot
from likeness.data.placing import Fate, Placed, place
from likeness.data.sources import DataParams
from likeness.errors import DataError
from likeness.files import write_json
from likeness.params import read_params
from likeness.validation.params import ValidationParams
from pipelines.nightly.outcome import HaltError, Outcome
from pipelines.nightly.params import NightlyParams, Places

_log = logging.getLogger(__name__)
_NAMED = 50  # files that were not taken, in the log


@dataclass(frozen=True)
class Intake:
    """What became of a batch.

    Attributes:
        counts: of files, by what became of them.
        drift: how far each measure of the batch is from the data set.
        people: number of those of whom a photograph was merged.
        trouble: why the batch as a whole went to quarantine; None where it did not.
        settled: seconds since 1970 when the last of the files that wait will have settled; None where none does.
    """

    counts: dict[str, int]
    drift: list[dict[str, Any]] = field(default_factory=list)
    people: int = 0
    trouble: HaltError | None = None
    settled: float | None = None

    @property
    def waiting(self) -> str:
        """How many files wait, and until when, as a clause; "" where none does."""
        count = self.counts.get("waiting", 0)
        if not count:
            return ""
        files = "1 file waits" if count == 1 else f"{count} files wait"
        if self.settled is None:
            return f"{files}, .likeness/nightly/batch.json says for what"
        until = datetime.fromtimestamp(self.settled).astimezone()
        return f"{files} to settle until {until:%H:%M:%S} (ARGS=--no-settle takes them at once)"


def take_in(places: Places, params: NightlyParams, accept_drift: bool = False, no_settle: bool = False) -> Intake:
    """Takes in what has arrived in full.

    A batch that is bad as a whole, or that drifted, goes to quarantine as a whole and is told as `trouble`. What
    became of each file is written to `places.batch`.
    """
    faces = _faces(places)
    collected = _collected(places)
    known = collected.people | (set() if faces is None else set(faces.manifest["person"]))
    settle = 0.0 if no_settle else params.settle_seconds
    snapshot = take_snapshot(places.incoming, places.staging, known, time.time(), settle)
    if snapshot.arrivals:
        return _judged(snapshot, faces, places, params, accept_drift)
    placed = place(snapshot, {}, places.note, places.quarantine)  # brings the note up to date, as after a kill
    return _intake(snapshot, placed, places)


def _judged(
    snapshot: Snapshot, faces: FaceSet | None, places: Places, params: NightlyParams, accept_drift: bool
) -> Intake:
    from likeness.validation.batch import judge  # Great Expectations takes seconds to import
    from likeness.validation.drift import drift_of

    data, bounds = read_params(places.params, DataParams, ValidationParams)
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
        trouble = HaltError(Outcome.DRIFT, f"the batch drifted from the data set ({found}); it is in quarantine.")
    if trouble is not None:
        refused = {arrival: refused.get(arrival, str(trouble)) for arrival in snapshot.arrivals}
    placed = place(snapshot, refused, places.note, places.quarantine, judged.known)
    return _intake(snapshot, placed, places, [one.as_json() for one in drift], trouble)


def _intake(
    snapshot: Snapshot,
    placed: Placed,
    places: Places,
    drift: Sequence[dict[str, Any]] = (),
    trouble: HaltError | None = None,
) -> Intake:
    """Counts what became of the files, and writes down each by name."""
    write_json(places.batch, [asdict(row) for row in placed.rows])
    fates = Counter(row.fate for row in placed.rows)
    counts = {"arrived": len(snapshot.arrivals)} | {fate: fates[fate] for fate in get_args(Fate)}
    others = [row for row in placed.rows if row.fate in ("waiting", "aside")]
    for row in others[:_NAMED]:
        _log.warning("%s: not taken (%s). %s", row.name, row.fate, row.reason)
    if len(others) > _NAMED:
        _log.warning("%d more files were not taken; %s names them", len(others) - _NAMED, places.batch)
    settled = max((left.until for left in snapshot.left if left.until), default=None)
    return Intake(counts, list(drift), len(placed.people), trouble, settled)


def _collected(places: Places) -> Collected:
    """The collection; where its index is damaged, with one made anew from the photographs."""
    folder = places.note.with_suffix("")
    try:
        return Collected.listed(folder)
    except DataError as error:
        _log.warning("%s", error)
        collected = Collected.recovered(folder)
        collected.write(places.note)
        return collected


def _faces(places: Places) -> FaceSet | None:
    """The data set as it is, or None before there is one; a damaged one is rebuilt by the next stage."""
    try:
        return FaceSet.open(places.faces)
    except DataError as error:
        if places.faces.exists():
            _log.warning("the batch is compared with no data set: %s", error)
        return None
