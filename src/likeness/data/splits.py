"""What the split stage hands to training and evaluation: pairs, identities, and the card that describes them.

On disk: the files of `likeness.artifacts.split`, and `digests.json`.
This module reads, checks and writes them; how they are made is in `likeness.data.protocol`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from likeness.artifacts.split import IDENTITIES, PAIRS, SPLIT_CARD, SplitCard, SplitName
from likeness.data.digests import check_digests, write_digests
from likeness.errors import DataError, OverlapError

_SHOWN = 5  # people that a message names

SPLITS: tuple[SplitName, ...] = ("train", "holdout", "test")


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of images, in the order of the official list.

    Attributes:
        a: int64 [P], manifest row of the first image.
        b: int64 [P], manifest row of the second image.
        same: bool [P], whether both show the same person.
        drawn: bool [P], whether the pair was drawn by us rather than listed; all false when left out.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    same: NDArray[np.bool_]
    drawn: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        if not len(self.drawn):
            object.__setattr__(self, "drawn", np.zeros(len(self.a), dtype=bool))
        for name, kind in [("a", np.int64), ("b", np.int64), ("same", np.bool_), ("drawn", np.bool_)]:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=kind))
        if not self.a.shape == self.b.shape == self.same.shape == self.drawn.shape or self.a.ndim != 1:
            raise ValueError("the columns of pairs must be vectors of one length")

    def __len__(self) -> int:
        return len(self.a)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Pairs:
        """The chosen pairs (a mask or positions), in that order."""
        return Pairs(self.a[chosen], self.b[chosen], self.same[chosen], self.drawn[chosen])

    @property
    def rows(self) -> NDArray[np.int64]:
        """Manifest rows of the images in any pair, each once, ascending."""
        return np.unique(np.concatenate([self.a, self.b]))


@dataclass(frozen=True, eq=False)
class Identities:
    """M images whose person is known to training; only the unrestricted protocol has them.

    Attributes:
        rows: int64 [M], manifest rows, ascending.
        labels: int64 [M], the person of each, dense 0..C-1 within this object.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", np.asarray(self.rows, dtype=np.int64))
        object.__setattr__(self, "labels", np.asarray(self.labels, dtype=np.int64))
        if self.rows.shape != self.labels.shape or self.rows.ndim != 1:
            raise ValueError("the columns of identities must be vectors of one length")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def people(self) -> int:
        """C, the number of different people."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0


# What a training may be fed with: a type, so that no sampler can be given what its protocol forbids.
TrainingData = Pairs | Identities


@dataclass(frozen=True, eq=False)
class Split:
    """Pairs for training, holdout and test, with no person in two of them, and what is known beyond pairs.

    Attributes:
        train: training pairs.
        holdout: pairs for early stopping and for the threshold.
        test: pairs that nothing but the final evaluation looks at.
        identities: images of training people, or None (restricted).
        holdout_identities: images of holdout people, or None (restricted).
        card: protocol, numbers and the proof of disjointness, as written to card.json.
    """

    train: Pairs
    holdout: Pairs
    test: Pairs
    identities: Identities | None
    holdout_identities: Identities | None
    card: SplitCard

    @property
    def rows(self) -> dict[str, NDArray[np.int64]]:
        """Manifest rows of the images on each side, in pairs or as identities, each once, ascending."""
        known = {"train": self.identities, "holdout": self.holdout_identities}
        pairs = dict(zip(SPLITS, (self.train, self.holdout, self.test), strict=True))
        return {
            name: np.union1d(own.rows, images.rows) if (images := known.get(name)) else own.rows
            for name, own in pairs.items()
        }

    def check_disjoint(self, people: Iterable[str]) -> None:
        """Refuses a split with a person on two sides.

        Args:
            people: the person of each manifest row.

        Raises:
            DataError: the split names rows that are not there.
            OverlapError: a person is on two sides.
        """
        names, rows = np.asarray(list(people), dtype=object), self.rows
        if (last := max((int(own[-1]) for own in rows.values() if len(own)), default=-1)) >= len(names):
            raise DataError(
                f"the split names row {last} of a face set with {len(names)} rows; run the split stage again"
            )
        for one, two in combinations(rows, 2):
            if shared := sorted(set(names[rows[one]]) & set(names[rows[two]])):
                more = f" and {len(shared) - _SHOWN} more" if len(shared) > _SHOWN else ""
                raise OverlapError(
                    f"people are in {one} and in {two} ({len(shared)}): {', '.join(shared[:_SHOWN])}{more}. A "
                    "result on people who were trained on says nothing about others; use lists without such people"
                )

    @property
    def training_data(self) -> TrainingData:
        """What the protocol lets training see: identities when unrestricted, else the pairs alone."""
        return self.train if self.identities is None else self.identities

    def write(self, folder: Path) -> None:
        """Writes the three files and their digests, each atomically.

        Raises:
            OutputError: the folder cannot be written.
        """
        PAIRS.write(folder / PAIRS.name, self._pairs_frame())
        IDENTITIES.write(folder / IDENTITIES.name, self._identities_frame())
        SPLIT_CARD.write(folder / SPLIT_CARD.name, self.card)
        write_digests(folder)

    @classmethod
    def open(cls, folder: Path | str, people: Iterable[str] | None = None) -> Split:
        """Reads what `write` wrote.

        Args:
            folder: of the split stage.
            people: the person of each manifest row, to check that nobody is on two sides; without it the images
                alone are checked.

        Raises:
            DataError: a file is missing, cannot be read, lacks a column, or is not what the split stage wrote.
            OverlapError: a person, or an image, is on two sides.
        """
        folder = Path(folder)
        pairs, images = PAIRS.read(folder / PAIRS.name), IDENTITIES.read(folder / IDENTITIES.name)
        card = SPLIT_CARD.read(folder / SPLIT_CARD.name)
        train, holdout, test = (_pairs_of(pairs[pairs["split"] == name]) for name in SPLITS)
        identities, holdout_identities = (
            _identities_of(images[images["split"] == name]) for name in ("train", "holdout")
        )
        split = cls(train, holdout, test, identities, holdout_identities, card)
        check_digests(folder, "split")
        last = max((int(own[-1]) for own in split.rows.values() if len(own)), default=-1)
        split.check_disjoint([f"image {row}" for row in range(last + 1)] if people is None else people)
        return split

    def _pairs_frame(self) -> pd.DataFrame:
        tables = [
            pd.DataFrame({"split": name, "a": pairs.a, "b": pairs.b, "same": pairs.same}).assign(
                origin=np.where(pairs.drawn, "drawn", "listed")
            )
            for name, pairs in zip(SPLITS, (self.train, self.holdout, self.test), strict=True)
        ]
        return pd.concat(tables, ignore_index=True)

    def _identities_frame(self) -> pd.DataFrame:
        nobody = Identities(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        tables = [
            pd.DataFrame({"row": images.rows, "label": images.labels, "split": name})
            for name, images in [
                ("train", self.identities or nobody),
                ("holdout", self.holdout_identities or nobody),
            ]
        ]
        return pd.concat(tables, ignore_index=True)


def _pairs_of(frame: pd.DataFrame) -> Pairs:
    a, b, same = (frame[name].to_numpy() for name in ("a", "b", "same"))
    return Pairs(a, b, same, (frame["origin"] == "drawn").to_numpy())


def _identities_of(frame: pd.DataFrame) -> Identities | None:
    return Identities(frame["row"].to_numpy(), frame["label"].to_numpy()) if len(frame) else None
