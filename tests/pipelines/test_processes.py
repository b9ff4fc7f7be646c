"""Nothing is left of make, DVC, a scheduled run or an ingest that is asked to stop or killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import yaml

from tests.nightly.toy_project import ROOT, environment, free_port, processes_in, toy_project, wait_until

STAGE = '''
"""Works until it is asked to stop, as a training does, with a child of its own."""
import time
from multiprocessing import get_context
from pathlib import Path
from likeness.training.signals import SignalHandler, interruption_error
from pipelines._stage import run

def main():
    get_context("fork").Process(target=time.sleep, args=(600,), daemon=True).start()
    with SignalHandler() as signals:
        Path("working.txt").write_text("")
        while not signals.received:
            time.sleep(0.05)
    Path("saved.txt").write_text(str(signals.received))
    raise interruption_error(signals.received, "here")

run(main)
'''
_SECONDS = 20.0  # within which everything has ended
_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a stage looks for its parent every second")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the real Makefile, and one stage that works until it is asked to stop."""
    folder = toy_project(tmp_path_factory.mktemp("processes") / "project", nightly={"port": free_port()})
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "stage.py").write_text(STAGE)
    stage = {"cmd": "python stage.py", "outs": [{"out.txt": {"persist": True}}]}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"ingest": stage}}))
    for name in ("requirements.lock", "requirements-cuda.lock", "pyproject.toml"):
        (folder / name).touch()
        os.utime(folder / name, (0, 0))
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def begin(project: Path, command: list[str]) -> subprocess.Popen[bytes]:
    for name in ("working.txt", "saved.txt"):
        (project / name).unlink(missing_ok=True)
    search = os.pathsep.join([str(project), str(ROOT / "src")])
    with (project / "log.txt").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=project,
            env=environment(PYTHONPATH=search, PREFECT_HOME=str(project / ".likeness" / "prefect")),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_until_active(process: subprocess.Popen[bytes], project: Path) -> None:
    wait_until(lambda: (project / "working.txt").exists() or process.poll() is not None, 60, "the stage works")
    assert process.poll() is None, (project / "log.txt").read_text()


def nothing_left(project: Path, seconds: float = _SECONDS) -> None:
    try:
        wait_until(lambda: not processes_in(project), seconds, "everything has ended")
    except AssertionError:
        left = [one.cmdline() for one in processes_in(project)]
        for one in processes_in(project):
            one.kill()
        raise AssertionError(f"left behind: {left}\n{(project / 'log.txt').read_text()}") from None


DVC = [sys.executable, "-m", "dvc", "repro"]
COMMANDS: dict[str, list[str]] = {
    "make": ["make", "run"],
    "dvc with a shell that waits beside the stage": ["env", "SHELL=/bin/sh", *DVC],
    "dvc with a shell that becomes the stage": ["env", "SHELL=/bin/bash", *DVC],
}


@_linux
@pytest.mark.attack("11")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("caller", COMMANDS)
def test_a_stage_saves_its_state_when_its_caller_is_stopped_or_killed(
    project: Path, caller: str, number: signal.Signals
) -> None:
    process = begin(project, COMMANDS[caller])
    wait_until_active(process, project)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    process.wait(_SECONDS)
    nothing_left(project)
    assert (project / "saved.txt").exists(), (project / "log.txt").read_text()


@_linux
@pytest.mark.attack("13")
@pytest.mark.parametrize("megabytes", [400, 2000])
def test_a_small_limit_of_memory_is_one_sentence_of_make(project: Path, megabytes: int) -> None:
    command = ["sh", "-c", f"ulimit -v {megabytes * 1024} && exec make run"]
    assert begin(project, command).wait(60) == 2
    log = (project / "log.txt").read_text()
    assert f"may use {megabytes} MB of address space, and Likeness needs 8192 MB" in log
    assert "Traceback" not in log


@_linux
@pytest.mark.attack("11")
def test_the_group_is_ended_when_the_process_that_keeps_it_is_killed(project: Path) -> None:
    process = begin(project, COMMANDS["make"])
    wait_until_active(process, project)
    keeper = next(one for one in psutil.Process(process.pid).children() if "pipelines.group" in one.cmdline())
    keeper.kill()
    process.wait(_SECONDS)
    nothing_left(project)
    assert (project / "saved.txt").exists()


