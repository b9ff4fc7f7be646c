"""The card of a split: its numbers, and the proof that no person is on two sides."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.artifacts.split import IdentityCounts, SharedCounts, SideCounts
from likeness.data.faceset import FaceSet
from likeness.data.splits import SPLITS, Identities, Pairs, Split


def figures(faces: FaceSet, split: Split) -> dict[str, Any]:
    """What is in each side of a split, counted, and what two sides share, as fields of `SplitCard`.

    Raises:
        OverlapError: a person is on two sides.
    """
    split.check_disjoint(faces.manifest["person"])
    pairs = dict(zip(SPLITS, (split.train, split.holdout, split.test), strict=True))
    known = {"train": split.identities, "holdout": split.holdout_identities}
    return {
        "splits": {name: _pairs(faces, own) for name, own in pairs.items()},
        "identities": {name: _identities(images) for name, images in known.items()},
        "shared": _shared(faces, split.rows),
    }


def _pairs(faces: FaceSet, pairs: Pairs) -> SideCounts:
    same = int(pairs.same.sum())
    return SideCounts(
        pairs=len(pairs),
        same=same,
        different=len(pairs) - same,
        same_share=round(same / len(pairs), 6) if len(pairs) else None,
        drawn=int(pairs.drawn.sum()),
        images=len(pairs.rows),
        people=int(faces.manifest["person"].iloc[pairs.rows].nunique()),
    )


def _identities(identities: Identities | None) -> IdentityCounts | None:
    return IdentityCounts(len(identities), identities.people) if identities else None


def _shared(faces: FaceSet, rows: dict[str, NDArray[np.int64]]) -> SharedCounts:
    """How many people, images and image files each two sides share.

    The same photograph may be listed under two names on two sides; that is counted here, and named by the
    validation stage, but the official lists are used as they are.
    """
    people, images, files = {}, {}, {}
    for one, two in combinations(rows, 2):
        sides = (faces.manifest.iloc[rows[one]], faces.manifest.iloc[rows[two]])
        key = f"{one}-{two}"
        people[key] = len(set(sides[0]["person"]) & set(sides[1]["person"]))
        images[key] = len(np.intersect1d(rows[one], rows[two]))
        files[key] = len(set(sides[0]["sha256"]) & set(sides[1]["sha256"]))
    return SharedCounts(people, images, files)
