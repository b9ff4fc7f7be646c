"""The checkpoint: the file that an interrupted training resumes from; `likeness.training.resume` reads it.

It is one safetensors file with its JSON inside, replaced atomically, never a pickle.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from likeness._version import __version__
from likeness.artifacts.json_file import JsonFile
from likeness.errors import DataError
from likeness.models.tensors import write_tensors

STATE = "training.safetensors"
LAST_GOOD = "last-good.safetensors"
_FORMAT = 2  # of the values and tensors; one of another format is of another training
_CHUNK = 1024  # faces digested at a time

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnedNote:
    """A text beside a checkpoint, and the digest of what it belongs to."""

    owner: str
    value: str | None = None


NOTE = JsonFile("note.json", OwnedNote)


@dataclass(frozen=True)
class Checkpoint:
    """All that a training needs to go on as if it had never been interrupted.

    Attributes:
        epoch: of the next step, counted from 0.
        step: of the next step within its epoch, counted from 0.
        values: plain values: history, early stopping, seconds so far.
        tensors: weights, optimiser state, averages and steps, by name.
    """

    epoch: int
    step: int
    values: dict[str, Any]
    tensors: dict[str, Tensor]


def checkpoint_key(
    settings: dict[str, Any], arrays: Iterable[npt.NDArray[Any]], faces: npt.NDArray[np.uint8]
) -> str:
    """Hex sha256 of everything that a training's result depends on; another key, another training.

    Args:
        settings: parameters and seeds, as plain values.
        arrays: pairs, identities and initial weights.
        faces: the pixel store, uint8 [N, H, W].
    """
    digest = hashlib.sha256(json.dumps([__version__, _FORMAT, settings], sort_keys=True, default=str).encode())
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    digest.update(f"{faces.shape}".encode())
    for start in range(0, len(faces), _CHUNK):
        digest.update(np.ascontiguousarray(faces[start : start + _CHUNK]).data)
    return digest.hexdigest()


def save_checkpoint(folder: Path, key: str, checkpoint: Checkpoint) -> None:
    """Replaces the folder's checkpoint.

    Raises:
        OutputError: the folder cannot be written; the checkpoint before is intact.
    """
    facts = {"key": key, "epoch": checkpoint.epoch, "step": checkpoint.step, "facts": checkpoint.values}
    state = json.dumps(facts)
    write_tensors(
        folder / STATE, checkpoint.tensors, {"state": state, "sha256": _digest(state, checkpoint.tensors)}
    )


def load_checkpoint(folder: Path, key: str) -> Checkpoint | None:
    """The folder's checkpoint if it belongs to this training, else None.

    One of another training, or one that cannot be read, is left alone until the next is saved in its place.
    """
    _remove_partial_files(folder)
    path = folder / STATE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as stream:
            facts = json.loads(stream.metadata()["state"])
            if facts["key"] != key:
                log.info("%s is of a training with other parameters or data: starting again", path)
                return None
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (no mapping)
            if _digest(stream.metadata()["state"], tensors) != stream.metadata()["sha256"]:
                raise ValueError("its content is not what was saved")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        log.warning("%s cannot be read (%s): starting again", path, error)
        return None
    return Checkpoint(facts["epoch"], facts["step"], facts["facts"], tensors)


def _digest(state: str, tensors: dict[str, Tensor]) -> str:
    """Hex sha256 of everything that a checkpoint holds."""
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_best_weights(folder: Path, weights: dict[str, Tensor]) -> Path:
    """Keeps the weights of a training that went wrong, fit for `model.init_from`; returns their file."""
    path = folder / LAST_GOOD
    write_tensors(path, weights)
    return path


def save_run_note(folder: Path, owner: str, value: str | None) -> None:
    """Keeps a text beside the checkpoint, such as the id of the tracking run that the training is noted in.

    Args:
        folder: of the checkpoint.
        owner: digest of what the text belongs to; another owner does not get it back.
        value: the text; None forgets it.
    """
    NOTE.write(folder / NOTE.name, OwnedNote(owner, value))


def read_run_note(folder: Path, owner: str) -> str | None:
    """What `save_run_note` kept for this owner, or None."""
    try:
        note = NOTE.find(folder / NOTE.name)
    except DataError:
        return None
    return note.value if note is not None and note.owner == owner else None


def remove_checkpoints(folder: Path) -> None:
    """Removes the checkpoints of a training that is over, those of its steps too, once its model is saved."""
    for place in {folder, *folder.glob("**/")}:
        _remove_partial_files(place)
        for name in (STATE, LAST_GOOD, NOTE.name):
            (place / name).unlink(missing_ok=True)
    _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    for inner in folder.iterdir() if folder.is_dir() else ():
        if inner.is_dir():
            _remove_empty(inner)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _remove_partial_files(folder: Path) -> None:
    """Removes what a kill during `save_checkpoint` left: hundreds of megabytes that nothing else removes."""
    for half in folder.glob(f".{STATE}.*.part"):
        half.unlink(missing_ok=True)
