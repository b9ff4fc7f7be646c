"""DVC's experiments and their queue: what is done, what waits, and how what is missing gets trained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from likeness.data.places import MIRROR_VARIABLE, variants_in
from likeness.errors import LikenessError
from pipelines.source import set_options

_ENTRY = re.compile(r"^\S+\s+(?P<name>\S+)\s.*\s(?P<state>Queued|Running|Failed|Success)\s*$")
_WORKERS = re.compile(r"Worker status: (\d+) active, (\d+) idle")


class QueueError(LikenessError):
    """DVC refused a command."""


class Experiments:
    """The experiments of a project.

    Args:
        root: the project.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def finished(self) -> set[str]:
        """Names of the experiments that have results."""
        return set(self._dvc("exp", "list", "--all-commits", "--name-only").split())

    def waiting(self, names: Sequence[str]) -> set[str]:
        """Those of some experiments that stand in the queue or run.

        What failed, or seems to run although no worker is left after a crash, is taken out of the queue.
        """
        told = self._dvc("queue", "status")
        states = {found["name"]: found["state"] for line in told.splitlines() if (found := _ENTRY.match(line))}
        workers = _WORKERS.search(told)
        orphaned = workers is None or workers.groups() == ("0", "0")
        for name in set(names) & set(states):
            if states[name] == "Running" and orphaned:
                self._dvc("queue", "kill", name)
                states[name] = "Failed"
            if states[name] in ("Failed", "Success"):
                self._dvc("queue", "remove", name)
        return {name for name in names if states.get(name) in ("Queued", "Running")}

    def put(self, name: str, overrides: Sequence[str]) -> None:
        """Queues the stages up to the training with these Hydra overrides."""
        self._dvc("exp", "run", "--queue", "--name", name, *set_options(overrides), "train")

    def run(self) -> None:
        """Runs the queue to its end, one experiment after the other, in sight.

        The worker is none of this process's children: where this is interrupted, the worker is told to stop.
        """
        try:
            subprocess.run([*_DVC, "exp", "run", "--run-all"], cwd=self.root, env=self._environ(), check=False)
        except KeyboardInterrupt:
            self._stop()
            raise

    def _stop(self) -> None:
        told = self._dvc("queue", "status")
        entries = [found for line in told.splitlines() if (found := _ENTRY.match(line))]
        self._dvc("queue", "stop")
        for entry in entries:
            if entry["state"] == "Running":
                self._dvc("queue", "kill", entry["name"])

    def _dvc(self, *arguments: str) -> str:
        command = [*_DVC, *arguments]
        done = subprocess.run(command, cwd=self.root, env=self._environ(), capture_output=True, text=True)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise QueueError(f"dvc {' '.join(arguments)}: ended with {done.returncode}: {said}")
        return done.stdout

    def _environ(self) -> dict[str, str]:
        """For DVC: its stages say `python`; each experiment shall import the code of its own copy, and download
        nothing that the project has already.
        """
        binaries, environ = str(Path(sys.executable).parent), dict(os.environ)
        environ["PATH"] = os.pathsep.join([binaries, environ.get("PATH", "")])
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, ["src", environ.get("PYTHONPATH")]))
        downloads = self.root / "data" / "downloads"
        if variants_in(downloads):
            environ.setdefault(MIRROR_VARIABLE, str(downloads))
        return environ


_DVC = (sys.executable, "-m", "dvc")
