"""Which code and which data versions produced a run: the commit, whether the tree was dirty, dvc.lock's digest."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from likeness.artifacts.run_note import Provenance
from likeness.files import file_sha256

# `dvc repro` itself rewrites dvc.lock between two stages, and the lock has a digest of its own here.
_NOT_DIRT = ":(exclude,top)dvc.lock"
_FILES_NAMED = 20


def provenance_of(folder: Path) -> Provenance:
    """The state of the working tree around `folder`; never fails, what cannot be found is None."""
    lock = folder / "dvc.lock"
    status = _git(folder, "status", "--porcelain", "--", ".", _NOT_DIRT)
    changed = tuple(line[3:] for line in status.splitlines()) if status is not None else ()
    return Provenance(
        commit=(_git(folder, "rev-parse", "--verify", "--quiet", "HEAD") or "").strip() or None,
        dirty=None if status is None else bool(changed),
        changed=changed[:_FILES_NAMED],
        dvc_lock=file_sha256(lock) if lock.is_file() else None,
        experiment=os.environ.get("DVC_EXP_NAME"),
        repository=_public((_git(folder, "remote", "get-url", "origin") or "").strip()),
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _public(address: str) -> str | None:
    """An address that means something elsewhere: no folder of this machine, and no credentials."""
    if not re.match(r"(https?|ssh|git)://|[\w.-]+@[\w.-]+:", address):
        return None
    return re.sub(r"^(https?://)[^/@]*@", r"\1", address)


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
