"""One-shot recognition among test people: N-way trials, rank-1 and CMC, and refusing people who are unknown.

Everything rests on the same descriptions and the same rule as verification; nothing is trained or chosen
here. Known people are the test people with two photographs or more, unknown those with one. The first
photograph of a known person is the gallery's only one; some of the others are probes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from likeness.data.faceset import FaceSet
from likeness.evaluation.systems import Rows, System
from likeness.metrics.intervals import Estimate, Resampling, bootstrap
from likeness.metrics.roc import roc
from likeness.metrics.scores import Floats, weighted_mean
from likeness.params import Range


@dataclass(frozen=True)
class IdentificationParams:
    """Settings of the recognition tests.

    Attributes:
        ways: candidates of a one-shot trial (Koch et al. 2015: 20).
        trials: one-shot trials drawn.
        probes: photographs of a person at most that are looked for in the gallery, in the order of their numbers.
        ranks: the longest list of candidates in the CMC.
        fpir: false positive identification rates at which the true positive identification rate is reported.
        seed: of the trials.
    """

    ways: Annotated[int, Range(2)] = 20
    trials: Annotated[int, Range(1)] = 2000
    probes: Annotated[int, Range(1)] = 10
    ranks: Annotated[int, Range(1)] = 50
    fpir: Annotated[tuple[float, ...], Range(above=0, below=1)] = (0.1, 0.01)
    seed: int = 0


@dataclass(frozen=True, eq=False)
class IdentificationSet:
    """People to be recognised, and people who are not enrolled.

    Attributes:
        people: rows of each known person, two or more, in the order of their numbers.
        unknown: int64 [U], the only photograph of each unknown person.
    """

    people: tuple[Rows, ...]
    unknown: Rows

    @property
    def gallery(self) -> Rows:
        """int64 [G], the first photograph of each known person."""
        return np.array([rows[0] for rows in self.people], np.int64)

    @property
    def rows(self) -> Rows:
        """Every photograph, ascending."""
        return np.unique(np.concatenate([*self.people, self.unknown]))


def identification_set(faces: FaceSet, rows: Rows, probes: int) -> IdentificationSet:
    """The people shown in some rows (such as those of the test pairs), with all their usable photographs.

    Args:
        faces: the store; unusable pictures are left out.
        rows: int64 [M].
        probes: photographs of a person at most beside the gallery's.
    """
    shown = set(faces.manifest["person"].iloc[rows])
    mask = faces.usable
    usable = [own[mask[own]] for name, own in faces.rows_of_people().items() if name in shown]
    people = tuple(own[: probes + 1] for own in usable if len(own) > 1)
    return IdentificationSet(people, np.array([own[0] for own in usable if len(own) == 1], np.int64))


@dataclass(frozen=True, eq=False)
class Ranked:
    """Every probe against the whole gallery.

    Attributes:
        person: int64 [Q], position in the gallery of each probe's person.
        rank: int64 [Q], place of the right person, from 1; scores equal to the right one's come before it.
        score: float64 [Q], of the right person.
        unknown: float64 [U], the best score in the gallery of each unknown person.
    """

    person: NDArray[np.int64]
    rank: NDArray[np.int64]
    score: Floats
    unknown: Floats

    @property
    def share(self) -> Floats:
        """float64 [Q], one over the person's number of probes, so that every person counts the same."""
        return np.asarray(1 / np.bincount(self.person)[self.person])


def rank_probes(system: System, subjects: IdentificationSet) -> Ranked:
    """Looks for every probe and every unknown person in the gallery."""
    probes = [rows[1:] for rows in subjects.people]
    person = np.repeat(np.arange(len(probes)), [len(rows) for rows in probes])
    table = system.score_table(np.concatenate(probes), subjects.gallery)
    right = table[np.arange(len(person)), person]
    rank = np.sum(table >= right[:, None], axis=1)
    return Ranked(person, rank, right, system.score_table(subjects.unknown, subjects.gallery).max(axis=1))


