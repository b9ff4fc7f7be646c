"""The journal of the registry: which version became champion, when and why; one run for each decision.

A run that is still RUNNING is a decision that was written down but not yet carried out to the end, one that FAILED
was never carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from likeness.artifacts.gate_decision import GATE_DECISION, GateDecision
from likeness.tracking.mlflow_store import Store

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

    @property
    def title(self) -> str:
        """The entry in a few words."""
        return f"{self.outcome}: version {self.challenger}"

    @property
    def changes_champion(self) -> bool:
        """Whether it makes a version the champion; otherwise the champion stays."""
        return self.outcome not in ("kept", "refused")

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


@dataclass(frozen=True)
class StoredEntry:
    """An entry as the store holds it: the run that it is, and that run's status."""

    run_id: str
    entry: Entry
    status: str

    @property
    def open(self) -> bool:
        """Whether it was written down, and nobody has said yet that it was carried out."""
        return self.status in ("RUNNING", "SCHEDULED")

    @property
    def done(self) -> bool:
        """Whether it was carried out."""
        return self.status == "FINISHED"


def write(store: Store, entry: Entry, decision: GateDecision | None = None) -> StoredEntry:
    """Adds an entry that is open still, with the gate's whole decision where there is one."""
    run = store.client.create_run(store.experiment_id(EXPERIMENT), run_name=entry.title, tags=entry.tags())
    run_id = run.info.run_id
    if decision is not None:
        store.client.log_dict(run_id, GATE_DECISION.values(decision), "gate.json")
        store.client.log_text(run_id, decision.table(), "gate.md")
        for check in decision.checks:
            store.client.log_metric(run_id, check.name.replace(":", ""), check.found)
    return StoredEntry(run_id, Entry.from_tags(run.info.start_time, entry.tags()), "RUNNING")


def address(store: Store, note: StoredEntry) -> str:
    """Of an entry in MLflow's page, below whatever server shows it."""
    return f"#/experiments/{store.experiment_id(EXPERIMENT)}/runs/{note.run_id}"


def complete(store: Store, note: StoredEntry) -> None:
    """Marks an entry as carried out."""
    store.client.set_terminated(note.run_id)


def discard(store: Store, note: StoredEntry) -> None:
    """Marks an entry as one that was never carried out."""
    store.client.set_terminated(note.run_id, "FAILED")


def notes(store: Store) -> list[StoredEntry]:
    """Every entry, the newest first."""
    experiment = store.client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []
    runs = store.client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    return [
        StoredEntry(run.info.run_id, Entry.from_tags(run.info.start_time, run.data.tags), run.info.status)
        for run in runs
    ]
