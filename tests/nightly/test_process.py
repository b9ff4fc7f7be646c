"""A command in a session of its own can be stopped as a whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from likeness.nightly.process import run_group
from tests.nightly.toy_project import ROOT, processes_in, wait_until

PARENT = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell deafens what it puts into the background
from likeness.nightly.process import run_group
child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(99)'])"
folder = pathlib.Path(sys.argv[1])
run_group([sys.executable, "-c", child], folder=folder, seconds=99, grace=1, report=print)
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
)


def test_a_command_returns_its_output_and_exit_code(tmp_path: Path) -> None:
    said: list[str] = []
    program = "import os, sys; print(os.getcwd()); print('to stderr', file=sys.stderr); sys.exit(3)"
    done = run_group([sys.executable, "-c", program], folder=tmp_path, seconds=60, grace=1, report=said.append)
    assert (done.exit_code, done.timed_out) == (3, False)
    assert set(done.lines) == set(said) == {str(tmp_path), "to stderr"}


def test_a_command_out_of_time_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    done = run_group([sys.executable, "-c", STUBBORN], folder=tmp_path, seconds=3, grace=1, report=lambda _: None)
    assert done.timed_out
    assert done.exit_code != 0
    assert not processes_in(tmp_path)


def test_a_command_that_heeds_the_request_may_finish_its_work(tmp_path: Path) -> None:
    program = (
        "import time\ntry:\n  print('up', flush=True); time.sleep(99)\nexcept KeyboardInterrupt:\n  print('saved')"
    )
    done = run_group([sys.executable, "-c", program], folder=tmp_path, seconds=5, grace=20, report=lambda _: None)
    assert done.lines == ("up", "saved")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_parent(tmp_path: Path, number: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(processes_in(tmp_path)) == 3, 60, "guard, command and its child run")
    parent.send_signal(number)
    parent.wait(30)
    wait_until(lambda: not processes_in(tmp_path), 30, "all of them are gone")
