"""The registry of models in MLflow: versions, the two aliases, and the journal of who came to serve and why.

A version is our own folder (weights as safetensors, card, ONNX tower) wrapped as a pyfunc without a pickle, with
the predictions that the gate compares beside it. `challenger` is the newest version, `champion` the one that
serves. Every change of the champion is a run of the experiment `likeness-gate`, with the reason in its tags and
the whole decision among its artifacts, so the journal is read with the same tools as everything else.

A decision is written down before it is carried out, and marked as done afterwards. Whoever uses the registry next
after a process was killed in between completes the entry if the champion had changed, and discards it if not.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from likeness.artifacts.gate_decision import GateDecision
from likeness.artifacts.gate_figures import GATE_FIGURES, GateFigures
from likeness.artifacts.metrics import Metrics
from likeness.artifacts.predictions import PREDICTIONS, read_test_pairs
from likeness.artifacts.run_note import RUN_NOTE
from likeness.errors import TrackingError
from likeness.files import file_sha256
from likeness.models.card import CARD, WEIGHTS, Card, read_card
from likeness.models.towers.tower_card import tower_summary
from likeness.project import main_repository
from likeness.tracking import journal
from likeness.tracking.gate import GateCandidate
from likeness.tracking.journal import Entry, StoredEntry
from likeness.tracking.logged_models import log_figures
from likeness.tracking.mlflow_store import Store, TrackingParams, connect
from likeness.tracking.model_packing import DATA
from likeness.tracking.provenance import provenance_of
from likeness.tracking.trainings import find_run, restore_run
from likeness.tracking.versions import Versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Registered:
    """A version, and whether this call made it (False: the registry held this very model already)."""

    version: int
    created: bool


class Registry:
    """The registry of one store; every fault of MLflow becomes one clear TrackingError.

    Args:
        store: that answers.
        folder: of the project.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self.versions = Versions(store, folder)

    @classmethod
    def open(cls, uri: str | None = None, folder: Path | None = None, *, create: bool = False) -> Registry:
        """The registry that the project in `folder` (None: the current one) uses; `create` makes its database.

        Raises:
            TrackingError: the store cannot be reached, or there is none; it is never made by being asked for.
        """
        place = folder or Path.cwd()
        return cls(connect(uri, main_repository(place), create=create), place)

    @property
    def uri(self) -> str:
        """Address of the store, as it may be written down."""
        return self._store.uri

    @property
    def client(self) -> MlflowClient:
        """MLflow's client of the store."""
        return self._store.client

    def register(
        self,
        model: Path,
        predictions: Path,
        metrics: Metrics,
        run_json: Path,
        tracking: TrackingParams | None = None,
    ) -> Registered:
        """Registers an evaluated model and makes it the challenger.

        A model that is registered already (same weights on the same data, as after a run-cache hit that
        restored an old training) is recognised by its digests: no version and no run is made.

        Args:
            model: folder with weights and card.
            predictions: predictions.parquet of its evaluation.
            metrics: of its evaluation.
            run_json: the run of its training. Where the store does not hold it, as in a clone of the project, it
                is made from the files beside it.
            tracking: section `tracking`; None: the defaults.

        Raises:
            TrackingError: the store refuses, or has no such run and the files to make it are missing.
        """
        card = read_card(model / CARD)
        digest = file_sha256(predictions)
        with self.versions.reporting("registering the model"):
            self._settle()
            known = self.versions.find(card.weights_sha256, digest)
            if known is not None:
                return Registered(known, created=False)
            baseline = metrics.baseline.test.accuracy.value
            figures = GateFigures(card.decision.threshold, baseline, (model / WEIGHTS).stat().st_size)
            tags = _tags(card, metrics, digest, self._folder)
            run_id = self._run_of(run_json, card.weights_sha256)
            if run_id is None:
                run_id = restore_run(run_json, model, metrics, tracking or TrackingParams(), self._folder)
            version = self.versions.make(run_id, model, predictions, figures, tags)
            log_figures(self._store, run_id, metrics)
            self.versions.point(CHALLENGER, version)
            return Registered(version, created=True)

    def candidate(self, version: int) -> GateCandidate:
        """What the gate needs to know of a version."""
        with self.versions.reporting(f"reading version {version}"):
            folder = self.versions.files(self.versions.of(version))
            figures = GATE_FIGURES.read(folder / GATE_FIGURES.name)
            return GateCandidate(version, read_test_pairs(folder / PREDICTIONS.name), figures)

    def find(self, weights: str, predictions: str) -> int | None:
        """The version of these weights with these predictions, by their sha256; None where there is none."""
        with self.versions.reporting("looking for the model"):
            return self.versions.find(weights, predictions)

    def judged(self, version: int) -> bool:
        """Whether the gate, or a person, has decided on a version: its tags say so once the journal does."""
        with self.versions.reporting(f"reading version {version}"):
            return "gate.outcome" in self.versions.of(version).tags

    def champion(self) -> int | None:
        """The version that serves, or None when none does yet."""
        return self.versions.alias(CHAMPION)

    def challenger(self) -> int | None:
        """The newest version that was put up, or None."""
        return self.versions.alias(CHALLENGER)

    def resolve(self, uri: str) -> Path:
        """The model folder behind `models:/likeness@champion` or `models:/likeness/3`, its weights verified.

        Raises:
            TrackingError: no such version or alias, the store is away, or the weights are not those that were
                registered; a service that is running keeps the model that it has.
        """
        with self.versions.reporting(f"resolving {uri}"):
            number = self.versions.number(uri)
        return self.folder_of(number)

    def folder_of(self, number: int) -> Path:
        """The model folder of a version, its weights verified.

        Raises:
            TrackingError: as for `resolve`.
        """
        with self.versions.reporting(f"reading version {number}"):
            version = self.versions.of(number)
            folder = self.versions.files(version) / DATA
            found, recorded = file_sha256(folder / WEIGHTS), version.tags.get("weights.sha256")
            if found != recorded:
                raise TrackingError(
                    f"version {version.version}: its weights are not those that were registered (expected sha256 "
                    f"{recorded}, found {found}). Do not serve it: `likeness rollback`, or register "
                    "it again"
                )
            return folder

    def record(self, decision: GateDecision) -> Entry:
        """Notes the gate's decision in the journal and with the version; promotes where it says so."""
        serves = decision.challenger if decision.outcome == "promoted" else decision.champion
        entry = Entry(decision.outcome, decision.challenger, serves, decision.reason)
        return self._carry_out(entry, "recording the gate's decision", decision)

    def promote(self, version: int, because: str) -> Entry:
        """Makes a version the champion by a person's decision.

        Raises:
            TrackingError: there is no such version, or the store is away.
        """
        doing = f"promoting version {version}"
        with self.versions.reporting(doing):
            self.versions.of(version)
        return self._carry_out(Entry("promoted by hand", version, version, because), doing)

    def rollback(self, because: str) -> Entry:
        """Makes the version that served before the present champion the champion again.

        Raises:
            TrackingError: nothing served before.
        """
        before = self._before(self.champion())
        if before is None:
            raise TrackingError(
                "there is nothing to roll back to: no other version has served before. "
                "`likeness promote VERSION --because …` puts any version in place"
            )
        return self._carry_out(Entry("rolled back", before, before, because), "rolling back")

    def needed(self) -> set[int]:
        """Versions that must stay: champion, challenger, and the one that `rollback` would take."""
        champion = self.champion()
        return {one for one in (champion, self.challenger(), self._before(champion)) if one is not None}

    def _before(self, champion: int | None) -> int | None:
        """The version that served before; None where nothing serves, or all earlier ones have been removed."""
        if champion is None:
            return None
        there = self.versions.numbers()
        served = (entry.champion for entry in self.journal())
        return next((one for one in served if one is not None and one != champion and one in there), None)

    def journal(self) -> list[Entry]:
        """Every decision, the newest first, once what a killed process left open is settled."""
        with self.versions.reporting("reading the journal"):
            self._settle()
            return [note.entry for note in journal.notes(self._store) if note.done]

    def _run_of(self, run_json: Path, weights: str) -> str | None:
        return find_run(self._store, RUN_NOTE.read(run_json), weights)

    def _carry_out(self, entry: Entry, doing: str, decision: GateDecision | None = None) -> Entry:
        """Writes a decision down, lets the alias follow, and marks it as done."""
        with self.versions.reporting(doing):
            self._settle()
            note = journal.write(self._store, entry, decision)
            if entry.changes_champion and entry.champion is not None:
                self.versions.point(CHAMPION, entry.champion)
        with self.versions.reporting(doing, "The decision is valid, and its note is completed at the next one"):
            self._complete(note)
        return note.entry

    def _settle(self) -> None:
        """Completes or discards what a killed process wrote down but did not mark as done."""
        champion = self.champion()
        for note in journal.notes(self._store):
            if note.open and note.entry.champion == champion:
                _log.warning("the journal's entry %r was left open; it is completed", note.entry.title)
                self._complete(note)
            elif note.open:
                _log.warning("the journal's entry %r was not carried out; it is discarded", note.entry.title)
                journal.discard(self._store, note)

    def _complete(self, note: StoredEntry) -> None:
        tags = note.entry.tags()
        self.versions.tag(note.entry.challenger, tags)
        self.versions.describe(note.entry.challenger, tags, journal.address(self._store, note))
        journal.complete(self._store, note)


def resolve(uri: str) -> Path:
    """The model folder behind a registry address, in the current project; see `Registry.resolve`."""
    return Registry.open().resolve(uri)


def _tags(card: Card, metrics: Metrics, predictions: str, folder: Path) -> dict[str, str]:
    provenance = provenance_of(folder)
    accuracy = metrics.model.test.accuracy
    return {
        "weights.sha256": card.weights_sha256,
        "predictions.sha256": predictions,
        "data.fingerprint": card.fingerprint,
        "data.source": card.source,
        "data.synthetic": str(card.synthetic).lower(),
        "data.alignment": card.alignment,
        "protocol": card.protocol,
        "outside_data": card.outside_data,
        "towers": tower_summary([card.model.backbone]) or "none",
        "recipe": card.recipe,
        "thresholds": json.dumps({f"{point.fmr:g}": point.threshold for point in card.decision.fmr_table}),
        "accuracy": f"{accuracy.value:.4f} [{accuracy.low:.4f}, {accuracy.high:.4f}]",
        **{key: value for key, value in provenance.tags().items() if not key.startswith("mlflow.")},
    }
