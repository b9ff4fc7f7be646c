"""The course of a training over its epochs: what happens between steps, between epochs, and at the end."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from torch import Tensor

from likeness.errors import DivergedError
from likeness.models.decision import Decision
from likeness.training.assess import Assessment, Holdout, assess, spread
from likeness.training.bar import TrainingBar
from likeness.training.batches import Batch
from likeness.training.guards import refuse_collapse
from likeness.training.interrupts import Interrupts, interrupted
from likeness.training.loop import Moment, Trainer, part_of
from likeness.training.optimiser import learning_rate
from likeness.training.records import EpochRecord, Ledger
from likeness.training.resume import Snapshot, load_snapshot, save_last_good, save_snapshot
from likeness.training.stopping import Stopper

_FIRST_LOOK = 64  # held-out images that show how far embeddings are spread before training
_SETTLE = 16  # steps between two looks at a GPU's losses

log = logging.getLogger(__name__)


class Course:
    """A training with its place in it: the next step is step `index` of epoch `epoch`, both counted from 0.

    Args:
        trainer: the network in training.
        holdout: what epochs are judged by.
        folder: of the checkpoint.
        key: of the checkpoint.
        save_seconds: time between two checkpoints within an epoch.
        interrupts: signals that ask to stop.
        on_epoch: called with each finished epoch by the leading process.
    """

    def __init__(
        self,
        trainer: Trainer,
        holdout: Holdout,
        folder: Path,
        key: str,
        save_seconds: float,
        interrupts: Interrupts,
        on_epoch: Callable[[EpochRecord], None],
    ) -> None:
        self.trainer, self.holdout, self.world = trainer, holdout, trainer.world
        self.folder, self.key, self.save_seconds = folder, key, save_seconds
        self.interrupts, self.on_epoch = interrupts, on_epoch
        self.epochs = trainer.params.epochs
        self.epoch, self.index = 0, 0
        self.spent = 0.0  # seconds of the current epoch before `begun`
        self.begun = self.saved = time.monotonic()
        self.ledger, self.history = Ledger(), list[EpochRecord]()
        self.stopper = Stopper(trainer.params.stopping)
        self.kept: dict[str, Tensor] = {}  # the weights of the best epoch so far
        self.stop_reason = ""
        self.spread_at_start = spread(holdout.embeddings(trainer.siamese, self.world.device, _FIRST_LOOK))

    def resume(self) -> None:
        """Goes to where an interrupted training with the same key stopped, if there was one."""
        snapshot = load_snapshot(self.folder, self.key)
        if snapshot is None:
            return
        facts = snapshot.facts
        self.epoch, self.index = snapshot.epoch, snapshot.step
        self.spent, self.stop_reason = facts["seconds"], facts["stop"]
        self.history = [EpochRecord(**record) for record in facts["history"]]
        self.stopper = Stopper(self.stopper.params, **facts["stopper"])
        self.ledger = Ledger(snapshot.tensors["steps"])
        self.kept = {
            name: tensor.to(self.world.device) for name, tensor in part_of(snapshot.tensors, "kept").items()
        }
        self.trainer.restore(snapshot.tensors, len(self.ledger))
        log.info("going on with epoch %d, step %d", self.epoch + 1, self.index + 1)

    def run(self, batches_of: Callable[[int], Sequence[Batch]]) -> None:
        """Trains epoch after epoch until there is a reason to stop.

        Raises:
            DivergedError, CollapseError, InterruptedTrainingError, OutputError: see `train`.
        """
        bar: TrainingBar | None = None
        try:
            while not self.stop_reason:
                batches = [batch for batch in batches_of(self.epoch) if len(batch.rows) >= self.world.size]
                bar = bar or TrainingBar(len(batches) * self.epochs, len(self.ledger), self.world.leads)
                self._run_epoch(batches, bar)
        except DivergedError as error:
            raise DivergedError(f"{error}; {self._last_good()}") from error
        finally:
            if bar is not None:
                bar.close()

    def finish(self) -> Decision:
        """Puts the kept weights into the network, in evaluation mode; returns the decision fitted with them."""
        self.trainer.siamese.load_state_dict(self.kept)
        self.trainer.siamese.eval()
        decision: Decision = self.world.tell(self._assessed(1.0).decision if self.world.leads else None)
        return decision

    def _run_epoch(self, batches: list[Batch], bar: TrainingBar) -> None:
        self.trainer.learn()
        self.begun = self.saved = time.monotonic()
        for index in range(self.index, len(batches)):
            moment = Moment(self.epoch, index, (self.epoch + (index + 0.5) / len(batches)) / self.epochs)
            loss = self.trainer.step(batches[index], moment)
            rate, images = learning_rate(self.trainer.params, moment.progress), len(batches[index].rows)
            self.ledger.add(self.epoch + 1, loss, rate, images)
            self.index = index + 1
            self._between_steps()
            bar.step(self.ledger.last_loss, images)
        self.ledger.settle()
        self._close_epoch(bar)

    def _between_steps(self) -> None:
        if self.world.device.type == "cpu" or self.index % _SETTLE == 0:
            self.ledger.settle()
            self._obey_signals()
        if time.monotonic() - self.saved > self.save_seconds:
            self._save()
            self.saved = time.monotonic()

    def _obey_signals(self) -> None:
        number = self.world.agree(self.interrupts.received)
        if number:
            self._save()
            raise interrupted(number, f"in epoch {self.epoch + 1} of {self.epochs}, after step {self.index}")

    def _elapsed(self) -> float:
        """Seconds of the current epoch, over all interruptions."""
        return self.spent + time.monotonic() - self.begun

    def _close_epoch(self, bar: TrainingBar) -> None:
        outcome = self.world.tell(self._record() if self.world.leads else None)
        if isinstance(outcome, DivergedError):
            raise outcome
        record: EpochRecord = outcome
        formula = self.trainer.objective.formula
        refuse_collapse(record.spread, self.spread_at_start, record.epoch, record.train_loss, formula)
        self.history.append(record)
        if self.stopper.see(record):
            with self._averaged():
                self.kept = {name: tensor.clone() for name, tensor in self.trainer.siamese.state_dict().items()}
        self.stop_reason = self._reason_to_stop()
        self.epoch, self.index = self.epoch + 1, 0
        self.spent, self.begun = 0.0, time.monotonic()
        if self.world.leads:
            bar.epoch(record, self.epochs)
            self.on_epoch(record)
        self._save()
        if not self.stop_reason:
            self._obey_signals()

    def _record(self) -> EpochRecord | DivergedError:
        """The epoch's record; a divergence is handed on as a value, for all processes to raise."""
        step_seconds = self._elapsed()
        loss, accuracy, images = self.ledger.of_epoch(self.epoch + 1)
        try:
            figures = self._assessed((self.epoch + 1) / self.epochs)
        except DivergedError as error:
            return error
        return EpochRecord(
            epoch=self.epoch + 1,
            train_loss=loss,
            train_accuracy=accuracy,
            holdout_loss=figures.loss,
            holdout_accuracy=figures.accuracy,
            holdout_auc=figures.auc,
            learning_rate=self.ledger.rows[-1][3],
            seconds=self._elapsed(),
            images_per_second=images / step_seconds,
            penalty=self.trainer.penalty.value(),
            spread=figures.spread,
        )

    def _assessed(self, progress: float) -> Assessment:
        with self._averaged():
            return assess(self.trainer.siamese, self.trainer.objective, self.holdout, self.world.device, progress)

    def _averaged(self) -> AbstractContextManager[None]:
        """Inside the block the network has its averaged weights, if it has any."""
        return nullcontext() if self.trainer.average is None else self.trainer.average.applied()

    def _reason_to_stop(self) -> str:
        stopping = self.stopper.params
        if not self.trainer.parameters:
            return "every weight is frozen: nothing to train"
        if self.stopper.out_of_patience:
            than = f"better by {stopping.min_delta:g} for {stopping.patience} epochs"
            return f"{stopping.monitor} of the held-out pairs not {than}"
        return f"all {self.epochs} epochs done" if len(self.history) == self.epochs else ""

    def _save(self) -> None:
        if not self.world.leads:
            return
        self.ledger.settle()
        facts = {
            "seconds": self._elapsed(),
            "stop": self.stop_reason,
            "history": [dataclasses.asdict(record) for record in self.history],
            "stopper": self.stopper.facts(),
        }
        kept = {f"kept/{name}": tensor for name, tensor in self.kept.items()}
        tensors = {**self.trainer.tensors(), **kept, "steps": self.ledger.table()}
        save_snapshot(self.folder, self.key, Snapshot(self.epoch, self.index, facts, tensors))

    def _last_good(self) -> str:
        if not self.kept:
            return "no epoch was finished before; lower train.learning_rate or clip the gradient (train.clip_norm)"
        path = save_last_good(self.folder, self.kept) if self.world.leads else self.folder
        return (
            f"the weights of epoch {self.stopper.best_epoch}, the best before, are in {path} (fit for "
            "model.init_from); lower train.learning_rate or clip the gradient (train.clip_norm)"
        )
