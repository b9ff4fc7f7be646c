"""From a face set to its split: the official views of LFW, or the same protocol drawn for any photo set.

View 1 trains on pairsDevTrain and tests on pairsDevTest; view 2 tests on one of the ten folds of pairs.txt and
trains on the other nine (or fewer, `SplitParams.folds_out`).
A holdout is taken out of the training pairs; no person is in two of the three.
Restricted: training sees the pairs alone (the names serve only to keep people apart). Unrestricted: it also
sees who is on every image of the training people (Huang and Learned-Miller 2014, sections 2 and 3).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from likeness.artifacts.split import LostPairs, SplitCard
from likeness.data.faceset import FaceSet
from likeness.data.holdout import choose_holdout
from likeness.data.pair_drawing import divide_people, draw_pairs
from likeness.data.pairs import ListedPair, listing, locate, read_pairs, read_people
from likeness.data.problems import NOT_ACQUIRED
from likeness.data.split_card import figures
from likeness.data.splits import Identities, Pairs, Split
from likeness.errors import PairListError
from likeness.params import Range

PAIR_LISTS: dict[int, tuple[str, ...]] = {1: ("pairsDevTrain.txt", "pairsDevTest.txt"), 2: ("pairs.txt",)}
PEOPLE_LISTS: dict[int, str] = {1: "peopleDevTrain.txt", 2: "people.txt"}
FOLDS = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitParams:
    """Section `split` of params.yaml.

    Attributes:
        protocol: what training may see.
        view: 1 for one division, 2 for ten folds.
        fold: the fold of view 2 that is tested on; view 1 has none and ignores it.
        folds_out: folds of view 2 that training leaves out together, the tested one among them: with 2, folds 0
            and 1 are tested on one and the same training, and so on. It sees less than the protocol grants.
        holdout_fraction: share of the training pairs that is held out.
        seed: decides who is held out and which pairs are drawn.
        holdout_draw: pairs per class that are drawn among the holdout people beside the listed ones.
        pairs_per_class: pairs per class that are drawn in all where no pair lists are.
        test_fraction: share of people and pairs that is tested on where no lists are and the view is 1;
            0.3125 of 1 600 are the 500 of LFW.
        people_share: share of the training people, with their pairs, that is trained on, to see how accuracy
            depends on their number; holdout and test stay what they are.
    """

    SECTION: ClassVar[str] = "split"

    protocol: Literal["restricted", "unrestricted"] = "restricted"
    view: Literal[1, 2] = 1
    fold: Annotated[int, Range(0, FOLDS - 1)] = 0
    folds_out: Literal[1, 2, 5] = 1
    holdout_fraction: Annotated[float, Range(above=0, below=1)] = 0.2
    seed: Annotated[int, Range(0)] = 0
    holdout_draw: Annotated[int, Range(0)] = 0
    pairs_per_class: Annotated[int, Range(3)] = 1600
    test_fraction: Annotated[float, Range(above=0, below=1)] = 0.3125
    people_share: Annotated[float, Range(above=0, high=1)] = 1.0

    @property
    def left_out(self) -> range:
        """The folds of view 2 that training does not see."""
        first = self.fold - self.fold % self.folds_out
        return range(first, first + self.folds_out)

    def __post_init__(self) -> None:
        if self.holdout_draw and self.protocol == "restricted":
            raise ValueError(
                f"holdout_draw = {self.holdout_draw} needs protocol = unrestricted: "
                "drawing pairs uses identities, which the restricted protocol forbids"
            )


@dataclass(frozen=True, eq=False)
class _Division:
    """Pairs of the three sides, and the codes of the people whose identity training may use."""

    train: Pairs
    holdout: Pairs
    test: Pairs
    train_people: NDArray[np.int64]
    holdout_people: NDArray[np.int64]
    not_acquired: Mapping[Literal["learn", "test"], LostPairs] = field(default_factory=dict)


def make_split(faces: FaceSet, params: SplitParams) -> Split:
    """Divides a face set by its official lists, or by drawn pairs where it has none.

    Args:
        faces: images, manifest and lists. Of the photographs that were collected after the source was published,
            those of new people, and those of the source's own training people, join `identities`; nothing else
            changes, so the restricted protocol does not see them.
        params: protocol, view and numbers.

    Raises:
        PairListError: a list is missing, malformed, or names an absent or unusable image.
        OverlapError: the lists have people on both sides.
        DataError: too few people, or pairs that cannot be divided.
    """
    rng = np.random.default_rng(params.seed)
    people = _People(faces)
    known = {name for names in PAIR_LISTS.values() for name in names}
    listed = not known.isdisjoint(faces.lists)
    division = _listed(faces, people, params, rng) if listed else _drawn(faces, people, params, rng)
    identities = holdout_identities = None
    if params.protocol == "unrestricted":
        identities = people.identities(division.train_people)
        holdout_identities = people.identities(division.holdout_people)
        if identities is None:
            raise PairListError(f"{PEOPLE_LISTS[params.view]}: holds nobody to train on, as all are held out")
    holdout = division.holdout
    if params.holdout_draw:
        extra = draw_pairs(people.rows(division.holdout_people), params.holdout_draw, rng, taken=holdout)
        holdout = _joined(holdout, extra)
    card = SplitCard(protocol=params.protocol)
    split = Split(division.train, holdout, division.test, identities, holdout_identities, card)
    head = {
        **dataclasses.asdict(params),
        "fold": params.fold if params.view == 2 else None,
        "folds_out": params.folds_out if params.view == 2 else None,
        "lists": PAIR_LISTS[params.view] if listed else None,
        "fingerprint": faces.source.fingerprint,
        "not_acquired": division.not_acquired,
    }
    return dataclasses.replace(split, card=SplitCard(**head, **figures(faces, split)))


class _People:
    """The people of a face set as codes 0..P-1 in the order of the manifest, with their usable images."""

    def __init__(self, faces: FaceSet) -> None:
        self.usable = faces.usable
        self.names = faces.manifest["person"].unique().tolist()
        self.code = {name: code for code, name in enumerate(self.names)}
        self.of_row = faces.manifest["person"].map(self.code).to_numpy(dtype=np.int64)

    def rows(self, people: NDArray[np.int64], but: NDArray[np.bool_] | None = None) -> list[NDArray[np.int64]]:
        """Rows of each person's usable images but for those; people without any are left out."""
        usable = self.usable if but is None else self.usable & ~but
        rows = np.flatnonzero(usable & np.isin(self.of_row, people))
        who = self.of_row[rows]  # ascending, since the manifest is sorted by person
        return np.split(rows, np.flatnonzero(np.diff(who)) + 1) if len(rows) else []

    def identities(self, people: NDArray[np.int64]) -> Identities | None:
        groups = self.rows(people)
        if not groups:
            return None
        labels = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
        return Identities(np.concatenate(groups), labels)

    def in_pairs(self, pairs: Pairs) -> NDArray[np.int64]:
        return np.unique(self.of_row[pairs.rows])


