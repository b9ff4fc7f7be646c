"""The registry as a nightly run sees it: whether the gate has decided on the model, and both sides' accuracy."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from likeness.artifacts.json_file import JsonFile
from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.errors import DataError, TrackingError
from likeness.files import file_sha256
from likeness.nightly.outcome import HaltError, RunOutcome
from likeness.nightly.paths import ProjectPaths
from likeness.operations import read_operations
from likeness.tracking.consistency import StageOutputs
from likeness.tracking.mlflow_store import TrackingParams

if TYPE_CHECKING:
    from likeness.artifacts.gate_decision import GateDecision
    from likeness.metrics.intervals import Estimate
    from likeness.tracking.registry import Registry

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class RegistryState:
    """The registry after the gate; the decision is None where it had decided on the very same model before."""

    decision: GateDecision | None
    challenger: int | None
    champion: int | None
    challenger_accuracy: Estimate | None
    champion_accuracy: Estimate | None


def is_judged(paths: ProjectPaths) -> bool:
    """Whether the gate, or a person, has decided on the model and evaluation in the project, as the registry says.

    Raises:
        HaltError: the store cannot be reached.
    """
    outputs = _outputs(paths)
    if not all(path.is_file() for path in outputs.digests.values()):
        return False
    with _registry(paths) as registry:
        version = registry.find(*(file_sha256(outputs.digests[name]) for name in ("weights", "predictions")))
        return version is not None and registry.judged(version)


def judge_model(paths: ProjectPaths) -> RegistryState:
    """Registers the model, lets the gate decide, and returns the state of the registry afterwards.

    Raises:
        HaltError: the store cannot be reached; nothing that serves was changed.
    """
    from likeness.nightly.registration import register_and_decide
    from likeness.tracking.gate import GateParams

    gate, tracking = read_operations(paths.params, GateParams, TrackingParams)
    with _registry(paths) as registry:
        decision = register_and_decide(_outputs(paths), gate, tracking, paths.reports / "gate")
        challenger, champion = registry.challenger(), registry.champion()
        accuracies = [None if v is None else registry.candidate(v).estimate(gate) for v in (challenger, champion)]
        return RegistryState(decision, challenger, champion, *accuracies)


def require_tracking(paths: ProjectPaths) -> None:
    """Ends the run before a training that could not be registered.

    Raises:
        HaltError: the store does not answer.
    """
    if not read_operations(paths.params, TrackingParams).enabled:
        raise HaltError(RunOutcome.TRACKING_AWAY, "tracking.enabled is false, so no model could be registered.")
    with _registry(paths):
        pass


@contextmanager
def _registry(paths: ProjectPaths) -> Iterator[Registry]:
    """The registry, made where there is none; its errors end the run, and may be gone at another try."""
    from likeness.tracking.registry import Registry

    try:
        yield Registry.open(read_operations(paths.params, TrackingParams).uri, create=True)
    except TrackingError as error:
        raise HaltError(RunOutcome.TRACKING_AWAY, str(error), transient=True) from error


def _outputs(paths: ProjectPaths) -> StageOutputs:
    return StageOutputs(
        paths.faces, paths.model, paths.reports / "evaluation", paths.reports / "train" / RUN_NOTE.name
    )


def fingerprint(paths: ProjectPaths) -> str | None:
    """Fingerprint of the data set, as far as it is known."""
    card = _found(SOURCE_CARD, paths.faces)
    return None if card is None else card.fingerprint


def run_id(paths: ProjectPaths) -> str | None:
    """Id of the training's run in MLflow, as far as it is known."""
    note = _found(RUN_NOTE, paths.reports / "train")
    return None if note is None else note.run_id


def _found(file: JsonFile[T], folder: Path) -> T | None:
    try:
        return file.find(folder / file.name)
    except DataError as error:  # it is shown, and decides nothing
        _log.warning("%s", error)
        return None
