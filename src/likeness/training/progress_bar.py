"""What a person sees of a training: one bar on a terminal, one line an epoch elsewhere."""

from __future__ import annotations

import logging
import sys
import time

from tqdm import tqdm

from likeness.artifacts.history import EpochRecord

_DELAY = 2.0  # seconds that need no bar

log = logging.getLogger(__name__)


class TrainingProgress:
    """Progress over all epochs with loss, holdout accuracy, images/s and time left.

    Args:
        steps: of the whole training, about.
        done: of them, before an interruption.
        shown: whether this process reports at all.
    """

    def __init__(self, steps: int, done: int, shown: bool) -> None:
        self.shown = shown
        self.terminal = shown and sys.stderr.isatty()
        self.bar = tqdm(total=steps, initial=done, desc="training", delay=_DELAY, disable=not self.terminal)
        self.figures: dict[str, str] = {}
        self.images, self.begun = 0, time.monotonic()

    def step(self, loss: float | None, images: int) -> None:
        """A step over so many images is done; `loss` is the latest that has been read from the device."""
        self.images += images
        if self.terminal:
            if loss is not None:
                self.figures["loss"] = f"{loss:.4f}"
            self.figures["images/s"] = f"{self.images / (time.monotonic() - self.begun):.0f}"
            self.bar.set_postfix(self.figures, refresh=False)
            self.bar.update()

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """An epoch is done."""
        self.figures["holdout"] = f"{record.holdout_accuracy:.3f}"
        self.bar.set_postfix(self.figures)
        if self.shown and not self.terminal:
            log.info(
                "epoch %d/%d: loss %.4f, holdout loss %.4f, accuracy %.3f, AUC %.3f; %.0f images/s, %.1f s",
                *(record.epoch, epochs, record.train_loss, record.holdout_loss, record.holdout_accuracy),
                *(record.holdout_auc, record.images_per_second, record.seconds),
            )

    def close(self) -> None:
        """Leaves the bar as it is."""
        self.bar.close()
