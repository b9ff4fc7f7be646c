"""The figures of one system, as in metrics.json: each with its interval and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from likeness.data.splits import Pairs
from likeness.evaluation.comparison import Scored, difference, mcnemar, tmr_name
from likeness.evaluation.identification import (
    IdentificationParams,
    IdentificationSet,
    cumulative_match,
    detection_and_identification,
    one_shot,
    rank_probes,
)
from likeness.evaluation.systems import ScoredSystem, System
from likeness.metrics.calibration_error import Reliability
from likeness.metrics.intervals import Estimate, Resampling, bootstrap
from likeness.metrics.roc import roc
from likeness.metrics.scores import Floats, confusion, weighted_mean
from likeness.models.decision import Decision

Json = dict[str, Any]

_SHOWN_RANKS = (1, 5, 10)


@dataclass(frozen=True, eq=False)
class EvaluatedPairs:
    """Pairs that systems are measured on.

    Attributes:
        pairs: the P pairs.
        groups: int64 [P], pairs that are resampled together, from `pair_groups`.
    """

    pairs: Pairs
    groups: NDArray[np.int64]


def verification(
    scores: Floats, decision: Decision, measured: EvaluatedPairs, fmr: Sequence[float], resampling: Resampling
) -> Json:
    """Accuracy at the decision's threshold, AUC, EER and TMR at each FMR, with intervals; and the confusion.

    `beyond_support` lists the rates that fewer than 1 / rate different pairs support: their figure is the TMR
    without any false match.
    """
    same = measured.pairs.same
    predicted = decision.predict(scores)

    def statistics(weights: Floats) -> dict[str, Floats]:
        curve = roc(scores, same, weights)
        return {
            "accuracy": weighted_mean(predicted == same, weights),
            "auc": curve.auc(),
            "eer": curve.eer(),
            **{tmr_name(level): curve.tmr_at_fmr(level) for level in fmr},
        }

    members = {"accuracy": np.ones_like(same), **{tmr_name(level): same for level in fmr}}
    figures = plain(bootstrap(statistics, measured.groups, resampling, same, members=members))
    beyond = [tmr_name(level) for level in fmr if np.sum(~same) * level < 1]
    return {**figures, "beyond_support": beyond, "confusion": asdict(confusion(predicted, same))}


def det(
    scores: Floats, measured: EvaluatedPairs, levels: Sequence[float], resampling: Resampling
) -> list[Estimate]:
    """FNMR with its interval at each false match rate, in their order."""
    same = measured.pairs.same

    def statistics(weights: Floats) -> dict[str, Floats]:
        curve = roc(scores, same, weights)
        return {str(place): 1 - curve.tmr_at_fmr(level) for place, level in enumerate(levels)}

    members = {str(place): same for place in range(len(levels))}
    return list(bootstrap(statistics, measured.groups, resampling, same, members=members).values())


def operating_points(scores: Floats, decision: Decision, measured: EvaluatedPairs, resampling: Resampling) -> Json:
    """What a user gets who sets the threshold by a stated FMR: the FMR and TMR that the test pairs really show.

    The thresholds are the model card's, from held-out pairs.
    """
    same = measured.pairs.same

    def rates(threshold: float) -> Json:
        accepted = scores >= threshold

        def statistics(weights: Floats) -> dict[str, Floats]:
            return {
                "fmr": weighted_mean(accepted, weights * ~same),
                "tmr": weighted_mean(accepted, weights * same),
            }

        members = {"fmr": ~same, "tmr": same}
        return plain(bootstrap(statistics, measured.groups, resampling, same, members=members))

    return {
        tmr_name(point.fmr).removeprefix("tmr_at_"): {
            "threshold": point.threshold,
            "impostor_pairs": point.impostor_pairs,
            **rates(point.threshold),
        }
        for point in decision.fmr_table
    }


def calibration(probability: Floats, measured: EvaluatedPairs, bins: int, resampling: Resampling) -> Json:
    """ECE over equal-mass bins and Brier score of the stated probability, with intervals."""
    same = measured.pairs.same
    reliability = Reliability.of(probability, same, bins)

    def statistics(weights: Floats) -> dict[str, Floats]:
        return {
            "ece": reliability.expected_calibration_error(weights),
            "brier": reliability.brier_score(weights),
        }

    return plain(bootstrap(statistics, measured.groups, resampling, same))


def comparison(
    first: ScoredSystem,
    second: ScoredSystem,
    measured: EvaluatedPairs,
    fmr: Sequence[float],
    resampling: Resampling,
) -> Json:
    """First minus second on the same test pairs, by paired bootstrap, and McNemar's exact test."""
    same = measured.pairs.same
    one, two = (Scored(system.test, system.decision.threshold) for system in (first, second))
    gains = difference(one, two, same, measured.groups, resampling, fmr)
    test = mcnemar(one.predicted == same, two.predicted == same)
    return {**plain(gains), "mcnemar": asdict(test)}


def identification(
    system: System, subjects: IdentificationSet, params: IdentificationParams, resampling: Resampling
) -> tuple[Json, pd.DataFrame]:
    """One-shot recognition figures of a system, and its CMC (columns system, rank, share, low, high)."""
    ranked = rank_probes(system, subjects)
    curve = cumulative_match(ranked, params.ranks, resampling)
    shot = one_shot(system, subjects, params, resampling)
    found = {"one_shot": shot}
    found |= {f"rank_{rank}": curve[rank - 1] for rank in _SHOWN_RANKS if rank <= len(curve)}
    if len(subjects.unknown):
        rates = detection_and_identification(ranked, params.fpir, resampling)
        names = (tmr_name(level).replace("tmr_at_fmr", "tpir_at_fpir", 1) for level in params.fpir)
        found |= dict(zip(names, rates, strict=True))
    table = pd.DataFrame(
        [(system.name, rank, point.value, point.low, point.high) for rank, point in enumerate(curve, 1)],
        columns=["system", "rank", "share", "low", "high"],
    )
    return plain(found), table


def plain(figures: Mapping[str, Estimate]) -> Json:
    """Figures as plain values for JSON."""
    return {name: figure.as_json() for name, figure in figures.items()}
