"""Trains a network from the first epoch to the last, through interruptions, and hands over the best weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from likeness.data.splits import Pairs, TrainingData
from likeness.models.decision import Decision
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.training.assess import Holdout
from likeness.training.course import Course
from likeness.training.faces import FaceStore
from likeness.training.freezing import Seal, refuse_thaw
from likeness.training.interrupts import Interrupts
from likeness.training.loop import Trainer
from likeness.training.losses.build import build_objective
from likeness.training.losses.objective import Objective
from likeness.training.memory import keep_freed_memory
from likeness.training.params import TrainParams
from likeness.training.records import EpochRecord, StepRecord
from likeness.training.resume import training_key
from likeness.training.sampling import build_sampler
from likeness.training.world import World, join_world

_ASSESS_BATCH = 256  # held-out images at a time, fewer where training batches are smaller


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        siamese: with the weights kept, in evaluation mode, on the device it was trained on.
        history: one record an epoch.
        steps: one record a step.
        decision: threshold and calibration, fitted on the held-out pairs with the weights kept.
        best_epoch: whose weights were kept, counted from 1.
        stop_reason: why no further epoch was trained.
        formula: of the loss, as the report prints it.
        device: where it was trained, such as `cpu` or a GPU's name.
        processes: that trained together.
        leads: whether this process is the one that writes files (False in all but one under torchrun).
        frozen: layers that were kept as they are, found bit-identical before and after; None where none were.
    """

    siamese: Siamese
    history: list[EpochRecord]
    steps: list[StepRecord]
    decision: Decision
    best_epoch: int
    stop_reason: str
    formula: str
    device: str
    processes: int
    leads: bool
    frozen: Seal | None

    @property
    def best(self) -> EpochRecord:
        """The record of the epoch whose weights were kept."""
        return self.history[self.best_epoch - 1]

    @property
    def seconds(self) -> float:
        """Wall time of all epochs, over all interruptions."""
        return sum(record.seconds for record in self.history)

    @property
    def seconds_to_best(self) -> float:
        """Wall time until the end of the best epoch."""
        return sum(record.seconds for record in self.history[: self.best_epoch])


def train(
    data: TrainingData,
    holdout: Pairs,
    pixels: npt.NDArray[np.uint8],
    siamese: Siamese,
    preprocess: Preprocess,
    params: TrainParams,
    *,
    seed: int,
    checkpoint: Path,
    device: str = "auto",
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    save_seconds: float = 60.0,
) -> Trained:
    """Trains `siamese` in place.

    Interrupted at any moment and called again with the same arguments, it goes on from `checkpoint`; on a CPU it
    ends with the very weights, to the last bit, of a training never interrupted. The checkpoint of a finished
    training stays until `likeness.training.resume.discard`, so that a failure to save its model costs nothing.
    Under torchrun the processes train together.

    Args:
        data: pairs (restricted protocol) or identities (unrestricted).
        holdout: pairs of people not in `data`, for early stopping and the decision.
        pixels: the pixel store, uint8 [N, H, W].
        siamese: with its initial weights.
        preprocess: of the network.
        params: the recipe.
        seed: of everything random in the training.
        checkpoint: folder of the checkpoint; made if it is missing.
        device: auto (a GPU if there is one), cpu, or cuda.
        on_epoch: called with each finished epoch, in the leading process alone; for the epoch of a kill perhaps
            twice, with the same figures.
        save_seconds: time between two checkpoints within an epoch; one is made at every epoch's end in any case.

    Raises:
        ParamsError: loss, sampler, comparator and protocol do not go together.
        DataError: there is nothing to train on, or nothing to hold out.
        DivergedError: the loss is not finite any more; the message names the file with the last good weights.
        CollapseError: all embeddings have become one point.
        ThawedError: frozen weights have changed.
        InterruptedTrainingError: SIGINT or SIGTERM came; the state is saved.
        OutputError: the checkpoint cannot be written.
    """
    by_identity = params.sampler.kind == "identities"
    sampler = build_sampler(data, params.sampler, params.batch_size, seed)
    objective = build_objective(params.losses, siamese, data, by_identity, seed)
    key = _key(data, holdout, pixels, siamese, objective, preprocess, params, seed)
    held_out = holdout_of(holdout, pixels, preprocess, params)
    world = join_world(device)
    with _scoped_randomness(world), Interrupts() as interrupts:
        if world.device.type == "cpu":
            keep_freed_memory()
        trainer = Trainer(siamese, objective, params, preprocess, FaceStore(pixels, world.device), seed, world)
        course = Course(trainer, held_out, checkpoint, key, save_seconds, interrupts, on_epoch)
        frozen = trainer.frozen.seal()
        course.resume()
        course.run(sampler.epoch)
        return _trained(course, frozen)


def holdout_of(
    pairs: Pairs, pixels: npt.NDArray[np.uint8], preprocess: Preprocess, params: TrainParams
) -> Holdout:
    """The held-out pairs as a training with these parameters looks at them."""
    images = params.batch_size * (1 if params.sampler.kind == "identities" else 2)
    over_pairs = all(loss.over_pairs for loss in params.losses)
    return Holdout(pairs, pixels, preprocess, params.mirror_average, min(_ASSESS_BATCH, images), over_pairs)


def _trained(course: Course, frozen: Seal | None) -> Trained:
    world = course.world
    decision = course.finish()
    refuse_thaw(frozen, course.trainer.frozen.seal())
    return Trained(
        siamese=course.trainer.siamese,
        decision=decision,
        history=course.history,
        steps=course.ledger.records(),
        best_epoch=course.stopper.best_epoch,
        stop_reason=course.stop_reason,
        formula=course.trainer.objective.formula,
        device=torch.cuda.get_device_name(world.device) if world.device.type == "cuda" else "cpu",
        processes=world.size,
        leads=world.leads,
        frozen=frozen,
    )


@contextmanager
def _scoped_randomness(world: World) -> Iterator[None]:
    """Leaves torch's global random state, which each step sets, as it was."""
    devices = [world.device] if world.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


def _key(
    data: TrainingData,
    holdout: Pairs,
    pixels: npt.NDArray[np.uint8],
    siamese: Siamese,
    objective: Objective,
    preprocess: Preprocess,
    params: TrainParams,
    seed: int,
) -> str:
    """Names the checkpoint of exactly this training."""
    network = [repr(siamese), siamese.normalise, siamese.unit, siamese.window, siamese.frozen]
    settings = {
        "params": dataclasses.asdict(params),
        "preprocess": dataclasses.asdict(preprocess),
        "network": network,
        "seed": seed,
    }
    columns = [getattr(part, field.name) for part in (data, holdout) for field in dataclasses.fields(part)]
    weights = [tensor.cpu().numpy() for part in (siamese, objective) for tensor in part.state_dict().values()]
    return training_key(settings, [*columns, *weights], pixels)
