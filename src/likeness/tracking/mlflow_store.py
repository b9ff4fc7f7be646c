"""Where runs are kept, and a client that fails quickly and clearly when that place cannot be used.

The default is `mlflow.db` with `mlartifacts/` beside it in the main repository's root: what bare `mlflow ui`
shows there. A stage that `dvc exp run --temp` or the queue runs in a copy below `.dvc/tmp/exps` writes to the
main repository's store too, because the copy is removed afterwards.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from filelock import FileLock, Timeout

from likeness.errors import TrackingError
from likeness.telemetry import disable_telemetry
from likeness.tracking import database
from likeness.tracking.experiment_page import tag_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEFAULT_URI = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"
_PROBE_SECONDS = 5.0
_SET_UP_SECONDS = 120.0  # another process may be creating the database, which takes it about ten seconds

_ENVIRONMENT = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # A server that is gone must cost a training seconds, not the minutes of the defaults (7 tries of 120 s).
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


@dataclass(frozen=True)
class TrackingParams:
    """Section `tracking` of operations.yaml: where runs are noted, and what of a run is copied there.

    Attributes:
        enabled: False trains without a note anywhere but in the stage's own files.
        experiment: the MLflow experiment that runs belong to.
        uri: tracking store; a relative SQLite path counts from the main repository's root. None takes
            MLFLOW_TRACKING_URI, else `sqlite:///mlflow.db`. Credentials belong in MLFLOW_TRACKING_USERNAME and
            MLFLOW_TRACKING_PASSWORD, never here: this text is written to run.json (without user and password).
        log_model: logs the trained model with its run, which MLflow's page of models compares; registering it
            makes no further copy.
        log_report: copies the report, which shows the faces of the best and worst decisions, to the run. null:
            only where those faces are drawn; of photographs of people the run gets the Markdown form, which holds
            no picture. Nothing else that is logged holds a photograph or an embedding.
    """

    SECTION: ClassVar[str] = "tracking"

    enabled: bool = True
    experiment: str = "likeness"
    uri: str | None = None
    log_model: bool = True
    log_report: bool | None = None


@dataclass(frozen=True)
class Store:
    """An answering store: its client, its address as it may be written down, and where artifacts go.

    Attributes:
        client: bound to this store, so that no global state of MLflow is touched.
        uri: the address without credentials; relative to the repository's root where it is in there.
        artifacts: folder for a database in a file; None where a server decides.
    """

    client: MlflowClient
    uri: str
    artifacts: Path | None

    def experiment_id(self, name: str) -> str:
        """Id of the experiment, made or restored from the bin where need be."""
        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            folder = re.sub(r"[^\w-]+", "-", name)  # a name may hold slashes and dots
            location = (self.artifacts / folder).as_uri() if self.artifacts else None
            number = str(self.client.create_experiment(name, artifact_location=location))
        else:
            number = str(experiment.experiment_id)
        if experiment is not None and experiment.lifecycle_stage == "deleted":
            self.client.restore_experiment(number)
        tag_experiment(self.client, number)
        return number


def resolve_uri(uri: str | None, root: Path) -> str:
    """The address to connect to: `uri`, else the environment's, else the default; SQLite paths absolute."""
    chosen = uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if chosen.startswith(_SQLITE):
        return _SQLITE + str(root / chosen.removeprefix(_SQLITE))
    return chosen


def portable_uri(uri: str, root: Path) -> str:
    """The address as it may be written down: relative to `root` where it is inside, never a password."""
    if uri.startswith(_SQLITE):
        path = Path(uri.removeprefix(_SQLITE))
        return _SQLITE + str(path.relative_to(root) if path.is_relative_to(root) else path)
    parts = urllib.parse.urlsplit(uri)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def connect(uri: str | None, root: Path, *, create: bool = True) -> Store:
    """A store that has just answered.

    Args:
        uri: as in `TrackingParams.uri`.
        root: the main repository's root.
        create: makes the database where there is none; readers do not.

    Raises:
        TrackingError: locked, unreachable, absent, half-made, no database, not writable; within seconds.
    """
    resolved = resolve_uri(uri, root)
    written = portable_uri(resolved, root)
    path = Path(resolved.removeprefix(_SQLITE)) if resolved.startswith(_SQLITE) else None
    try:
        if path is not None:
            client = _open_database(path, resolved, written, create)
        else:
            _probe_server(resolved)
            client = _client(resolved)
    except TrackingError:
        raise
    except Timeout:
        raise TrackingError(f"{written}: another process has been setting it up for two minutes") from None
    except Exception as error:
        raise TrackingError(f"{written}: {one_line(error)}") from error
    return Store(client, written, path.parent / "mlartifacts" if path is not None else None)


