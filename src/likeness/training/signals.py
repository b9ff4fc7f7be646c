"""Signals that ask a training to stop: noted, and handled after the current step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from likeness.errors import InterruptedTrainingError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SignalHandler:
    """Inside the `with` block, the first SIGINT or SIGTERM is noted; a second one acts as it always does.

    Only a process's main thread gets signals; in any other thread this notes nothing.
    """

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalHandler:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}


def interruption_error(number: int, place: str) -> InterruptedTrainingError:
    """The error that ends an interrupted training, with the exit code that shells give such an end."""
    name = signal.Signals(number).name
    error = InterruptedTrainingError(
        f"training was interrupted by {name} {place}; its state is saved: run the same command again to go on"
    )
    error.exit_code = 128 + number
    return error