def _listed(faces: FaceSet, people: _People, params: SplitParams, rng: np.random.Generator) -> _Division:
    learn, test = _official(faces.lists, params)
    located = locate([*learn, *test], faces.rows_by_name())
    _refuse_unusable([*learn, *test], located, faces)
    learned, lost = _acquired(located.take(np.arange(len(learn))), faces)
    tested, lost_tests = _acquired(located.take(np.arange(len(learn), len(located))), faces)
    held = choose_holdout(people.of_row[learned.a], people.of_row[learned.b], params.holdout_fraction, rng)
    holdout_people = people.in_pairs(learned.take(held))
    known = _known_people(faces, people, params) if params.protocol == "unrestricted" else np.zeros(0, np.int64)
    train_people = np.setdiff1d(np.union1d(known, _new_people(faces, people)), holdout_people)
    missing: Mapping[Literal["learn", "test"], LostPairs] = {"learn": lost, "test": lost_tests}
    division = _Division(learned.take(~held), learned.take(held), tested, train_people, holdout_people, missing)
    return division if params.people_share == 1 else _with_fewer_people(division, people, params)


def _with_fewer_people(division: _Division, people: _People, params: SplitParams) -> _Division:
    """The same holdout and test, and a share of the training pairs of each class with their people.

    Whole groups of people whom pairs connect are left out, so that both classes shrink alike; of the people in no
    pair the same share stays.
    """
    rng, pairs = np.random.default_rng(params.seed), division.train
    first, second = people.of_row[pairs.a], people.of_row[pairs.b]
    train = pairs.take(~choose_holdout(first, second, 1 - params.people_share, rng))
    unpaired = rng.permutation(np.setdiff1d(division.train_people, people.in_pairs(pairs)))
    stay = np.union1d(people.in_pairs(train), unpaired[: round(params.people_share * len(unpaired))])
    return dataclasses.replace(division, train=train, train_people=np.intersect1d(division.train_people, stay))


def _official(lists: Mapping[str, Path], params: SplitParams) -> tuple[list[ListedPair], list[ListedPair]]:
    """The listed pairs to learn from and to test on."""
    if missing := [name for name in PAIR_LISTS[params.view] if name not in lists]:
        raise PairListError(
            f"view {params.view} needs {' and '.join(missing)}, but the lists that came with the images are "
            f"{', '.join(sorted(lists))}. Put the missing ones beside the images, ask for the other view, or "
            "remove all pair lists so that pairs are drawn, and ingest again"
        )
    if params.view == 1:
        learn, test = (list(chain.from_iterable(read_pairs(lists[name]))) for name in PAIR_LISTS[1])
        return learn, test
    (name,) = PAIR_LISTS[2]
    folds, at = read_pairs(lists[name]), params.fold
    if at >= len(folds):
        raise PairListError(f"{lists[name]}: has {len(folds)} folds (0 to {len(folds) - 1}), not fold {at}")
    granted = [fold for number, fold in enumerate(folds) if number not in params.left_out]
    return list(chain.from_iterable(granted)), folds[at]


