"""Packs unfinished trials for a machine with a GPU, which needs nothing but torch and the scientific packages."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from likeness.data.splits import Split
from likeness.experiments.runner import prepare, split
from likeness.experiments.store_packing import pack
from likeness.experiments.trials import TrialFolder

_PACKAGES = ("pytorch_metric_learning", "captum")  # pure Python, and not on every machine with a GPU


def pack_trials(trials: Sequence[TrialFolder], to: Path) -> int:
    """Copies trials, their face sets (packed) and the packages that the other machine may lack.

    Returns:
        The bytes of the folder.

    Raises:
        StageFailedError: faces or pairs could not be made.
    """
    prepare(trials)
    for trial in trials:
        split(trial)
        shutil.copytree(trial.folder, to / "runs" / trial.name, dirs_exist_ok=True)
    for faces in {trial.faces for trial in trials}:
        pack(faces, to / "faces" / faces.name, _needed([one for one in trials if one.faces == faces]))
    for name in _PACKAGES:
        found = find_spec(name)
        if found is not None and found.origin is not None:
            ignored = shutil.ignore_patterns("__pycache__", "insights")
            shutil.copytree(Path(found.origin).parent, to / "packages" / name, ignore=ignored, dirs_exist_ok=True)
    return sum(path.stat().st_size for path in to.rglob("*") if path.is_file())


def _needed(trials: Sequence[TrialFolder]) -> npt.NDArray[np.int64]:
    """Rows of the pictures that pairs and people of the trials name."""
    splits = [Split.open(trial.folder / "splits") for trial in trials]
    return np.unique(np.concatenate([rows for one in splits for rows in one.rows.values()]))
