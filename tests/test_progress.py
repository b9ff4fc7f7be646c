"""What a terminal is shown while a step works."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable

import pytest

from likeness.progress import elapsed_time, progress


class Terminal(io.StringIO):
    """Standard error as a terminal, or as a file."""

    def __init__(self, terminal: bool = True) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_silent_step_shows_its_seconds_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with elapsed_time(after=0, every=0.01):
        wait_for(lambda: "… 0 s\r" in shown.getvalue())
    assert shown.getvalue().endswith("     \r")  # what was shown last is wiped away


def test_after_a_line_the_seconds_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with elapsed_time(after=1, every=0.01):
        wait_for(lambda: "… 3 s" in shown.getvalue())
        logging.getLogger("likeness").error("a line")
        time.sleep(0.1)  # a look that had begun before is over
        shown.truncate(0)
        wait_for(lambda: "… " in shown.getvalue())
    assert "… 3 s" not in shown.getvalue()


def test_a_bar_that_waits_for_its_next_item_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with elapsed_time(after=0, every=0.01):
        for _ in progress(range(1), "reading"):
            wait_for(lambda: shown.getvalue().count("reading:   0%") > 1)


def test_a_file_is_not_shown_any_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Terminal(terminal=False)
    monkeypatch.setattr(sys, "stderr", written)
    with elapsed_time(after=0, every=0.001):
        time.sleep(0.05)
    assert written.getvalue() == ""
