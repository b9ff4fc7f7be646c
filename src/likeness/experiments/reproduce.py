"""Makes a registered version again, from its commit, its parameters and its data, and compares the results."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors.numpy import load_file

from likeness.artifacts.failure import FAILURE_FILE, read_failure
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.errors import DataError, LikenessError, TrackingError
from likeness.files import file_sha256
from likeness.models.card import CARD, WEIGHTS, read_card
from likeness.operations import OPERATIONS
from likeness.project import main_repository
from likeness.tracking.registry import Registry
from likeness.tracking.version_origin import Origin, origin_of
from likeness.tracking.version_text import NOTE, PARAMS
from likeness.yaml_file import read_yaml

_PLACE = (".dvc", "tmp", "exps")  # a copy in there takes a mirror's relative path from the project's root
_SHARED = ("data/downloads", "data/collected")
_NOT_PASSED_ON = ("MLFLOW_TRACKING_URI", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
_LINES = 5


@dataclass(frozen=True)
class Reproduction:
    """What came of it.

    Attributes:
        version: number in the registry.
        commit: that it was made from.
        data: fingerprint of the data, which is equal.
        expected: sha256 of the registered weights.
        found: sha256 of the weights made now.
        differences: what differs, a sentence each; empty where the weights are equal.
    """

    version: int
    commit: str
    data: str
    expected: str
    found: str
    differences: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the weights are the same, bit by bit."""
        return self.expected == self.found


def reproduce(folder: Path, uri: str, report: Callable[[str], None], *, keep: bool = False) -> Reproduction:
    """Trains a registered version again in a git worktree of its commit. The project is not touched.

    Args:
        folder: of the project.
        uri: such as `models:/likeness/3`.
        report: gets each line of the pipeline's output.
        keep: leaves the worktree there.

    Raises:
        TrackingError: no such version, its commit is not known here, or its tree held changes that no commit has.
        DataError: the data is not what it was.
        LikenessError: a stage failed.
    """
    root = main_repository(folder)
    origin = origin_of(Registry.open(folder=root).versions, uri)
    with _worktree(root, origin, keep=keep) as place:
        report(f"version {origin.version}, commit {origin.commit[:12]}, in {place}")
        _prepare(place, root, origin)
        _run_stages(place, "ingest", report)
        found = SOURCE_CARD.read(place / "data" / "faces" / SOURCE_CARD.name).fingerprint
        if found != origin.fingerprint:
            raise DataError(
                f"version {origin.version}: the data changed: expected fingerprint {origin.fingerprint[:12]}…, "
                f"found {found[:12]}…. Put the source's files of that time in place (data.mirror) and try again"
            )
        _run_stages(place, "train", report)
        return _compared(origin, place / "models" / "model")


@contextmanager
def _worktree(root: Path, origin: Origin, *, keep: bool) -> Iterator[Path]:
    """A checkout of the commit, removed at the end."""
    if _git(root, "cat-file", "-e", f"{origin.commit}^{{commit}}").returncode:
        raise TrackingError(
            f"version {origin.version}: commit {origin.commit} is not in this repository. `git fetch --all` may "
            "bring it; a commit that was never pushed exists only where the version was trained"
        )
    above = root.joinpath(*_PLACE)
    above.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="reproduce-", dir=above)) / f"version-{origin.version}"
    done = _git(root, "worktree", "add", "--detach", "--quiet", str(place), origin.commit)
    if done.returncode:
        raise TrackingError(f"{place}: git could not make a worktree of {origin.commit}: {done.stderr.strip()}")
    try:
        yield place
    finally:
        if not keep:
            _git(root, "worktree", "remove", "--force", str(place))
            place.parent.rmdir()


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)


def _prepare(place: Path, root: Path, origin: Origin) -> None:
    """Writes the version's parameters, shares what was downloaded and collected, and switches tracking off."""
    _merge(place / PARAMS, origin.params)
    _merge(place / OPERATIONS, {"tracking": {"enabled": False}})
    if origin.note is not None:
        (place / NOTE).write_bytes(origin.note.read_bytes())
    for name in _SHARED:
        if (root / name).is_dir() and not (place / name).exists():
            (place / name).symlink_to(root / name)


def _merge(path: Path, sections: Mapping[str, Any]) -> None:
    values = (read_yaml(path) if path.exists() else None) or {}
    path.write_text(yaml.safe_dump(values | dict(sections), sort_keys=False), encoding="utf-8")


def _run_stages(place: Path, target: str, report: Callable[[str], None]) -> None:
    """Runs the stages up to one, in the code of the commit; nothing is taken from a cache of earlier runs."""
    failure = place.parent / "failure.json"
    paths = [str(place / "src"), str(place)]
    environ = {key: value for key, value in os.environ.items() if key not in _NOT_PASSED_ON}
    environ |= {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(paths),
        FAILURE_FILE: str(failure),
    }
    command = [sys.executable, "-m", "dvc", "repro", "--no-run-cache", target]
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=place, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            report(lines[-1])
    reported = read_failure(failure)
    failure.unlink(missing_ok=True)
    if process.returncode:
        said = reported.message if reported else " / ".join(line for line in lines[-_LINES:] if line)
        raise LikenessError(f"`dvc repro {target}` failed in {place}: {said}")


def _compared(origin: Origin, model: Path) -> Reproduction:
    found = file_sha256(model / WEIGHTS)
    differences = () if found == origin.weights else tuple(_differences(origin.model, model))
    return Reproduction(origin.version, origin.commit, origin.fingerprint, origin.weights, found, differences)


def _differences(before: Path, now: Path) -> Iterator[str]:
    """What differs between two model folders: shapes, weights, and the packages that trained them."""
    old, new = load_file(before / WEIGHTS), load_file(now / WEIGHTS)
    if other := sorted(key for key in old.keys() | new.keys() if not _alike(old.get(key), new.get(key))):
        yield f"tensors of other names or shapes: {', '.join(other[:_LINES])}"
    gaps = {key: float(np.abs(old[key] - new[key]).max(initial=0)) for key in old if key not in other}
    if changed := {key: gap for key, gap in gaps.items() if gap}:
        largest = max(changed, key=lambda key: changed[key])
        yield f"{len(changed)} of {len(gaps)} tensors differ, by at most {changed[largest]:.3g} ({largest})"
    then, today = (read_card(folder / CARD).versions for folder in (before, now))
    for name in sorted(then.keys() | today.keys()):
        if then.get(name) != today.get(name):
            yield f"{name}: {then.get(name, 'none')} then, {today.get(name, 'none')} now"


def _alike(old: np.ndarray[Any, Any] | None, new: np.ndarray[Any, Any] | None) -> bool:
    return old is not None and new is not None and old.shape == new.shape
