"""The one progress bar, and the seconds of a step that has none: on a terminal for anything longer than two
seconds, silent elsewhere."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(items: Iterable[T], what: str, total: int | None = None, unit: str = "it") -> Iterator[T]:
    """Passes `items` on while a bar named `what` counts them; `total` where `len(items)` is unknown."""
    return iter(tqdm(items, desc=what, total=total, unit=unit, delay=2.0, disable=not sys.stderr.isatty()))


class _LastLine(logging.Handler):
    """When the last line was logged: seconds of the monotonic clock."""

    def __init__(self) -> None:
        super().__init__()
        self.at = time.monotonic()

    def emit(self, _record: logging.LogRecord) -> None:
        self.at = time.monotonic()


@contextmanager
def elapsed_time(after: float = 2.0, every: float = 1.0) -> Iterator[None]:
    """On a terminal, shows below the last line that was logged for how many seconds nothing else has been.

    A progress bar that is open is drawn again instead, so that its own clock runs on.

    Args:
        after: seconds without a line before the time is shown.
        every: seconds between two looks.
    """
    if not sys.stderr.isatty():
        yield
        return
    last, done = _LastLine(), threading.Event()
    thread = threading.Thread(target=_show_elapsed, args=(last, done, after, every), daemon=True)
    logging.getLogger().addHandler(last)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        logging.getLogger().removeHandler(last)


def _show_elapsed(last: _LastLine, done: threading.Event, after: float, every: float) -> None:
    shown = ""
    while not done.wait(every):
        seconds = time.monotonic() - last.at
        with tqdm.get_lock():  # type: ignore[no-untyped-call]
            bars = list(getattr(tqdm, "_instances", ()))
        if bars and seconds >= after:
            for bar in bars:
                bar.refresh()
            last.at = time.monotonic() - after  # a step after the bar counts from here
        elif seconds >= after:
            shown = f"… {seconds:.0f} s"
            print(shown, end="\r", file=sys.stderr, flush=True)  # the next line is written over it
    print(" " * len(shown), end="\r", file=sys.stderr, flush=True)
