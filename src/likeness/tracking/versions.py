"""Versions of the registered model: which there are, what an alias or address means, where their files are."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from likeness.artifacts.gate_figures import GATE_FIGURES, GateFigures
from likeness.artifacts.predictions import PREDICTIONS
from likeness.errors import LikenessError, TrackingError
from likeness.files import file_sha256
from likeness.models.card import WEIGHTS
from likeness.project import main_repository
from likeness.tracking.logged_models import log_model, models_of
from likeness.tracking.mlflow_store import Store, one_line
from likeness.tracking.version_text import KEPT, describe_version

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

MODEL = "likeness"


class Versions:
    """What one store holds of the model; a fault of MLflow becomes one clear TrackingError inside `reporting`.

    Args:
        store: that holds them.
        folder: of the project, where files of a server are kept.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder

    @contextmanager
    def reporting(self, doing: str, otherwise: str = "Nothing that serves was changed") -> Iterator[None]:
        """Makes one sentence of whatever goes wrong inside, with what was being done and what that means."""
        try:
            yield
        except LikenessError:
            raise
        except Exception as error:
            raise TrackingError(f"{doing} failed at {self._store.uri}: {one_line(error)}. {otherwise}") from error

    def of(self, number: int) -> ModelVersion:
        """A version by its number."""
        found: ModelVersion = self._store.client.get_model_version(MODEL, str(number))
        return found

    def alias(self, alias: str) -> int | None:
        """The number behind an alias; None where nothing bears it."""
        from mlflow.exceptions import MlflowException

        with self.reporting(f"looking for the {alias}"):
            try:
                return int(self._store.client.get_model_version_by_alias(MODEL, alias).version)
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise

    def point(self, alias: str, number: int) -> None:
        """Lets an alias mean a version from now on."""
        self._store.client.set_registered_model_alias(MODEL, alias, str(number))

    def tag(self, number: int, tags: Mapping[str, str]) -> None:
        """Writes tags to a version."""
        for key, value in tags.items():
            self._store.client.set_model_version_tag(MODEL, str(number), key, value)

    def describe(self, number: int, gate: Mapping[str, str], journal: str) -> None:
        """Writes what the gate decided on a version, and how to make it again, into its description."""
        code = self.code_of(self.of(number))
        self._store.client.update_model_version(MODEL, str(number), describe_version(number, gate, code, journal))

    def code_of(self, version: ModelVersion) -> Mapping[str, str]:
        """Tags `git.…` of the training; of the tree that registered the version where its run is gone."""
        from mlflow.exceptions import MlflowException

        try:
            tags: Mapping[str, str] = self._store.client.get_run(str(version.run_id)).data.tags
        except MlflowException:
            tags = version.tags
        return tags

    def number(self, uri: str) -> int:
        """The number that an address means.

        Raises:
            TrackingError: it is no address of this model, or nothing bears the alias.
        """
        name, mark, which = uri.removeprefix("models:/").partition("@" if "@" in uri else "/")
        if not uri.startswith("models:/") or name != MODEL or not which:
            raise TrackingError(f"{uri}: expected models:/{MODEL}@champion or models:/{MODEL}/VERSION")
        if mark == "/":
            if not which.isdigit():
                raise TrackingError(f"{uri}: {which} is no version number")
            return int(which)
        version = self.alias(which)
        if version is None:
            raise TrackingError(
                f"{uri}: the registry has no {which} yet. `make register` registers the trained model and lets "
                "the gate decide; `likeness promote VERSION --because …` decides by hand"
            )
        return version

    def numbers(self) -> set[int]:
        """Of all versions that there are."""
        with self.reporting("looking for versions"):
            found = self._store.client.search_model_versions(f"name = '{MODEL}'")
            return {int(version.version) for version in found}

    def find(self, weights: str, predictions: str) -> int | None:
        """The version of these weights with these predictions, by their sha256; None where there is none."""
        for version in self._store.client.search_model_versions(f"name = '{MODEL}'"):
            if (version.tags.get("weights.sha256"), version.tags.get("predictions.sha256")) == (
                weights,
                predictions,
            ):
                return int(version.version)
        return None

    def make(
        self, run_id: str, model: Path, predictions: Path, figures: GateFigures, tags: Mapping[str, str]
    ) -> int:
        """Adds what the gate compares to the model of a run, and registers it.

        Args:
            run_id: of its training.
            model: folder with weights and card.
            predictions: file of its evaluation.
            figures: what the gate needs besides.
            tags: of the version.
        """
        client = self._store.client
        logged = self._evaluated(run_id, model, predictions, figures)
        if not client.search_registered_models(f"name = '{MODEL}'"):
            client.create_registered_model(MODEL, description="One-shot face verification: see the card.")
        made = client.create_model_version(
            MODEL, logged.artifact_location, run_id=run_id, tags=dict(tags), model_id=logged.model_id
        )
        return int(made.version)

    def _evaluated(self, run_id: str, model: Path, predictions: Path, figures: GateFigures) -> LoggedModel:
        """The run's model with what the gate compares beside it; logged again if it has another evaluation."""
        client, weights, evaluation = self._store.client, file_sha256(model / WEIGHTS), file_sha256(predictions)
        fitting = (
            one
            for one in models_of(client, client.get_run(run_id))
            if one.tags.get("weights.sha256") == weights
            and one.tags.get("predictions.sha256", evaluation) == evaluation
        )
        logged = next(fitting, None) or log_model(self._store, run_id, model)
        client.set_logged_model_tags(logged.model_id, {"predictions.sha256": evaluation})
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copy(predictions, Path(scratch) / PREDICTIONS.name)
            GATE_FIGURES.write(Path(scratch) / GATE_FIGURES.name, figures)
            for file in (self._folder / name for name in KEPT):
                if file.is_file():
                    shutil.copy(file, scratch)
            client.log_model_artifacts(logged.model_id, scratch)
        return logged

    def files(self, version: ModelVersion) -> Path:
        """A version's folder on this machine; one that is on a server is fetched.

        Raises:
            TrackingError: it is gone.
        """
        source = str(version.source)
        if source.startswith("file:") or "://" not in source:
            folder = Path(unquote(urlsplit(source).path))
        else:
            folder = self._fetched(version)
        if not folder.is_dir():
            raise TrackingError(f"version {version.version}: its files are gone from {folder}; register it again")
        return folder

    def _fetched(self, version: ModelVersion) -> Path:
        from mlflow.artifacts import download_artifacts

        uri = self._store.client.tracking_uri
        kept = main_repository(self._folder) / ".likeness" / "versions" / f"{MODEL}-{version.version}"
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                path = download_artifacts(str(version.source), dst_path=scratch, tracking_uri=uri)
                Path(path).rename(kept)
        return kept
