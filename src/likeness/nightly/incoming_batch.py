"""The batch of a nightly run: snapshot, expectations, drift, and only then the collection."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, get_args

from likeness.data.batch_placement import Placed, Placement, place
from likeness.data.collected import Collected
from likeness.data.faceset import FaceSet
from likeness.data.incoming import Snapshot, take_snapshot
from likeness.data.sources import DataParams
from likeness.errors import DataError
from likeness.files import write_json
from likeness.nightly.outcome import HaltError, RunOutcome
from likeness.nightly.params import NightlyParams
from likeness.nightly.paths import ProjectPaths
from likeness.params import read_params
from likeness.validation.params import ValidationParams

_log = logging.getLogger(__name__)
_NAMED = 50  # files that were not added, in the log


@dataclass(frozen=True)
class CollectedBatch:
    """Result of a batch.

    Attributes:
        counts: of files, by their result.
        drift: how far each measure of the batch is from the data set.
        people: number of people of whom a photograph was merged.
        halt: why the whole batch went to quarantine; None where it did not.
        settled: seconds since 1970 when the last of the files that wait will have settled; None where none does.
    """

    counts: dict[str, int]
    drift: list[dict[str, Any]] = field(default_factory=list)
    people: int = 0
    halt: HaltError | None = None
    settled: float | None = None

    @property
    def purpose(self) -> str:
        """What the run that follows is for, in a few words."""
        added = self.counts.get("merged", 0)
        if added:
            return "1 new photograph" if added == 1 else f"{added} new photographs"
        held = self.counts.get("quarantined", 0)
        return f"{held} of {self.counts.get('arrived', 0)} files in quarantine" if held else "nothing new"

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
        return f"{files} to settle until {until:%H:%M:%S} (ARGS=--no-settle adds them at once)"


def collect_batch(
    paths: ProjectPaths, params: NightlyParams, accept_drift: bool = False, no_settle: bool = False
) -> CollectedBatch:
    """Validates the files that have arrived in full, and adds the good ones to the collection.

    A batch that is bad as a whole, or that drifted, goes to quarantine as a whole, with the reason in `halt`. The
    result of each file is written to `paths.batch`.
    """
    faces = _faces(paths)
    collected = _collected(paths)
    known = collected.people | (set() if faces is None else set(faces.manifest["person"]))
    settle = 0.0 if no_settle else params.settle_seconds
    snapshot = take_snapshot(paths.incoming, paths.staging, known, time.time(), settle)
    if snapshot.arrivals:
        return _validated(snapshot, faces, paths, params, accept_drift)
    placed = place(snapshot, {}, paths.collected, paths.quarantine)  # completes the list, as after a kill
    return _written(snapshot, placed, paths)


def _validated(
    snapshot: Snapshot, faces: FaceSet | None, paths: ProjectPaths, params: NightlyParams, accept_drift: bool
) -> CollectedBatch:
    from likeness.validation.batch import judge  # Great Expectations takes seconds to import
    from likeness.validation.drift import drift_of

    data, bounds = read_params(paths.params, DataParams, ValidationParams)
    judged = judge(snapshot.arrivals, faces, data, bounds)
    refused, halt = dict(judged.refused), None
    drift = [] if faces is None else drift_of(judged.manifest, faces.manifest, params.drift)
    drifted = [one for one in drift if one.drifted]
    if len(refused) > params.bad_share * len(snapshot.arrivals):
        halt = HaltError(
            RunOutcome.BAD_BATCH, f"{len(refused)} of {len(snapshot.arrivals)} new files are bad; none was added."
        )
    elif drifted and not accept_drift:
        found = "; ".join(map(str, drifted))
        halt = HaltError(RunOutcome.DRIFT, f"the batch drifted from the data set ({found}); it is in quarantine.")
    if halt is not None:
        refused = {arrival: refused.get(arrival, str(halt)) for arrival in snapshot.arrivals}
    placed = place(snapshot, refused, paths.collected, paths.quarantine, judged.known)
    return _written(snapshot, placed, paths, [one.as_json() for one in drift], halt)


def _written(
    snapshot: Snapshot,
    placed: Placed,
    paths: ProjectPaths,
    drift: Sequence[dict[str, Any]] = (),
    halt: HaltError | None = None,
) -> CollectedBatch:
    """Counts the results of the files, and writes each by name."""
    write_json(paths.batch, [asdict(row) for row in placed.rows])
    placements = Counter(row.placement for row in placed.rows)
    counts = {"arrived": len(snapshot.arrivals)} | {
        placement: placements[placement] for placement in get_args(Placement)
    }
    others = [row for row in placed.rows if row.placement in ("waiting", "aside")]
    for row in others[:_NAMED]:
        _log.warning("%s: not added (%s). %s", row.name, row.placement, row.reason)
    if len(others) > _NAMED:
        _log.warning("%d more files were not added; %s names them", len(others) - _NAMED, paths.batch)
    settled = max((left.until for left in snapshot.left if left.until), default=None)
    return CollectedBatch(counts, list(drift), len(placed.people), halt, settled)


def _collected(paths: ProjectPaths) -> Collected:
    """The collection; a damaged index is rebuilt from the photographs."""
    folder = paths.collected.with_suffix("")
    try:
        return Collected.listed(folder)
    except DataError as error:
        _log.warning("%s", error)
        collected = Collected.recovered(folder)
        collected.write(paths.collected)
        return collected


def _faces(paths: ProjectPaths) -> FaceSet | None:
    """The data set, or None before there is one; a damaged one is rebuilt by the next stage."""
    try:
        return FaceSet.open(paths.faces)
    except DataError as error:
        if paths.faces.exists():
            _log.warning("the batch is compared with no data set: %s", error)
        return None
