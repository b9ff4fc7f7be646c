"""What a run records at its start: parameters, tags, and the data set that it is trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from likeness.params import leaves
from likeness.tracking.mlflow_store import Store

_PER_BATCH = 100  # MLflow's limit for parameters and for tags
_DIGEST_LENGTH = 36  # MLflow's limit for a data set's digest; the whole fingerprint is in a tag


@dataclass(frozen=True)
class DatasetNote:
    """What a run was trained on, as MLflow shows it among the run's inputs.

    Attributes:
        name: of the source, such as "lfw-a".
        fingerprint: sha256 hex of the data (`SourceCard.fingerprint`).
        source: where it came from, a file name or URL, never an absolute local path.
        profile: counts worth seeing beside the name (images, people, pairs).
    """

    name: str
    fingerprint: str
    source: str
    profile: Mapping[str, int] = field(default_factory=dict)


def describe(
    store: Store, run_id: str, values: Mapping[str, Any], dataset: DatasetNote, tags: Mapping[str, str]
) -> None:
    """Parameters, tags and data set of a run; a resumed run has its parameters, which cannot be written twice.

    A parameter without a value switches nothing on, and is left out.
    """
    known = store.client.get_run(run_id).data.params
    fresh = {key: value for key, value in leaves(values, ".") if key not in known and value not in (None, (), [])}
    log_params_and_tags(store, run_id, fresh, tags)
    store.client.log_inputs(run_id, datasets=[_dataset_input(dataset)])


def log_params_and_tags(store: Store, run_id: str, values: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """Parameters by their flat names, and tags, in as few calls as MLflow allows."""
    from mlflow.entities import Param, RunTag

    params = [Param(key, str(value)) for key, value in values.items()]
    notes = [RunTag(key, str(value)) for key, value in tags.items()]
    for at in range(0, max(len(params), len(notes)), _PER_BATCH):
        part = slice(at, at + _PER_BATCH)
        store.client.log_batch(run_id, params=params[part], tags=notes[part])


def _dataset_input(note: DatasetNote) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = json.dumps({"place": note.source, "fingerprint": note.fingerprint})
    digest = note.fingerprint[:_DIGEST_LENGTH]
    dataset = Dataset(note.name, digest, "local", source, profile=json.dumps(dict(note.profile)))
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