def cumulative_match(ranked: Ranked, ranks: int, resampling: Resampling) -> list[Estimate]:
    """CMC: share of probes whose person is among the first k candidates, for k = 1 .. ranks.

    Every person counts the same, however many probes there are; intervals are by resampling people.
    """
    reached = {str(k): ranked.rank <= k for k in range(1, min(ranks, int(ranked.person.max()) + 1) + 1)}

    def statistics(weights: Floats) -> dict[str, Floats]:
        shares = weights * ranked.share
        return {k: weighted_mean(hit, shares) for k, hit in reached.items()}

    members = dict.fromkeys(reached, np.ones(len(ranked.rank), bool))
    return list(bootstrap(statistics, ranked.person, resampling, members=members).values())


def detection_and_identification(ranked: Ranked, fpir: Sequence[float], resampling: Resampling) -> list[Estimate]:
    """Open-set rate at each rate of false positives (Phillips, Grother, Micheals 2011: DIR at a false-alarm rate).

    A probe counts when its person is ranked first *and* its score reaches the threshold; the threshold is the
    lowest at which at most the stated share of unknown people is taken for anybody in the gallery, without
    interpolation. Every person counts the same; known and unknown people are resampled separately.
    """
    scores = np.concatenate([ranked.score, ranked.unknown])
    # What is ranked wrongly is never found: below every score that a threshold could take.
    scores[: len(ranked.rank)][ranked.rank > 1] = scores.min() - 1
    known = np.arange(len(scores)) < len(ranked.rank)
    shares = np.concatenate([ranked.share, np.ones(len(ranked.unknown))])
    groups = np.concatenate([ranked.person, len(ranked.share) + np.arange(len(ranked.unknown))])

    def statistics(weights: Floats) -> dict[str, Floats]:
        curve = roc(scores, known, weights * shares)
        return {str(level): curve.tmr_at_fmr(level) for level in fpir}

    members = {str(level): known for level in fpir}
    return list(bootstrap(statistics, groups, resampling, known, members=members).values())


def one_shot(
    system: System, subjects: IdentificationSet, params: IdentificationParams, resampling: Resampling
) -> Estimate:
    """Accuracy of N-way one-shot trials (Lake et al. 2011; Koch et al. 2015).

    A trial shows a photograph of a random known person beside one photograph each of `ways` people, among them
    another photograph of that person; the best score wins, and equal best scores share the credit. The other
    people are drawn from known and unknown ones alike. Chance is 1 / ways.

    Intervals are by resampling the people who are looked for.
    """
    everyone = (*subjects.people, *(np.array([row]) for row in subjects.unknown))
    ways = min(params.ways, len(everyone))
    rng = np.random.default_rng(params.seed)
    target = rng.integers(len(subjects.people), size=params.trials)
    candidates = _candidates(target, len(everyone), ways, rng)
    probe, candidates_rows = _photographs(everyone, target, candidates, rng)
    scores = system.scores(np.repeat(probe, ways), candidates_rows.ravel()).reshape(params.trials, ways)
    best = scores == scores.max(axis=1, keepdims=True)
    credit = best[:, 0] / best.sum(axis=1)
    figures = bootstrap(
        lambda weights: {"accuracy": weighted_mean(credit, weights)},
        target,
        resampling,
        members={"accuracy": np.ones(len(target), bool)},
    )
    return figures["accuracy"]


def _candidates(target: NDArray[np.int64], people: int, ways: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """People of each trial, [T, ways], all different, the one looked for first."""
    others = np.array([rng.choice(people - 1, ways - 1, replace=False) for _ in target])
    others += others >= target[:, None]  # steps over the one looked for
    return np.concatenate([target[:, None], others], axis=1)


def _photographs(
    everyone: Sequence[Rows], target: NDArray[np.int64], candidates: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Rows, Rows]:
    """Rows of the photographs to be recognised [T] and of the candidates' [T, ways]."""
    counts = np.array([len(rows) for rows in everyone])
    starts = np.cumsum(counts) - counts
    flat = np.concatenate(everyone)
    chosen = rng.integers(counts[candidates])
    shift = rng.integers(1, counts[target])  # never the photograph itself
    other = (chosen[:, 0] + shift) % counts[target]
    return flat[starts[target] + other], flat[starts[candidates] + chosen]
