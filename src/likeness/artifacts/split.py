"""The files of the split stage: `card.json`, `pairs.parquet` and `identities.parquet`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from likeness.artifacts.json_file import JsonFile
from likeness.artifacts.table_file import TableFile

SplitName = Literal["train", "holdout", "test"]


@dataclass(frozen=True)
class SideCounts:
    """Pairs of a side, by class, those that were drawn rather than listed, and its images and people."""

    pairs: int
    same: int
    different: int
    same_share: float | None
    drawn: int
    images: int
    people: int


@dataclass(frozen=True)
class IdentityCounts:
    """Images whose person is known, and people."""

    images: int
    people: int


@dataclass(frozen=True)
class SharedCounts:
    """People, images and image files (by content) that two sides share, by names such as train-test."""

    people: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    identical_files: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LostPairs:
    """Listed pairs that no split has, because a photograph of theirs shows no face that can be compared."""

    same: int = 0
    different: int = 0


@dataclass(frozen=True, kw_only=True)
class SplitCard:
    """How a split was made, its counts, and the proof that no person is on two sides.

    Attributes:
        protocol: what training may see.
        view: 1 for one division, 2 for ten folds.
        fold: the fold of view 2 that is tested on.
        folds_out: folds of view 2 that training leaves out together.
        holdout_fraction, seed, holdout_draw, pairs_per_class, test_fraction, people_share: see `SplitParams`.
        lists: the official pair lists; None where the pairs were drawn.
        fingerprint: of the face set.
        splits: counts of each side.
        identities: counts of the known people of train and holdout, None where the protocol grants none.
        shared: what two sides share.
        not_acquired: listed pairs that were left out of those to learn from and of those to test on.
    """

    protocol: Literal["restricted", "unrestricted"]
    view: Literal[1, 2] = 1
    fold: int | None = None
    folds_out: int | None = None
    holdout_fraction: float | None = None
    seed: int = 0
    holdout_draw: int = 0
    pairs_per_class: int | None = None
    test_fraction: float | None = None
    people_share: float = 1.0
    lists: tuple[str, ...] | None = None
    fingerprint: str = ""
    splits: Mapping[SplitName, SideCounts] = field(default_factory=dict)
    identities: Mapping[str, IdentityCounts | None] = field(default_factory=dict)
    shared: SharedCounts = SharedCounts()
    not_acquired: Mapping[Literal["learn", "test"], LostPairs] = field(default_factory=dict)


SPLIT_CARD = JsonFile("card.json", SplitCard, stage="split")
PAIRS = TableFile(
    "pairs.parquet",
    {
        "split": "str",  # a SplitName
        "a": "int32",  # row of the manifest of the first image
        "b": "int32",
        "same": "bool",  # whether both show one person
        "origin": "str",  # listed or drawn
    },
    stage="split",
)
IDENTITIES = TableFile(
    "identities.parquet",
    {
        "row": "int32",  # of the manifest
        "label": "int32",  # of the person, dense from 0 within the side
        "split": "str",  # train or holdout
    },
    stage="split",
)
"""Empty where the protocol is restricted, so that training cannot see what the protocol forbids."""
