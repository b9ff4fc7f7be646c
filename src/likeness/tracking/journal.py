"""The journal of the registry: who came to serve, when, and why, one run of an experiment for each decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from likeness.tracking.gate import Verdict
from likeness.tracking.store import Store

EXPERIMENT = "likeness-gate"


@dataclass(frozen=True)
class Entry:
    """One line of the journal.

    Attributes:
        outcome: promoted, kept, refused, promoted by hand, or rolled back.
        challenger: version that was judged, or put in place by hand.
        champion: version that serves after it; None when none does.
        because: the reason.
        when: milliseconds since 1970, UTC; 0 until it is written.
    """

    outcome: str
    challenger: int
    champion: int | None
    because: str
    when: int = 0

    @classmethod
    def from_tags(cls, when: int, tags: Mapping[str, str]) -> Entry:
        """The entry that a run's tags hold."""
        champion = tags.get("gate.champion", "")
        return cls(
            tags["gate.outcome"],
            int(tags["gate.challenger"]),
            int(champion) if champion else None,
            tags.get("gate.because", ""),
            when,
        )

    def tags(self) -> dict[str, str]:
        """The entry as tags of a run and of the version that it concerns."""
        return {
            "gate.outcome": self.outcome,
            "gate.challenger": str(self.challenger),
            "gate.champion": str(self.champion or ""),
            "gate.because": self.because,
        }


def write(store: Store, entry: Entry, verdict: Verdict | None = None) -> Entry:
    """Adds an entry, with the gate's whole decision where there is one; returns it with its time."""
    title = f"{entry.outcome}: version {entry.challenger}"
    run = store.client.create_run(store.experiment_id(EXPERIMENT), run_name=title, tags=entry.tags())
    run_id = run.info.run_id
    if verdict is not None:
        store.client.log_dict(run_id, verdict.as_json(), "gate.json")
        store.client.log_text(run_id, verdict.table(), "gate.md")
        for check in verdict.checks:
            store.client.log_metric(run_id, check.name.replace(":", ""), check.found)
    store.client.set_terminated(run_id)
    return Entry.from_tags(run.info.start_time, entry.tags())


def entries(store: Store) -> list[Entry]:
    """Every decision, the newest first."""
    experiment = store.client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []
    runs = store.client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    return [Entry.from_tags(run.info.start_time, run.data.tags) for run in runs]
