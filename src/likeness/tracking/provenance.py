"""Which code and which data versions produced a run: the commit, whether the tree was dirty, dvc.lock's digest."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from likeness.files import file_sha256

# `dvc repro` itself rewrites dvc.lock between two stages, and the lock has a digest of its own here.
_NOT_DIRT = ":(exclude,top)dvc.lock"
_FILES_NAMED = 20


@dataclass(frozen=True)
class Provenance:
    """The state of the working tree that a stage runs in.

    Attributes:
        commit: full hash of HEAD, or None outside a git repository (or before its first commit).
        dirty: whether any file but dvc.lock differs from that commit, untracked ones included; None if unknown.
        changed: the first twenty of those files.
        dvc_lock: sha256 of dvc.lock, or None where there is none yet.
        experiment: name of the DVC experiment that runs this, or None for a plain `dvc repro`.
    """

    commit: str | None
    dirty: bool | None
    changed: tuple[str, ...]
    dvc_lock: str | None
    experiment: str | None

    def tags(self) -> dict[str, str]:
        """The same as MLflow tags; `mlflow.source.git.commit` is the one that its page shows."""
        tags = {
            "git.dirty": "unknown" if self.dirty is None else str(self.dirty).lower(),
            "git.changed": ", ".join(self.changed),
            "dvc.lock.sha256": self.dvc_lock or "none",
        }
        if self.commit:
            tags |= {"git.commit": self.commit, "mlflow.source.git.commit": self.commit}
        if self.experiment:
            tags["dvc.experiment"] = self.experiment
        return tags

    def as_dict(self) -> dict[str, object]:
        """Plain values for a JSON file."""
        return {**asdict(self), "changed": list(self.changed)}


def provenance_of(folder: Path) -> Provenance:
    """The state of the working tree around `folder`; never fails, what cannot be told is None."""
    lock = folder / "dvc.lock"
    status = _git(folder, "status", "--porcelain", "--", ".", _NOT_DIRT)
    changed = tuple(line[3:] for line in status.splitlines()) if status is not None else ()
    return Provenance(
        commit=(_git(folder, "rev-parse", "--verify", "--quiet", "HEAD") or "").strip() or None,
        dirty=None if status is None else bool(changed),
        changed=changed[:_FILES_NAMED],
        dvc_lock=file_sha256(lock) if lock.is_file() else None,
        experiment=os.environ.get("DVC_EXP_NAME"),
    )


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
