"""Where the model stands: whether the one that was trained last was judged, and the figures of both sides."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likeness.errors import TrackingError
from likeness.files import file_sha256, read_json, write_json
from likeness.operations import read_operations
from pipelines.nightly.outcome import HaltError, Outcome
from pipelines.nightly.params import Places

if TYPE_CHECKING:
    from likeness.tracking.gate import Verdict

_log = logging.getLogger(__name__)
_MEMORY = "judged.json"


@dataclass(frozen=True)
class Standing:
    """The registry after a night; the verdict is None where the very same model had been judged before."""

    verdict: Verdict | None
    challenger: int | None
    champion: int | None
    challenger_accuracy: float | None
    champion_accuracy: float | None


def judged(places: Places) -> bool:
    """Whether the model and evaluation that lie in the project have passed before the gate."""
    digests = _digests(places)
    return digests is not None and _remembered(places.state / _MEMORY) == digests


def _remembered(memory: Path) -> Any:
    """The digests that were judged last; None where there are none, or where they cannot be read."""
    try:
        return read_json(memory)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("%s: is damaged (%s); the model is judged again", memory, error)
        return None


def judge_model(places: Places) -> Standing:
    """Registers the model, lets the gate decide, and remembers that it did.

    Raises:
        HaltError: the store is away; nothing that serves was changed.
    """
    from likeness.tracking.consistency import StageOutputs
    from likeness.tracking.gate import GateParams
    from likeness.tracking.registry import Registry
    from likeness.tracking.runs import TrackingParams
    from pipelines.register import register_and_decide

    gate, tracking = read_operations(places.params, GateParams, TrackingParams)
    outputs = StageOutputs(
        places.faces, places.model, places.reports / "evaluation", places.reports / "train" / "run.json"
    )
    try:
        verdict = register_and_decide(outputs, gate, tracking, places.reports / "gate")
        registry = Registry.open(tracking.uri)
        challenger, champion = registry.challenger(), registry.champion()
        figures = [None if v is None else registry.candidate(v).accuracy for v in (challenger, champion)]
    except TrackingError as error:
        raise HaltError(Outcome.TRACKING_AWAY, str(error), transient=True) from error
    write_json(places.state / _MEMORY, _digests(places))
    return Standing(verdict, challenger, champion, *figures)


def require_tracking(places: Places) -> None:
    """Ends the night before a training that could not be registered.

    Raises:
        HaltError: the store does not answer.
    """
    from likeness.tracking.registry import Registry
    from likeness.tracking.runs import TrackingParams

    tracking = read_operations(places.params, TrackingParams)
    if not tracking.enabled:
        raise HaltError(Outcome.TRACKING_AWAY, "tracking.enabled is false, so no model could be registered.")
    try:
        Registry.open(tracking.uri, create=True)
    except TrackingError as error:
        raise HaltError(Outcome.TRACKING_AWAY, str(error), transient=True) from error


def facts(places: Places) -> dict[str, Any]:
    """Fingerprint of the data set and id of the training's run, as far as they are known."""
    return {
        "fingerprint": _value(places.faces / "source.json", "fingerprint"),
        "run_id": _value(places.reports / "train" / "run.json", "run_id"),
    }


def _value(path: Path, key: str) -> Any:
    try:
        return read_json(path).get(key)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError) as error:  # it is shown, and decides nothing
        _log.warning("%s: is damaged (%s)", path, error)
        return None


def _digests(places: Places) -> dict[str, str] | None:
    files = {
        "weights": places.model / "weights.safetensors",
        "predictions": places.reports / "evaluation" / "predictions.parquet",
    }
    if not all(path.is_file() for path in files.values()):
        return None
    return {name: file_sha256(path) for name, path in files.items()}
