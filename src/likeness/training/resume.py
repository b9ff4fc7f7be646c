"""Resume: how far a training has come, and how that is written into a checkpoint and read from it."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from likeness.artifacts.history import EpochRecord
from likeness.data.splits import Pairs, TrainingData
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.training.checkpoint import Checkpoint, checkpoint_key, load_checkpoint, save_checkpoint
from likeness.training.early_stopping import EarlyStopping
from likeness.training.losses.objective import Objective
from likeness.training.params import TrainParams
from likeness.training.step_log import StepLog
from likeness.training.training_state import TrainingState, with_prefix

log = logging.getLogger(__name__)


@dataclass
class TrainingPosition:
    """How far a training has come; the next step is step `index` of epoch `epoch`.

    Attributes:
        stopping: early stopping.
        epoch: of the next step, counted from 0.
        index: of the next step within its epoch, counted from 0.
        earlier_seconds: of the current epoch, before an interruption.
        stop_reason: why the training is over; "" while it is not.
        history: the epochs that are done.
        step_log: the steps that are done.
        best_weights: of the best epoch so far.
    """

    stopping: EarlyStopping
    epoch: int = 0
    index: int = 0
    earlier_seconds: float = 0.0
    stop_reason: str = ""
    history: list[EpochRecord] = field(default_factory=list)
    step_log: StepLog = field(default_factory=StepLog)
    best_weights: dict[str, Tensor] = field(default_factory=dict)


def save_position(
    folder: Path, key: str, position: TrainingPosition, state: TrainingState, epoch_seconds: float
) -> None:
    """Replaces the checkpoint of a training.

    Args:
        folder: of the checkpoint.
        key: of the training, see `training_key`.
        position: how far it has come.
        state: the network in training.
        epoch_seconds: of the current epoch, over all interruptions.

    Raises:
        OutputError: the folder cannot be written; the checkpoint before is intact.
    """
    position.step_log.sync()
    values = {
        "seconds": epoch_seconds,
        "stop": position.stop_reason,
        "history": [dataclasses.asdict(record) for record in position.history],
        "early_stopping": position.stopping.state(),
        "precision": state.precision,
    }
    best = {f"best/{name}": tensor for name, tensor in position.best_weights.items()}
    tensors = {**state.tensors(), **best, "steps": position.step_log.table()}
    save_checkpoint(folder, key, Checkpoint(position.epoch, position.index, values, tensors))


def resume(folder: Path, key: str, state: TrainingState) -> TrainingPosition:
    """How far an interrupted training with this key has come; puts its weights into `state`.

    The beginning, with `state` as it is, where the folder holds no checkpoint of it.
    """
    stopping = state.params.stopping
    checkpoint = load_checkpoint(folder, key)
    if checkpoint is None:
        return TrainingPosition(EarlyStopping(stopping))
    values, tensors = checkpoint.values, checkpoint.tensors
    best = {name: tensor.to(state.context.device) for name, tensor in with_prefix(tensors, "best").items()}
    position = TrainingPosition(
        stopping=EarlyStopping(stopping, **values["early_stopping"]),
        epoch=checkpoint.epoch,
        index=checkpoint.step,
        earlier_seconds=values["seconds"],
        stop_reason=values["stop"],
        history=[EpochRecord(**record) for record in values["history"]],
        step_log=StepLog(tensors["steps"]),
        best_weights=best,
    )
    state.precision = values["precision"]  # to measure again could choose another
    state.restore(tensors, len(position.step_log))
    log.info("continuing with epoch %d, step %d", position.epoch + 1, position.index + 1)
    return position


def training_key(
    data: TrainingData,
    holdout: Pairs,
    pixels: npt.NDArray[np.uint8],
    siamese: Siamese,
    objective: Objective,
    preprocess: Preprocess,
    params: TrainParams,
    seed: int,
) -> str:
    """Names the checkpoint of exactly this training; see `train` for the arguments."""
    network = [repr(siamese), siamese.normalise, siamese.unit, siamese.window, siamese.frozen]
    settings = {
        "params": dataclasses.asdict(params),
        "preprocess": dataclasses.asdict(preprocess),
        "network": network,
        "seed": seed,
    }
    columns = [getattr(table, field.name) for table in (data, holdout) for field in dataclasses.fields(table)]
    weights = [tensor.cpu().numpy() for part in (siamese, objective) for tensor in part.state_dict().values()]
    return checkpoint_key(settings, [*columns, *weights], pixels)