def repair(uri: str | None, root: Path) -> str:
    """Makes the database of a store usable again, keeping what was there; returns what was done.

    Raises:
        TrackingError: the store is a server, or the file cannot be written.
    """
    resolved = resolve_uri(uri, root)
    if not resolved.startswith(_SQLITE):
        return f"{portable_uri(resolved, root)}: a server looks after its own database"
    path = Path(resolved.removeprefix(_SQLITE))
    if not path.exists():
        return f"{path.name}: none yet; the first run makes it"
    try:
        with FileLock(f"{path}.lock", timeout=_SET_UP_SECONDS):
            return database.repair(path, _revision(), _build, _upgrade)
    except (OSError, Timeout, sqlite3.Error) as error:
        raise TrackingError(f"{path}: {one_line(error)}") from error


def _open_database(path: Path, resolved: str, written: str, create: bool) -> MlflowClient:
    """A client of the database in a file, which is made whole or not at all."""
    if not create and database.state_of(path) == "absent":
        raise TrackingError(
            f"{path}: there is no tracking database here; run from the project's folder, or name the store in "
            "tracking.uri or MLFLOW_TRACKING_URI"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=_SET_UP_SECONDS):
        if database.state_of(path) == "absent":
            database.create(path, _build)
        database.check(path, written, _revision())
        _probe_database(path)
        return _client(resolved)


def _build(uri: str) -> None:
    """Makes the database that an address names, empty and at the newest layout."""
    _client(uri)


def _upgrade(uri: str) -> None:
    """Brings a database to the newest layout."""
    _prepare_mlflow()
    with _log_kept():
        import sqlalchemy
        from mlflow.store.db.utils import _upgrade_db

        engine = sqlalchemy.create_engine(uri)
        _upgrade_db(engine)  # type: ignore[no-untyped-call]
        engine.dispose()


def _revision() -> str:
    """Of the layout that the installed MLflow expects."""
    _prepare_mlflow()
    from mlflow.store.db.utils import _get_latest_schema_revision

    return str(_get_latest_schema_revision())  # type: ignore[no-untyped-call]


def one_line(error: BaseException) -> str:
    """The first line of an error: SQLAlchemy and MLflow append whole statements and tracebacks."""
    lines = [line for line in str(error).strip().splitlines() if not line.startswith("(raised as a result of")]
    return (lines or [type(error).__name__])[0]


def _client(uri: str) -> MlflowClient:
    """An MLflow client whose database is at its newest layout; the first one creates it (seconds)."""
    _prepare_mlflow()
    with _log_kept():
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)
    return client


def _prepare_mlflow() -> None:
    """Sets what MLflow reads when it is imported."""
    disable_telemetry()
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)


@contextlib.contextmanager
def _log_kept() -> Iterator[None]:
    """Keeps the program's log as it is: creating the database reconfigures it and logs every migration."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("alembic", "mlflow.store.db.utils")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, before in levels.items():
            logging.getLogger(name).setLevel(before)


def _probe_database(path: Path) -> None:
    """Asks for the write lock once: MLflow itself would retry a broken file for minutes."""
    with contextlib.closing(sqlite3.connect(path, timeout=_PROBE_SECONDS)) as probe:
        probe.execute("BEGIN IMMEDIATE")
        probe.rollback()


def _probe_server(uri: str) -> None:
    """A server that answers anything at all, be it a refusal, is there."""
    if urllib.parse.urlsplit(uri).scheme in ("http", "https"):
        request = uri.rstrip("/") + "/health"
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=_PROBE_SECONDS).close()
