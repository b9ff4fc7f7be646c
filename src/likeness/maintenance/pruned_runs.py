"""Runs and versions of the tracking store that may go, and MLflow's bin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from likeness.errors import TrackingError
from likeness.maintenance.removal_step import Step, size_of
from likeness.maintenance.tracked import FINGERPRINT, all_runs, open_registry, tracking_uri
from likeness.project import main_repository
from likeness.tracking.journal import EXPERIMENT
from likeness.tracking.logged_models import models_of
from likeness.tracking.registry import Registry
from likeness.tracking.versions import MODEL

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True)
class Tracked:
    """The runs and versions of a store.

    Attributes:
        runs: all of them, the newest first, those in MLflow's bin included.
        versions: run of each registered version, by its number.
        kept: versions that stay: champion, challenger, and the one that `likeness rollback` would take.
        journal: id of the experiment of decisions, which stays.
    """

    runs: tuple[Run, ...]
    versions: dict[int, str]
    kept: frozenset[int]
    journal: str | None


def run_steps(root: Path, since: float, newest: int) -> Iterator[Step]:
    """Old runs with their versions, and what is in MLflow's bin.

    Args:
        root: of the project.
        since: seconds since 1970; runs that ended later stay.
        newest: so many runs of each experiment stay.

    Raises:
        TrackingError: the store cannot be read.
    """
    registry = open_registry(root)
    if registry is None:
        return
    tracked = _tracked(registry)
    yield from _fetched(root, tracked)
    if _is_local(root):  # a server looks after its own runs
        yield from _steps(root, registry, tracked, _old(tracked, since, newest))


def data_steps(root: Path, fingerprints: Sequence[str]) -> Iterator[Step]:
    """Runs and versions that were trained on data sets, whatever their age.

    Args:
        root: of the project.
        fingerprints: of the data sets, or how they begin.

    Raises:
        TrackingError: the store cannot be read, or the champion is among the versions.
    """
    registry = open_registry(root)
    if registry is None:
        return
    if not _is_local(root):
        raise TrackingError(
            f"{registry.uri}: a server looks after its own runs; delete them there, and `mlflow gc`"
        )
    tracked = _tracked(registry)
    runs = {run.info.run_id for run in tracked.runs if _of_data(run, fingerprints)}
    champion = registry.champion()
    if champion is not None and tracked.versions.get(champion) in runs:
        raise TrackingError(
            f"version {champion}, which serves, was trained on this data: put another in its place first "
            "(`make register`, or `likeness promote VERSION --because …`)"
        )
    yield from _steps(root, registry, tracked, runs)


def _is_local(root: Path) -> bool:
    """Whether the store is a database in a file."""
    return tracking_uri(root).startswith("sqlite:")


def _fetched(root: Path, tracked: Tracked) -> Iterator[Step]:
    """Copies of a server's versions on this machine, but for those that stay."""
    needed = {f"{MODEL}-{number}" for number in tracked.kept}
    copies = sorted((main_repository(root) / ".likeness" / "versions").glob(f"{MODEL}-*"))
    for copy in copies:
        if copy.name not in needed:
            yield Step(f"the copy of {copy.name} here", size_of(copy), partial(shutil.rmtree, copy))


def _of_data(run: Run, fingerprints: Sequence[str]) -> bool:
    data = run.data.tags.get(FINGERPRINT, "")
    return any(fingerprint and data.startswith(fingerprint) for fingerprint in fingerprints)


def _tracked(registry: Registry) -> Tracked:
    with registry.versions.reporting("looking for runs"):
        found = registry.client.search_model_versions(f"name = '{MODEL}'")
        journal = registry.client.get_experiment_by_name(EXPERIMENT)
        return Tracked(
            tuple(all_runs(registry.client)),
            {int(version.version): str(version.run_id) for version in found},
            frozenset(registry.needed()),
            journal.experiment_id if journal else None,
        )


def _old(tracked: Tracked, since: float, newest: int) -> set[str]:
    """Runs that may go by age, and those in the bin; never one of a version that stays."""
    needed = {tracked.versions[number] for number in tracked.kept if number in tracked.versions}
    seen: Counter[str] = Counter()
    old = set()
    for run in tracked.runs:
        info = run.info
        if info.run_id in needed or info.experiment_id == tracked.journal:
            continue
        seen[info.experiment_id] += info.lifecycle_stage == "active"
        ended = (info.end_time or info.start_time or 0) / 1000
        aged = seen[info.experiment_id] > newest and ended < since and info.status != "RUNNING"
        if aged or info.lifecycle_stage == "deleted":
            old.add(info.run_id)
    return old


def _steps(root: Path, registry: Registry, tracked: Tracked, gone: Set[str]) -> Iterator[Step]:
    runs = [run for run in tracked.runs if run.info.run_id in gone]
    if not runs:
        return
    uri = tracking_uri(root)
    versions = [number for number, run in tracked.versions.items() if run in gone]
    what = f"{len(runs)} MLflow runs" if len(runs) > 1 else f"MLflow run {runs[0].info.run_id}"
    if versions:
        what += f", with registered version {', '.join(map(str, sorted(versions)))}"
    size = sum(_size(registry, run) for run in runs)
    yield Step(what, size, lambda: _remove(registry, uri, runs, versions))


def _size(registry: Registry, run: Run) -> int:
    """Bytes of a run's artifacts and models in folders of this machine."""
    models = [model.artifact_location for model in models_of(registry.client, run)]
    return sum(_folder_size(str(uri)) for uri in (run.info.artifact_uri, *models))


def _folder_size(uri: str) -> int:
    parts = urlsplit(uri)
    return size_of(Path(unquote(parts.path))) if parts.scheme in ("", "file") else 0


def _remove(registry: Registry, uri: str, runs: Sequence[Run], versions: Sequence[int]) -> None:
    """Versions first, so that none is left without its files; then the runs, for good."""
    with registry.versions.reporting("removing runs", "Run it again"):
        for number in versions:
            registry.client.delete_model_version(MODEL, str(number))
        for run in runs:
            for model in models_of(registry.client, run):
                registry.client.delete_logged_model(model.model_id)
            if run.info.lifecycle_stage == "active":
                registry.client.delete_run(run.info.run_id)
    ids = ",".join(run.info.run_id for run in runs)
    command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", uri, "--run-ids", ids]
    done = subprocess.run(
        command, env=os.environ | {"MLFLOW_TRACKING_URI": uri}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise TrackingError(f"`mlflow gc` failed ({last}); the runs are in MLflow's bin, run this again")
