"""The registry of models in MLflow: versions, the two aliases, and the journal of who came to serve and why.

A version is our own folder (weights as safetensors, card, ONNX tower) wrapped as a pyfunc without a pickle, with
the predictions that the gate compares beside it. `challenger` is the newest version, `champion` the one that
serves. Every change of the champion is a run of the experiment `likeness-gate`, with the reason in its tags and
the whole decision among its artifacts, so the journal is read with the same tools as everything else.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from likeness.errors import LikenessError, TrackingError
from likeness.files import file_sha256, read_json, write_json, write_text
from likeness.models.card import CARD, WEIGHTS, Card, read_card
from likeness.tracking import journal
from likeness.tracking.gate import Candidate, Verdict
from likeness.tracking.journal import Entry
from likeness.tracking.packing import DATA, packed, read_candidate
from likeness.tracking.provenance import provenance_of
from likeness.tracking.store import Store, connect, main_repository, one_line

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

MODEL = "likeness"
CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Registered:
    """A version, and whether this call made it (False: the registry held this very model already)."""

    version: int
    created: bool


class Registry:
    """The registry of one store; every fault of MLflow becomes one clear TrackingError."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder

    @classmethod
    def open(cls, uri: str | None = None, folder: Path | None = None) -> Registry:
        """The registry that the project in `folder` (None: the current one) uses.

        Raises:
            TrackingError: the store cannot be reached.
        """
        place = folder or Path.cwd()
        return cls(connect(uri, main_repository(place)), place)

    def register(
        self, model: Path, predictions: Path, metrics: Mapping[str, Any], run_json: Path, milliseconds: float
    ) -> Registered:
        """Registers an evaluated model and makes it the challenger.

        A model that is registered already (same weights on the same data, as after a run-cache hit that
        restored an old training) is recognised by its digests: no version and no run is made.

        Args:
            model: folder with weights and card.
            predictions: file with the predictions of its evaluation, their pictures `named`.
            metrics: metrics.json of its evaluation.
            run_json: the run of its training.
            milliseconds: of one embedding on one core.

        Raises:
            TrackingError: the store refuses, or the training was not tracked.
        """
        card = read_card(model / CARD)
        with self._told("registering the model"):
            known = self._find(card.weights_sha256, file_sha256(predictions))
            if known is not None:
                return Registered(int(known.version), created=False)
            run_id = _run_id(run_json)
            figures = {
                "threshold": card.decision.threshold,
                "baseline_accuracy": metrics["baseline"]["test"]["accuracy"]["value"],
                "milliseconds": milliseconds,
                "bytes": (model / WEIGHTS).stat().st_size,
            }
            source = self._upload(run_id, model, predictions, figures)
            tags = _tags(card, metrics, file_sha256(predictions), self._folder)
            self._ensure_model()
            made = self._client.create_model_version(MODEL, source, run_id=run_id, tags=tags)
            self._client.set_registered_model_alias(MODEL, CHALLENGER, made.version)
            return Registered(int(made.version), created=True)

    def candidate(self, version: int) -> Candidate:
        """What the gate needs to know of a version."""
        with self._told(f"reading version {version}"):
            return read_candidate(self._folder_of(self._version(version)), version)

    def judged(self, version: int) -> bool:
        """Whether the gate, or a person, has decided on a version: its tags say so once the journal does."""
        with self._told(f"reading version {version}"):
            return "gate.outcome" in self._version(version).tags

    def champion(self) -> int | None:
        """The version that serves, or None when none does yet."""
        return self._alias(CHAMPION)

    def challenger(self) -> int | None:
        """The newest version that was put up, or None."""
        return self._alias(CHALLENGER)

    def resolve(self, uri: str) -> Path:
        """The model folder behind `models:/likeness@champion` or `models:/likeness/3`, its weights verified.

        Raises:
            TrackingError: no such version or alias, the store is away, or the weights are not those that were
                registered; a service that is running keeps the model that it has.
        """
        with self._told(f"resolving {uri}"):
            version = self._version(self._number(uri))
            folder = self._folder_of(version) / DATA
            found, recorded = file_sha256(folder / WEIGHTS), version.tags.get("weights.sha256")
            if found != recorded:
                raise TrackingError(
                    f"version {version.version}: its weights are not those that were registered (expected sha256 "
                    f"{recorded}, found {found}). Do not serve it: `likeness rollback`, or register "
                    "it again"
                )
            return folder

    def record(self, verdict: Verdict) -> None:
        """Notes the gate's decision in the journal and with the version; promotes where it says so."""
        with self._told("recording the gate's decision"):
            if verdict.outcome == "promoted":
                self._client.set_registered_model_alias(MODEL, CHAMPION, str(verdict.challenger))
            serves = verdict.challenger if verdict.outcome == "promoted" else verdict.champion
            self._note(Entry(verdict.outcome, verdict.challenger, serves, verdict.reason), verdict)

    def promote(self, version: int, because: str) -> Entry:
        """Makes a version the champion by a person's decision."""
        with self._told(f"promoting version {version}"):
            self._version(version)
            self._client.set_registered_model_alias(MODEL, CHAMPION, str(version))
            return self._note(Entry("promoted by hand", version, version, because))

    def rollback(self, because: str) -> Entry:
        """Makes the version that served before the present champion the champion again.

        Raises:
            TrackingError: nothing served before.
        """
        with self._told("rolling back"):
            present = self.champion()
            earlier = [entry.champion for entry in self.journal() if entry.champion not in (None, present)]
            if present is None or not earlier:
                raise TrackingError(
                    "there is nothing to roll back to: no other version has served before. "
                    "`likeness promote VERSION --because …` puts any version in place"
                )
            before = int(earlier[0] or 0)
            self._client.set_registered_model_alias(MODEL, CHAMPION, str(before))
            return self._note(Entry("rolled back", before, before, because))

    def journal(self) -> list[Entry]:
        """Every decision, the newest first."""
        with self._told("reading the journal"):
            return journal.entries(self._store)

    @property
    def _client(self) -> Any:
        return self._store.client

    def _alias(self, alias: str) -> int | None:
        from mlflow.exceptions import MlflowException

        with self._told(f"looking for the {alias}"):
            try:
                return int(self._client.get_model_version_by_alias(MODEL, alias).version)
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise

    def _number(self, uri: str) -> int:
        name, mark, which = uri.removeprefix("models:/").partition("@" if "@" in uri else "/")
        if not uri.startswith("models:/") or name != MODEL or not which:
            raise TrackingError(f"{uri}: expected models:/{MODEL}@champion or models:/{MODEL}/VERSION")
        if mark == "/":
            if not which.isdigit():
                raise TrackingError(f"{uri}: {which} is no version number")
            return int(which)
        version = self._alias(which)
        if version is None:
            raise TrackingError(
                f"{uri}: the registry has no {which} yet. `make register` registers the trained model and lets "
                "the gate decide; `likeness promote VERSION --because …` decides by hand"
            )
        return version

    def _version(self, number: int) -> ModelVersion:
        found: ModelVersion = self._client.get_model_version(MODEL, str(number))
        return found

    def _find(self, weights: str, predictions: str) -> ModelVersion | None:
        versions = self._client.search_model_versions(f"name = '{MODEL}'")
        same = [
            version
            for version in versions
            if (version.tags.get("weights.sha256"), version.tags.get("predictions.sha256"))
            == (weights, predictions)
        ]
        return same[0] if same else None

    def _ensure_model(self) -> None:
        if not self._client.search_registered_models(f"name = '{MODEL}'"):
            self._client.create_registered_model(MODEL, description="One-shot face verification: see the card.")

    def _upload(self, run_id: str, model: Path, predictions: Path, figures: Mapping[str, float]) -> str:
        """Writes the version's folder among the run's artifacts and returns its address."""
        place = f"registered-{file_sha256(predictions)[:8]}"
        with packed(model, predictions, figures) as folder:
            self._client.log_artifacts(run_id, str(folder), place)
        return f"{self._client.get_run(run_id).info.artifact_uri}/{place}"

    def _folder_of(self, version: ModelVersion) -> Path:
        """A version's folder on this machine; one that lies on a server is fetched."""
        source = str(version.source)
        if source.startswith("file:") or "://" not in source:
            folder = Path(unquote(urlsplit(source).path))
        else:
            folder = self._fetched(version)
        if not folder.is_dir():
            raise TrackingError(f"version {version.version}: its files are gone from {folder}; register it again")
        return folder

    def _fetched(self, version: ModelVersion) -> Path:
        kept = main_repository(self._folder) / ".likeness" / "versions" / f"{MODEL}-{version.version}"
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                place = str(version.source).rstrip("/").rpartition("/")[2]
                path = self._client.download_artifacts(version.run_id, place, scratch)
                Path(path).rename(kept)
        return kept

    def _note(self, entry: Entry, verdict: Verdict | None = None) -> Entry:
        written = journal.write(self._store, entry, verdict)
        for key, value in entry.tags().items():
            self._client.set_model_version_tag(MODEL, str(entry.challenger), key, value)
        return written

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except LikenessError:
            raise
        except Exception as error:
            raise TrackingError(
                f"{doing} failed at {self._store.uri}: {one_line(error)}. Nothing that serves was changed"
            ) from error


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Writes gate.json and gate.md."""
    write_json(folder / "gate.json", verdict.as_json())
    write_text(folder / "gate.md", verdict.table())


def resolve(uri: str) -> Path:
    """The model folder behind a registry address, in the current project; see `Registry.resolve`."""
    return Registry.open().resolve(uri)


def _run_id(run_json: Path) -> str:
    try:
        run = read_json(run_json)
    except OSError as error:
        raise TrackingError(
            f"{run_json}: no record of a training ({error.strerror}); run `dvc repro` first"
        ) from error
    if run["run_id"] is None:
        raise TrackingError(
            f"the training was not tracked ({run['reason']}), so there is no run to register the model with. Make "
            "the store reachable and train again: `dvc repro -f -s train` and `dvc repro`"
        )
    return str(run["run_id"])


def _tags(card: Card, metrics: Mapping[str, Any], predictions: str, folder: Path) -> dict[str, str]:
    provenance = provenance_of(folder)
    accuracy = metrics["model"]["test"]["accuracy"]
    return {
        "weights.sha256": card.weights_sha256,
        "predictions.sha256": predictions,
        "data.fingerprint": card.fingerprint,
        "data.source": card.source,
        "data.synthetic": str(card.synthetic).lower(),
        "data.alignment": card.alignment,
        "protocol": card.protocol,
        "outside_data": card.outside_data,
        "recipe": card.recipe,
        "thresholds": json.dumps({f"{point.far:g}": point.threshold for point in card.decision.far_table}),
        "accuracy": f"{accuracy['value']:.4f} [{accuracy['low']:.4f}, {accuracy['high']:.4f}]",
        **{key: value for key, value in provenance.tags().items() if not key.startswith("mlflow.")},
    }
