"""What a project no longer needs: a plan that says what would go, and that carries it out step by step."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from likeness.errors import OutputError
from likeness.maintenance.pruned_runs import run_steps
from likeness.maintenance.removal_step import Step, size_of
from likeness.maintenance.scheduler import scheduler_steps

_EXPERIMENT = re.compile(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/(.+)")
_KEPT_BY_GIT = ("--workspace", "--all-branches", "--all-tags", "--all-experiments")


@dataclass(frozen=True)
class Keep:
    """What stays.

    Attributes:
        days: everything younger.
        runs: the newest so many runs of each experiment, and records of nightly runs, however old.
    """

    days: float = 90.0
    runs: int = 20

    @property
    def since(self) -> float:
        """What is older may go, in seconds since 1970."""
        return time.time() - 86400 * self.days


def plan(root: Path, keep: Keep) -> list[Step]:
    """Everything that may go, in the order in which it is removed; changes nothing.

    Args:
        root: of the project.
        keep: what stays.

    Raises:
        TrackingError: the tracking store cannot be read.
    """
    experiments = list(_experiments(root, keep.since))
    return [
        *run_steps(root, keep.since, keep.runs),
        *experiments,
        *_cache(root, bool(experiments)),
        *_records(root, keep),
        *_queue_logs(root, keep.since),
        *scheduler_steps(root, keep.since),
    ]


def space(root: Path) -> int:
    """Bytes of all places that `plan` looks at."""
    places = ("mlartifacts", "mlflow.db", ".dvc/cache", ".dvc/tmp/exps", "reports/nightly", ".likeness/prefect")
    return sum(size_of(root / place) for place in places)


def _experiments(root: Path, since: float) -> Iterator[Step]:
    """DVC's experiments, which keep their outputs in the cache."""
    listed = _output(root, ["git", "for-each-ref", "--format=%(committerdate:unix) %(refname)", "refs/exps"])
    for line in (listed or "").splitlines():
        date, _, reference = line.partition(" ")
        name = _EXPERIMENT.fullmatch(reference)
        if name and float(date) < since:
            yield Step(f"DVC experiment {name[1]}", None, _removing_reference(root, reference))


def _removing_reference(root: Path, reference: str) -> Callable[[], None]:
    return lambda: _run(root, ["git", "update-ref", "-d", reference])


def _cache(root: Path, experiments: bool) -> Iterator[Step]:
    """Outputs that no branch, tag, experiment or file names; `experiments`: some of them go too."""
    cache = root / ".dvc" / "cache"
    if cache.is_dir():
        command = [sys.executable, "-m", "dvc", "gc", *_KEPT_BY_GIT]
        dry = _output(root, [*command, "--dry", "--force"])
        if dry is not None and (experiments or re.search(r"Removed [1-9]\d* objects", dry)):
            what = "outputs in the DVC cache that no branch, tag, experiment or file of the project names"
            yield Step(what, None, lambda: _run(root, [*command, "--force", "--quiet"]))


def _records(root: Path, keep: Keep) -> Iterator[Step]:
    """Records of old nightly runs, which `likeness history` shows."""
    records = sorted((root / "reports" / "nightly").glob("*.json"), reverse=True)
    old = [path for path in records[keep.runs :] if path.stat().st_mtime < keep.since]
    if old:
        yield Step(f"records of {len(old)} nightly runs", sum(map(size_of, old)), lambda: _unlink(old))


def _queue_logs(root: Path, since: float) -> Iterator[Step]:
    """What DVC's queue printed."""
    logs = [path for path in (root / ".dvc" / "tmp" / "exps" / "run").rglob("*") if path.is_file()]
    old = [path for path in logs if path.stat().st_mtime < since]
    if old:
        yield Step(f"{len(old)} logs of DVC's queue", sum(map(size_of, old)), lambda: _unlink(old))


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _output(root: Path, command: list[str]) -> str | None:
    """What a command prints; None where it fails, as git does outside a repository."""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode == 0 else None


def _run(root: Path, command: list[str]) -> None:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OutputError(f"{' '.join(command[:4])} failed ({last}); run it by hand to see why")
