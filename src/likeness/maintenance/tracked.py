"""Runs and registered versions that were trained on certain data sets."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likeness.operations import read_operations
from likeness.project import main_repository
from likeness.tracking.mlflow_store import TrackingParams, resolve_uri
from likeness.tracking.registry import CHALLENGER, CHAMPION, Registry
from likeness.tracking.versions import MODEL

if TYPE_CHECKING:
    from mlflow.entities import Run

FINGERPRINT = "data.fingerprint"
_PAGE = 1000
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class TrackedTraces:
    """What the tracking store holds that was trained on a data set with the person.

    Attributes:
        runs: ids of runs, those of versions among them.
        versions: numbers of registered versions.
        serving: those of them that are champion or challenger, by alias.
        unknown: how many runs were trained on data sets that are neither here nor in the cache any more.
        fingerprints: of the data sets with the person that runs or versions name.
    """

    runs: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    serving: tuple[tuple[str, int], ...] = ()
    unknown: int = 0
    fingerprints: tuple[str, ...] = ()


def tracking_uri(root: Path) -> str:
    """Address of the store that the project uses: operations.yaml, else the environment, else the default."""
    params = root / "params.yaml"
    tracking = read_operations(params, TrackingParams) if params.is_file() else TrackingParams()
    return resolve_uri(tracking.uri, main_repository(root))


def open_registry(root: Path) -> Registry | None:
    """The project's registry; None where its database has not been made yet."""
    uri = tracking_uri(root)
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).exists():
        return None
    return Registry.open(uri, root)


def tracked_traces(root: Path, holding: Set[str], known: Set[str]) -> TrackedTraces:
    """Runs and versions of data sets.

    Args:
        root: of the project.
        holding: fingerprints of the data sets with the person.
        known: fingerprints of all data sets that could be looked into.

    Raises:
        TrackingError: the store cannot be read.
    """
    registry = open_registry(root)
    if registry is None:
        return TrackedTraces()
    with registry.versions.reporting("looking for runs"):
        runs = {run.info.run_id: run.data.tags.get(FINGERPRINT) for run in all_runs(registry.client)}
        versions = {
            int(version.version): version.tags.get(FINGERPRINT)
            for version in registry.client.search_model_versions(f"name = '{MODEL}'")
        }
    held = tuple(sorted(number for number, data in versions.items() if data in holding))
    aliases = ((CHAMPION, registry.champion()), (CHALLENGER, registry.challenger()))
    return TrackedTraces(
        tuple(run for run, data in runs.items() if data in holding),
        held,
        tuple((alias, number) for alias, number in aliases if number in held),
        sum(data is not None and data not in known for data in runs.values()),
        tuple(sorted(holding & {*runs.values(), *versions.values()})),
    )


def all_runs(client: Any, *, deleted: bool = True) -> Iterator[Run]:
    """Every run of every experiment, the newest first, with those in MLflow's bin unless not asked for."""
    from mlflow.entities import ViewType

    view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
    experiments = [one.experiment_id for one in client.search_experiments(view_type=ViewType.ALL)]
    page = None
    while experiments:
        found = client.search_runs(experiments, "", view, _PAGE, page_token=page)
        yield from found
        page = found.token
        if not page:
            return
