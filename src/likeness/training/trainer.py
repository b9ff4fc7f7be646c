"""The training loop: epochs, steps, held-out pairs, early stopping, checkpoints and signals, from top to bottom.

`train` sets a training up and returns its result; `Trainer.run` is the loop. What a single step does to the
network is in `training_state.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from likeness.artifacts.history import EpochRecord
from likeness.data.splits import Pairs, TrainingData
from likeness.errors import DivergedError
from likeness.models.decision import Decision
from likeness.models.preprocess import Preprocess
from likeness.models.siamese import Siamese
from likeness.training.allocator import keep_freed_memory
from likeness.training.batches import Batch, PixelSource
from likeness.training.checkpoint import save_best_weights
from likeness.training.distributed import init_distributed
from likeness.training.freezing import FrozenWeights, check_unchanged
from likeness.training.holdout_metrics import Holdout, HoldoutResult, check_collapse, measure_holdout, spread
from likeness.training.losses.build import build_objective
from likeness.training.optimizer import learning_rate
from likeness.training.params import TrainParams
from likeness.training.precision import choose_precision
from likeness.training.progress_bar import TrainingProgress
from likeness.training.randomness import scoped_randomness
from likeness.training.results import TrainingResult
from likeness.training.resume import resume, save_position, training_key
from likeness.training.samplers.sampler import build_sampler
from likeness.training.signals import SignalHandler, interruption_error
from likeness.training.training_state import StepPosition, TrainingState

_SPREAD_IMAGES = 64  # held-out images of which the spread before training is measured, to notice a collapse
_SYNC_STEPS = 16  # steps between two readings of a GPU's losses


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
) -> TrainingResult:
    """Trains `siamese` in place.

    Interrupted at any moment and called again with the same arguments, it continues from `checkpoint`; on a CPU
    the final weights are equal, to the last bit, to those of a training never interrupted. The checkpoint of a
    finished training stays until `remove_checkpoints`, so that a failure to save its model costs nothing. Under
    torchrun the processes train together.

    Args:
        data: pairs (restricted protocol) or identities (unrestricted).
        holdout: pairs of people not in `data`, for early stopping and the decision.
        pixels: the pixel store, uint8 [N, H, W] or [N, H, W, 3].
        siamese: with its initial weights.
        preprocess: of the network.
        params: section `train`.
        seed: of everything random in the training.
        checkpoint: folder of the checkpoint; made if it is missing.
        device: auto (a GPU if there is one), cpu, or cuda.
        on_epoch: called with each finished epoch, in the main process alone; after a kill perhaps
            twice for one epoch, with the same values.
        save_seconds: time between two checkpoints within an epoch; one is made at every epoch's end in any case.

    Raises:
        ParamsError: loss, sampler, comparator and protocol do not go together.
        DataError: there is nothing to train on, or nothing to hold out.
        DivergedError: the loss is not finite any more; the message names the file with the best weights so far.
        CollapseError: all embeddings have become one point.
        FrozenWeightsError: frozen weights have changed.
        InterruptedTrainingError: SIGINT or SIGTERM came; the state is saved.
        OutputError: the checkpoint cannot be written.
    """
    by_identity = params.sampler.part.by_identity
    sampler = build_sampler(data, params.sampler, params.batch_size, seed)
    objective = build_objective(params.losses, siamese, data, by_identity, seed)
    key = training_key(data, holdout, pixels, siamese, objective, preprocess, params, seed)
    held_out = Holdout.of(holdout, pixels, preprocess, params)
    context = init_distributed(device)
    with scoped_randomness(context.device), SignalHandler() as signals:
        if context.device.type == "cpu":
            keep_freed_memory()
        source = PixelSource(pixels, context.device)
        precision = choose_precision(params.precision, siamese, pixels.shape[1:], context)
        state = TrainingState(siamese, objective, params, preprocess, source, seed, context, precision)
        frozen = state.frozen.snapshot()
        trainer = Trainer(state, held_out, checkpoint, key, save_seconds, signals, on_epoch)
        trainer.run(sampler.epoch)
        decision = trainer.finish()
        check_unchanged(frozen, state.frozen.snapshot())
        return trainer.result(decision, frozen)


class Trainer:
    """A training; it goes on where an interrupted one with the same key stopped.

    Args:
        state: the network in training.
        holdout: the held-out pairs that each epoch is measured on.
        folder: of the checkpoint.
        key: of the checkpoint.
        save_seconds: time between two checkpoints within an epoch.
        signals: requests to stop.
        on_epoch: called with each finished epoch by the main process.
    """

    def __init__(
        self,
        state: TrainingState,
        holdout: Holdout,
        folder: Path,
        key: str,
        save_seconds: float,
        signals: SignalHandler,
        on_epoch: Callable[[EpochRecord], None],
    ) -> None:
        self.state, self.holdout, self.context = state, holdout, state.context
        self.folder, self.key, self.save_seconds = folder, key, save_seconds
        self.signals, self.on_epoch = signals, on_epoch
        self.epochs = state.params.epochs
        self.epoch_started = self.saved = time.monotonic()
        self.processor_started = time.process_time()
        self.initial_spread = spread(holdout.embeddings(state.siamese, self.context.device, _SPREAD_IMAGES))
        self.position = resume(folder, key, state)

    def run(self, batches_of: Callable[[int], Sequence[Batch]]) -> None:
        """Trains epoch after epoch until there is a reason to stop.

        Args:
            batches_of: the batches of an epoch, counted from 0.

        Raises:
            DivergedError, CollapseError, InterruptedTrainingError, OutputError: see `train`.
        """
        bar: TrainingProgress | None = None
        try:
            while not self.position.stop_reason:
                batches = [
                    batch
                    for batch in batches_of(self.position.epoch)
                    if len(batch.rows) >= self.context.world_size
                ]
                bar = bar or TrainingProgress(
                    len(batches) * self.epochs, len(self.position.step_log), self.context.is_main
                )
                self._train_epoch(batches, bar)
                record = self._measure_epoch()
                self._finish_epoch(record, bar)
        except DivergedError as error:
            raise DivergedError(f"{error}; {self._save_best_weights()}") from error
        finally:
            if bar is not None:
                bar.close()

    def _train_epoch(self, batches: list[Batch], bar: TrainingProgress) -> None:
        """The steps of the current epoch, from the current one on."""
        self.state.train()
        self.epoch_started = self.saved = time.monotonic()
        self.processor_started = time.process_time()
        for index in range(self.position.index, len(batches)):
            batch = batches[index]
            progress = (self.position.epoch + (index + 0.5) / len(batches)) / self.epochs
            rate = learning_rate(self.state.params, progress)
            loss = self.state.step(batch, StepPosition(self.position.epoch, index, progress), rate)
            self.position.step_log.add(self.position.epoch + 1, loss, rate, len(batch.rows))
            self.position.index = index + 1
            if self.context.device.type == "cpu" or self.position.index % _SYNC_STEPS == 0:
                self.position.step_log.sync()
                self._handle_signals()
            if time.monotonic() - self.saved > self.save_seconds:
                self._save_checkpoint()
            bar.step(self.position.step_log.last_loss, len(batch.rows))
        self.position.step_log.sync()

    def _measure_epoch(self) -> EpochRecord:
        """The record of the epoch whose steps are done, the same in every process.

        Raises:
            DivergedError: embeddings are not finite; raised in every process.
        """
        found = self.context.broadcast(self._epoch_record() if self.context.is_main else None)
        if isinstance(found, DivergedError):
            raise found
        record: EpochRecord = found
        formula = self.state.objective.formula
        check_collapse(record.spread, self.initial_spread, record.epoch, record.train_loss, formula)
        return record

    def _epoch_record(self) -> EpochRecord | DivergedError:
        step_seconds = self._elapsed()
        cores = (time.process_time() - self.processor_started) / (time.monotonic() - self.epoch_started)
        loss, accuracy, images = self.position.step_log.epoch_means(self.position.epoch + 1)
        try:
            measured = self._measure_holdout(progress=(self.position.epoch + 1) / self.epochs)
        except DivergedError as error:
            return error
        return EpochRecord(
            epoch=self.position.epoch + 1,
            train_loss=loss,
            train_accuracy=accuracy,
            holdout_loss=measured.loss,
            holdout_accuracy=measured.accuracy,
            holdout_auc=measured.auc,
            learning_rate=self.position.step_log.records[-1].learning_rate,
            seconds=self._elapsed(),
            images_per_second=images / step_seconds,
            penalty=self.state.penalty.value(),
            spread=measured.spread,
            cores=cores,
        )

    def _finish_epoch(self, record: EpochRecord, bar: TrainingProgress) -> None:
        """Keeps the weights if they are the best so far, decides whether to stop, and saves a checkpoint."""
        self.position.history.append(record)
        if self.position.stopping.update(record):
            with self._averaged_weights():
                weights = self.state.siamese.state_dict()
                self.position.best_weights = {name: tensor.clone() for name, tensor in weights.items()}
        self.position.stop_reason = self._reason_to_stop()
        self.position.epoch, self.position.index = self.position.epoch + 1, 0
        self.position.earlier_seconds, self.epoch_started = 0.0, time.monotonic()
        if self.context.is_main:
            bar.epoch(record, self.epochs)
            self.on_epoch(record)
        self._save_checkpoint()
        if not self.position.stop_reason:
            self._handle_signals()

    def _reason_to_stop(self) -> str:
        params = self.position.stopping.params
        if not self.state.parameters:
            return "every weight is frozen: nothing to train"
        if self.position.stopping.out_of_patience:
            than = f"better by {params.min_delta:g} for {params.patience} epochs"
            return f"{params.monitor} of the held-out pairs not {than}"
        return f"all {self.epochs} epochs done" if len(self.position.history) == self.epochs else ""

    def _handle_signals(self) -> None:
        """Saves a checkpoint and ends the training if any process has received SIGINT or SIGTERM."""
        number = self.context.all_reduce_max(self.signals.received)
        if number:
            self._save_checkpoint()
            raise interruption_error(
                number, f"in epoch {self.position.epoch + 1} of {self.epochs}, after step {self.position.index}"
            )

    def _save_checkpoint(self) -> None:
        if self.context.is_main:
            save_position(self.folder, self.key, self.position, self.state, self._elapsed())
        self.saved = time.monotonic()

    def finish(self) -> Decision:
        """Puts the best weights into the network, in evaluation mode; returns the decision fitted with them."""
        self.state.siamese.load_state_dict(self.position.best_weights)
        self.state.siamese.eval()
        decision: Decision = self.context.broadcast(
            self._measure_holdout(progress=1.0).decision if self.context.is_main else None
        )
        return decision

    def result(self, decision: Decision, frozen: FrozenWeights | None) -> TrainingResult:
        """The finished training."""
        device = self.context.device
        return TrainingResult(
            siamese=self.state.siamese,
            history=self.position.history,
            steps=self.position.step_log.records,
            decision=decision,
            best_epoch=self.position.stopping.best_epoch,
            stop_reason=self.position.stop_reason,
            formula=self.state.objective.formula,
            device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            processes=self.context.world_size,
            precision=self.state.precision,
            is_main=self.context.is_main,
            frozen=frozen,
        )

    def _measure_holdout(self, progress: float) -> HoldoutResult:
        with self._averaged_weights():
            return measure_holdout(
                self.state.siamese, self.state.objective, self.holdout, self.context.device, progress
            )

    def _averaged_weights(self) -> AbstractContextManager[None]:
        """Inside the block the network has its averaged weights, if it has any."""
        return nullcontext() if self.state.average is None else self.state.average.applied()

    def _elapsed(self) -> float:
        """Seconds of the current epoch, over all interruptions."""
        return self.position.earlier_seconds + time.monotonic() - self.epoch_started

    def _save_best_weights(self) -> str:
        """Saves what is left of a diverged training; returns what to do next."""
        advice = "lower train.learning_rate or clip the gradient (train.clip_norm)"
        if not self.position.best_weights:
            return f"no epoch was finished before; {advice}"
        path = save_best_weights(self.folder, self.position.best_weights) if self.context.is_main else self.folder
        epoch = self.position.stopping.best_epoch
        return f"the weights of epoch {epoch}, the best before, are in {path} (fit for model.init_from); {advice}"