LOST = """
import os, signal, sys, time
from pipelines._stage import run

class Finalizer:
    def __del__(self):
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
        time.sleep(0.1)

def main(name: str):
    Finalizer()
    time.sleep(60)

run(main)
"""


@pytest.mark.attack("11")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_stage_ends_although_python_ignores_an_exception_in_a_finalizer(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOST, name], cwd=ROOT, timeout=30, capture_output=True, text=True)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert not done.stderr


STARTING = """
import signal, time
from pathlib import Path
signal.signal(signal.SIGINT, lambda *_: signal.signal(signal.SIGINT, signal.default_int_handler))
Path("working").touch()
time.sleep(60)
"""


@_linux
@pytest.mark.attack("11")
def test_a_command_that_lost_the_first_request_is_asked_again(tmp_path: Path) -> None:
    program = f"from pipelines.group import run_in_group; run_in_group(['python', '-c', {STARTING!r}], grace=8)"
    group = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
        stderr=subprocess.PIPE,
    )
    wait_until((tmp_path / "working").exists, _SECONDS, "the command works")
    group.terminate()
    assert b"KeyboardInterrupt" in group.communicate(timeout=30)[1]  # SIGKILL would have left no traceback


def random_kills(project: Path, command: list[str], kills: int, longest: float, seed: int) -> None:
    """Kills or stops the first process after a random time; nothing is left each time."""
    chance = random.Random(seed)
    for _ in range(kills):
        process = begin(project, command)
        time.sleep(chance.uniform(0.0, longest))
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        nothing_left(project, 40)
        process.wait()


@_linux
@pytest.mark.attack("11")
@pytest.mark.parametrize("caller", COMMANDS)
def test_nothing_is_left_after_kills_at_random_points(project: Path, caller: str) -> None:
    random_kills(project, COMMANDS[caller], 3, 4.0, seed=1)


@_linux
@pytest.mark.slow
@pytest.mark.attack("11")
@pytest.mark.parametrize("caller", COMMANDS)
def test_nothing_is_left_after_many_kills_at_random_points(project: Path, caller: str) -> None:
    random_kills(project, COMMANDS[caller], 50, 4.0, seed=2)


@_linux
@pytest.mark.attack("11")
def test_a_killed_single_run_leaves_no_scheduler_server(project: Path) -> None:
    process = begin(project, ["make", "nightly-now"])

    def server() -> bool:
        return any("server" in one.cmdline() for one in processes_in(project) if one.is_running())

    wait_until(server, 90, "a server was started")
    process.kill()
    process.wait()
    nothing_left(project, 60)


@_linux
@pytest.mark.slow
@pytest.mark.attack("11")
@pytest.mark.parametrize("target", ["nightly-now", "nightly"])
def test_nothing_is_left_after_many_kills_of_a_nightly_run_and_of_its_schedule(project: Path, target: str) -> None:
    random_kills(project, ["make", target], 50, 8.0, seed=3)


SERVE = [sys.executable, "-m", "likeness", "serve", "--model", "packaged", "--port", "0"]


@_linux
@pytest.mark.slow
@pytest.mark.attack("11")
def test_nothing_is_left_after_many_kills_of_the_service(project: Path) -> None:
    random_kills(project, SERVE, 50, 4.0, seed=4)


DRAWING = """
import sys
from pathlib import Path
from likeness.data.drawn_faces import write_drawn_faces
from likeness.data.sources import SyntheticParams
if __name__ == "__main__":
    write_drawn_faces(SyntheticParams(int(sys.argv[1]), 0, 3.0, 60, 30, 1), Path("drawn"), workers=2)
"""


@pytest.mark.attack("11")
def test_a_killed_drawing_leaves_no_process_and_the_next_removes_its_unfinished_file(tmp_path: Path) -> None:
    program = tmp_path / "drawing.py"
    program.write_text(DRAWING)

    def unfinished() -> list[Path]:
        return list((tmp_path / "drawn").rglob(".*.part"))

    process = begin(tmp_path, [sys.executable, str(program), "5000"])
    try:
        busy: Callable[[], bool] = lambda: bool(unfinished()) and len(processes_in(tmp_path)) >= 4  # noqa: E731
        wait_until(busy, 60, "it draws in processes of its own")
    finally:
        process.kill()
        process.wait()
    nothing_left(tmp_path)
    for path in unfinished():
        os.utime(path, (0, 0))
    assert begin(tmp_path, [sys.executable, str(program), "30"]).wait(120) == 0
    assert not unfinished()
