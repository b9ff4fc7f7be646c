"""The same photograph on both sides, and what is left of an accuracy without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.data.splits import Pairs
from likeness.evaluation.systems import ScoredSystem
from likeness.validation.duplicates import copies
from studies.leaks.study import FACE, Mask, Study, StudyResult, classical, scored, seen_by, window

_TWINS = ((8, 0.93), (12, 0.85))  # bits between hashes, correlation of pixels: the same photograph; nearly so


def twin_study(study: Study, facts: dict[str, Any]) -> Iterator[StudyResult]:
    """Baseline and model without the pairs that twins touch; how many there are goes into `facts`."""
    sides = _sides_of(study)
    facts["people on both sides"] = len(set(sides["train"]) & set(sides["test"]))
    systems = dict(_whole_systems(study))
    for bits, correlation in _TWINS:
        found = copies(study.faces, bits, correlation)
        rows = found[["row", "twin"]].to_numpy()
        bounds = f"hash within {bits} bits, correlation at least {correlation:g}"
        facts[bounds] = _counted(study, rows, sides)
        clean = _untouched(study, rows, sides)
        for name, system in systems.items():
            yield study.row("twins", f"{name}; pairs free of twins: {bounds}", system, clean)


def _whole_systems(study: Study) -> Iterator[tuple[str, ScoredSystem]]:
    """The baseline on the face's window, and the model on its own, both as they are used."""
    yield f"{FACE[0]}×{FACE[1]}", classical(study, study.faces.pixels[:, *window(FACE)])
    if study.model is not None:
        yield "its window", scored(study, study.model, seen_by(study, study.model))


def _sides_of(study: Study) -> dict[str, NDArray[Any]]:
    """Names of the training people, held-out ones included, and of the people of the test pairs."""
    people = study.faces.manifest["person"].to_numpy()
    split = study.split
    held_out = split.holdout.rows if split.holdout_identities is None else split.holdout_identities.rows
    train = np.concatenate([study.known.rows, split.train.rows, split.holdout.rows, held_out])
    return {"train": np.unique(people[train]), "test": np.unique(people[split.test.rows])}


def _counted(study: Study, twins: NDArray[np.int64], sides: dict[str, NDArray[Any]]) -> dict[str, int]:
    """How many pairs of twins there are, by whose they are."""
    people = study.faces.manifest["person"].to_numpy()[twins]
    trained, tested = np.isin(people, sides["train"]), np.isin(people, sides["test"])
    pictured = np.isin(twins, study.split.test.rows)
    across = (trained[:, 0] & tested[:, 1]) | (tested[:, 0] & trained[:, 1])
    return {
        "pairs of twins": len(twins),
        "under two names": int((people[:, 0] != people[:, 1]).sum()),
        "a training person's and a test person's": int(across.sum()),
        "among them with a picture of a test pair": int((across & pictured.any(axis=1)).sum()),
        "both in one test pair": int((~_apart(study.split.test, twins)).sum()),
        "test pairs that are touched": int((~_untouched(study, twins, sides)).sum()),
    }


def _untouched(study: Study, twins: NDArray[np.int64], sides: dict[str, NDArray[Any]]) -> Mask:
    """Test pairs none of whose pictures has a twin among training pictures, and that are no twins themselves."""
    trained = np.isin(study.faces.manifest["person"].to_numpy()[twins], sides["train"])
    tainted = np.concatenate([twins[trained[:, 1], 0], twins[trained[:, 0], 1]])
    test = study.split.test
    return ~np.isin(test.a, tainted) & ~np.isin(test.b, tainted) & _apart(test, twins)


def _apart(pairs: Pairs, twins: NDArray[np.int64]) -> Mask:
    """Pairs that are not twins of each other, bool [P]."""
    known = {frozenset(map(int, pair)) for pair in twins}
    return np.array([frozenset((int(a), int(b))) not in known for a, b in zip(pairs.a, pairs.b, strict=True)])
