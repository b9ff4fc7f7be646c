"""The tutorial's commands, one after the other, in a fresh clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AUTHOR = {f"GIT_{role}_{part}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
STAYS = {"make ui": r"http://127\.0\.0\.1:\d+", "likeness serve": r"http://127\.0\.0\.1:\d+"}
"""Commands that run until they are stopped, and what they print when they are ready."""


def commands() -> list[str]:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    return re.findall(r"^\$ (.+)$", text, flags=re.MULTILINE)


@pytest.mark.slow
def test_every_command_of_the_tutorial_works_in_a_fresh_clone(tmp_path: Path) -> None:
    project = tmp_path / "project"
    subprocess.run(["git", "clone", "-q", "--no-local", str(ROOT), str(project)], check=True)
    (project / ".venv").symlink_to(sys.prefix)
    environment = {**os.environ, **AUTHOR, "PYTHONPATH": "src:."}
    for name in ("requirements.lock", "requirements-cuda.lock", "pyproject.toml"):
        os.utime(project / name, (0, 0))  # what the link leads to is installed
    assert commands()[0] == "make run"
    for command in commands():
        if command.startswith("source .venv/bin/activate"):
            environment["PATH"] = f"{project / '.venv' / 'bin'}{os.pathsep}{environment['PATH']}"
            continue
        if command in STAYS:
            ready_and_stopped(command, project, environment)
            continue
        done = subprocess.run(
            command, shell=True, cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in ((0, 1) if " verify " in command else (0,)), (command, done.stdout, done.stderr)
    assert (project / "reports" / "report.html").exists()


def ready_and_stopped(command: str, project: Path, environment: dict[str, str]) -> None:
    """The command prints where its page is, and ends when it is asked to."""
    log = project.parent / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.split(), cwd=project, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    ends = time.monotonic() + 120
    while not re.search(STAYS[command], log.read_text(errors="replace")):
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < ends, log.read_text(errors="replace")
        time.sleep(0.5)
    process.terminate()
    process.wait(90)