def _refuse_unusable(listed: list[ListedPair], located: Pairs, faces: FaceSet) -> None:
    usable = faces.usable | faces.manifest["problem"].isin(NOT_ACQUIRED).to_numpy(bool)
    broken = ~(usable[located.a] & usable[located.b])
    if broken.any():
        lines = [f"{listed[i].place}: {listed[i].first} with {listed[i].second}" for i in np.flatnonzero(broken)]
        raise PairListError(listing("listed pairs with an image that is not usable", lines))


def _acquired(pairs: Pairs, faces: FaceSet) -> tuple[Pairs, LostPairs]:
    """The pairs without those of a failure to acquire, and how many those are."""
    usable = faces.usable
    kept = usable[pairs.a] & usable[pairs.b]
    lost = pairs.same[~kept]
    return pairs.take(kept), LostPairs(int(lost.sum()), int((~lost).sum()))


def _known_people(faces: FaceSet, people: _People, params: SplitParams) -> NDArray[np.int64]:
    """Codes of the people whose identity an unrestricted training may use: all of the training side."""
    name = PEOPLE_LISTS[params.view]
    if name not in faces.lists:
        raise PairListError(
            f"protocol unrestricted needs {name}, which says whose images are for training, but the lists that "
            f"came with the images are {', '.join(sorted(faces.lists))}. Put it beside the images and ingest again"
        )
    folds = read_people(faces.lists[name])
    left_out = params.left_out if params.view == 2 else ()
    listed = [row for number, fold in enumerate(folds) if number not in left_out for row in fold]
    if absent := [f"{row.place}: {row.person}" for row in listed if row.person not in people.code]:
        raise PairListError(listing("the people list names people without an image", absent))
    return np.array([people.code[row.person] for row in listed], dtype=np.int64)


def _new_people(faces: FaceSet, people: _People) -> NDArray[np.int64]:
    """Codes of the people of whom the source itself has no image, so that they are in nobody's test.

    Whoever is in the source stays on the side where its lists put them, however many photographs were collected.
    """
    return np.setdiff1d(people.of_row[faces.collected], people.of_row[~faces.collected])


def _drawn(faces: FaceSet, people: _People, params: SplitParams, rng: np.random.Generator) -> _Division:
    """Divides people, then draws each side's share of the pairs among its own.

    Collected photographs have no part in that, so the drawn pairs stay what they are when some arrive.
    """
    rows = people.rows(np.arange(len(people.names)), but=faces.collected)
    images = np.array([len(own) for own in rows], dtype=np.int64)
    test = 1 / FOLDS if params.view == 2 else params.test_fraction
    if params.view == 2:
        fold = divide_people(images, [test] * FOLDS, [1] * FOLDS, rng)
        tested, left_out = fold == params.fold, np.isin(fold, params.left_out)
    else:
        tested = left_out = divide_people(images, [test, 1 - test], [1, 2], rng) == 0
    learned = np.flatnonzero(~left_out)
    shares = [params.holdout_fraction, 1 - params.holdout_fraction]
    held = divide_people(images[learned], shares, [1, 1], rng) == 0
    sides = [learned[~held], learned[held], np.flatnonzero(tested)]
    counts = _counts(params.pairs_per_class, test, params.holdout_fraction)
    train, holdout, testing = (
        draw_pairs([rows[who] for who in side], count, rng) for side, count in zip(sides, counts, strict=True)
    )
    wanted = counts[0]
    if params.people_share < 1:  # drawn again, so that the holdout and the test stay what they are
        own = np.random.default_rng(params.seed)
        sides[0] = own.permutation(sides[0])[: max(round(params.people_share * len(sides[0])), 2)]
        wanted = max(round(params.people_share * wanted), 1)
        train = draw_pairs([rows[who] for who in sides[0]], wanted, own)
    if len(train) < 2 * wanted:
        logger.warning(
            "asked for %d training pairs of each class, these photos yield only %d", wanted, len(train) // 2
        )
    codes = np.array([people.of_row[own[0]] for own in rows], dtype=np.int64)
    train_people = np.union1d(codes[sides[0]], _new_people(faces, people))
    return _Division(train, holdout, testing, train_people, codes[sides[1]])


def _counts(total: int, test: float, holdout: float) -> tuple[int, int, int]:
    """Pairs per class for training, holdout and test, each at least one."""
    tested = min(max(round(total * test), 1), total - 2)
    held = min(max(round((total - tested) * holdout), 1), total - tested - 1)
    return total - tested - held, held, tested


def _joined(first: Pairs, second: Pairs) -> Pairs:
    columns = ("a", "b", "same", "drawn")
    return Pairs(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in columns))
