"""The registry as a nightly run sees it: whether the gate has decided on the model, and both sides' accuracy."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from likeness.artifacts.json_file import JsonFile
from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.errors import DataError, TrackingError
from likeness.files import file_sha256, read_json, write_json
from likeness.nightly.outcome import HaltError, Outcome
from likeness.nightly.paths import ProjectPaths
from likeness.operations import read_operations

if TYPE_CHECKING:
    from likeness.artifacts.gate_decision import GateDecision

_log = logging.getLogger(__name__)
_MEMORY = "judged.json"
T = TypeVar("T")


@dataclass(frozen=True)
class RegistryState:
    """The registry after the gate; the decision is None where it had decided on the very same model before."""

    decision: GateDecision | None
    challenger: int | None
    champion: int | None
    challenger_accuracy: float | None
    champion_accuracy: float | None


def is_judged(paths: ProjectPaths) -> bool:
    """Whether the gate has decided on the model and evaluation in the project."""
    digests = _digests(paths)
    return digests is not None and _remembered(paths.state / _MEMORY) == digests


def _remembered(memory: Path) -> Any:
    """The digests that were judged last; None where there are none, or where they cannot be read."""
    try:
        return read_json(memory)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("%s: is damaged (%s); the model is judged again", memory, error)
        return None


def judge_model(paths: ProjectPaths) -> RegistryState:
    """Registers the model, lets the gate decide, and returns the state of the registry afterwards.

    Raises:
        HaltError: the store cannot be reached; nothing that serves was changed.
    """
    from likeness.nightly.registration import register_and_decide
    from likeness.tracking.consistency import StageOutputs
    from likeness.tracking.gate import GateParams
    from likeness.tracking.registry import Registry
    from likeness.tracking.runs import TrackingParams

    gate, tracking = read_operations(paths.params, GateParams, TrackingParams)
    outputs = StageOutputs(
        paths.faces, paths.model, paths.reports / "evaluation", paths.reports / "train" / RUN_NOTE.name
    )
    try:
        decision = register_and_decide(outputs, gate, tracking, paths.reports / "gate")
        registry = Registry.open(tracking.uri)
        challenger, champion = registry.challenger(), registry.champion()
        accuracies = [None if v is None else registry.candidate(v).accuracy for v in (challenger, champion)]
    except TrackingError as error:
        raise HaltError(Outcome.TRACKING_AWAY, str(error), transient=True) from error
    write_json(paths.state / _MEMORY, _digests(paths))
    return RegistryState(decision, challenger, champion, *accuracies)


def require_tracking(paths: ProjectPaths) -> None:
    """Ends the run before a training that could not be registered.

    Raises:
        HaltError: the store does not answer.
    """
    from likeness.tracking.registry import Registry
    from likeness.tracking.runs import TrackingParams

    tracking = read_operations(paths.params, TrackingParams)
    if not tracking.enabled:
        raise HaltError(Outcome.TRACKING_AWAY, "tracking.enabled is false, so no model could be registered.")
    try:
        Registry.open(tracking.uri, create=True)
    except TrackingError as error:
        raise HaltError(Outcome.TRACKING_AWAY, str(error), transient=True) from error


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


def _digests(paths: ProjectPaths) -> dict[str, str] | None:
    files = {
        "weights": paths.model / "weights.safetensors",
        "predictions": paths.reports / "evaluation" / "predictions.parquet",
    }
    if not all(path.is_file() for path in files.values()):
        return None
    return {name: file_sha256(path) for name, path in files.items()}
