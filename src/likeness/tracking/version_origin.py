"""From what a registered version was made: its commit, parameters and data, as far as they can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from likeness.errors import TrackingError
from likeness.tracking.model_packing import DATA
from likeness.tracking.version_text import LOCK, NOTE, PARAMS, unrecorded_changes
from likeness.tracking.versions import Versions
from likeness.yaml_file import read_yaml


@dataclass(frozen=True)
class Origin:
    """From what a version was made.

    Attributes:
        version: number in the registry.
        commit: full hash of the code.
        fingerprint: of the data.
        weights: sha256 of the trained weights.
        model: folder of the version with weights and card.
        params: sections of params.yaml that the stages used; empty: those of the commit.
        note: data/collected.json at that time; None: that of the commit.
    """

    version: int
    commit: str
    fingerprint: str
    weights: str
    model: Path
    params: Mapping[str, Any]
    note: Path | None


def origin_of(versions: Versions, uri: str) -> Origin:
    """The origin of `models:/likeness/3` or `models:/likeness@champion`.

    Raises:
        TrackingError: there is no such version, or what it was made from is recorded in no commit.
    """
    number = versions.number(uri)
    with versions.reporting(f"reading version {number}", "Nothing was rebuilt"):
        version = versions.of(number)
        code, folder = versions.code_of(version), versions.files(version)
    lock, note = folder / LOCK, folder / Path(NOTE).name
    commit = code.get("git.commit")
    if commit is None:
        raise TrackingError(f"version {number}: was made outside a git repository, so its code is not known")
    if unrecorded := unrecorded_changes(code, {PARAMS: lock.is_file(), NOTE: note.is_file()}):
        raise TrackingError(
            f"version {number}: was trained with changes in {unrecorded} that commit {commit[:12]} does not hold, "
            "so it cannot be rebuilt. Commit before training what is to be registered"
        )
    return Origin(
        number,
        commit,
        version.tags["data.fingerprint"],
        version.tags["weights.sha256"],
        folder / DATA,
        _params(lock) if lock.is_file() else {},
        note if note.is_file() else None,
    )


def _params(lock: Path) -> dict[str, Any]:
    """The sections of params.yaml that dvc.lock holds."""
    stages = (read_yaml(lock) or {}).get("stages", {})
    sections: dict[str, Any] = {}
    for stage in stages.values():
        sections |= stage.get("params", {}).get(PARAMS, {})
    return sections
