"""The gate between a trained model and the people who use it: promoted, kept, or refused, and why.

A challenger takes the champion's place only when it is *shown* to be better on the same frozen test pairs (the
lower end of the paired 95 % interval of its accuracy gain clears a stated minimum) and nothing else that a user
would feel falls by more than stated. Pairs are matched by the names of their pictures, so champion and
challenger may have been trained with different crops and sizes. Nothing here uses MLflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd

from likeness.artifacts.gate_decision import GateCheck, GateDecision, GateOutcome
from likeness.artifacts.gate_figures import GateFigures
from likeness.artifacts.predictions import people
from likeness.deprecated import current_names
from likeness.errors import DataError
from likeness.evaluation.comparison import Scored, difference, mcnemar, tmr_name
from likeness.evaluation.slices import QUARTERS
from likeness.metrics.calibration_error import equal_mass_bins, expected_calibration_error
from likeness.metrics.intervals import Estimate, Resampling, bootstrap, pair_groups
from likeness.metrics.scores import weighted_mean
from likeness.params import Range

_FMR = 1e-2
_KEYS = ["first", "second"]
_CALIBRATION_BINS = 10
_SLICES = ("brightness", "sharpness")


@dataclass(frozen=True)
class GateParams:
    """Section `gate` of operations.yaml: what a challenger has to show.

    Attributes:
        minimum_gain: the lower end of the 95 % interval of its accuracy gain over the champion must exceed this.
        floor_margin: the first model's accuracy must exceed the classical baseline's by at least this.
        tmr_fall: largest fall of the TMR at FMR 1e-2 that is let pass.
        calibration_rise: largest rise of the expected calibration error that is let pass.
        slice_fall: largest fall of accuracy in any quarter of the pairs by brightness or sharpness.
        latency_ratio: largest ratio of the time of one embedding to the champion's, both timed in turns.
        size_ratio: largest ratio of the bytes of the weights to the champion's.
        resamples: of the paired bootstrap.
        seed: of the paired bootstrap.
    """

    SECTION: ClassVar[str] = "gate"

    minimum_gain: Annotated[float, Range(-1, 1)] = 0.0025
    floor_margin: Annotated[float, Range(-1, 1)] = 0.0
    tmr_fall: Annotated[float, Range(0, 1)] = 0.02
    calibration_rise: Annotated[float, Range(0, 1)] = 0.03
    slice_fall: Annotated[float, Range(0, 1)] = 0.03
    latency_ratio: Annotated[float, Range(above=0)] = 2.0
    size_ratio: Annotated[float, Range(above=0)] = 4.0
    resamples: Annotated[int, Range(100, 100_000)] = 2000
    seed: int = 0

    upgraded = staticmethod(current_names)


@dataclass(frozen=True, eq=False)
class GateCandidate:
    """What the gate needs to know of a model.

    Attributes:
        version: number in the registry.
        predictions: one row a test pair, see `PredictionRecord`.
        figures: what was measured beside them.
    """

    version: int
    predictions: pd.DataFrame
    figures: GateFigures

    @property
    def accuracy(self) -> float:
        """Share of the test pairs that it is correct on, at the model's own threshold."""
        return float(self.predictions["correct"].mean())

    def estimate(self, params: GateParams) -> Estimate:
        """The accuracy with its 95 % interval over person-pairs."""
        table = self.predictions
        correct = table["correct"].to_numpy(bool)
        found = bootstrap(
            lambda weights: {"accuracy": weighted_mean(correct, weights)},
            pair_groups(people(table["first"]), people(table["second"])),
            Resampling(params.resamples, params.seed),
            table["same"].to_numpy(bool),
            members={"accuracy": np.ones(len(correct), bool)},
        )
        return found["accuracy"]


def decide(
    challenger: GateCandidate, champion: GateCandidate | None, params: GateParams, latency_ratio: float = 1.0
) -> GateDecision:
    """Holds the challenger against the champion, or, where there is none, against the classical baseline.

    Args:
        challenger: the model that was trained last.
        champion: the one that serves, if any does.
        params: what is asked of the challenger.
        latency_ratio: time of one embedding by the challenger, divided by the champion's.

    Raises:
        DataError: the two were not measured on the same pairs, so nothing can be said.
    """
    floor = _floor(challenger, params)
    if champion is None:
        outcome: GateOutcome = "promoted" if floor.passed else "refused"
        reason = "It clears the floor." if floor.passed else "It does not clear the floor of the first model."
        return GateDecision(outcome, reason, challenger.version, None, len(challenger.predictions), (floor,))
    ours, theirs = _same_pairs(challenger, champion)
    gains = _gains(ours, challenger, theirs, champion, params)
    gain = gains["accuracy"]
    better = GateCheck(
        "accuracy gain",
        gain.value,
        f"lower end > {params.minimum_gain:g}",
        gain.low > params.minimum_gain,
        gain.low,
        gain.high,
    )
    falls = [*_falls(ours, theirs, gains, params), *_costs(challenger, champion, latency_ratio, params)]
    outcome, reason = _conclude(better, [floor, *falls])
    return GateDecision(
        outcome,
        reason,
        challenger.version,
        champion.version,
        len(ours),
        (better, floor, *falls),
        _context(ours, theirs, challenger, champion),
    )


def _conclude(better: GateCheck, guards: list[GateCheck]) -> tuple[GateOutcome, str]:
    broken = ", ".join(check.name for check in guards if not check.passed)
    if not better.passed:
        also = f" Not within limits either: {broken}." if broken else ""
        return "kept", f"It is not shown to be better, so the champion stays.{also}"
    if broken:
        return "refused", f"It is shown to be better, but is not within limits: {broken}."
    return "promoted", "It is shown to be better, and nothing else falls by more than allowed."


def _floor(challenger: GateCandidate, params: GateParams) -> GateCheck:
    baseline = challenger.figures.baseline_accuracy
    above = challenger.accuracy - baseline
    required = f"≥ {params.floor_margin:g} above the classical baseline ({baseline:.4f})"
    return GateCheck("above the floor", above, required, above >= params.floor_margin)


def _same_pairs(challenger: GateCandidate, champion: GateCandidate) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both prediction tables, the champion's in the challenger's order of pairs."""
    ours = challenger.predictions.reset_index(drop=True)
    merged = ours[[*_KEYS, "same"]].merge(champion.predictions, on=[*_KEYS, "same"], how="left", validate="1:1")
    absent = int(merged["score"].isna().sum())
    if absent or len(champion.predictions) != len(ours):
        raise DataError(
            f"version {challenger.version} was measured on {len(ours)} pairs and the champion, version "
            f"{champion.version}, on {len(champion.predictions)}, {len(ours) - absent} of them in common. "
            "The gate compares on the same frozen pairs alone: evaluate the champion's recipe on this data "
            "(`dvc exp run -S recipe=…`), register it, and run the gate again"
        )
    return ours, merged


def _gains(
    ours: pd.DataFrame,
    challenger: GateCandidate,
    theirs: pd.DataFrame,
    champion: GateCandidate,
    params: GateParams,
) -> dict[str, Estimate]:
    return difference(
        Scored(ours["score"].to_numpy(float), challenger.figures.threshold),
        Scored(theirs["score"].to_numpy(float), champion.figures.threshold),
        ours["same"].to_numpy(bool),
        pair_groups(people(ours["first"]), people(ours["second"])),
        Resampling(params.resamples, params.seed),
        (_FMR,),
    )


def _falls(
    ours: pd.DataFrame, theirs: pd.DataFrame, gains: dict[str, Estimate], params: GateParams
) -> Iterator[GateCheck]:
    """Every measure of quality that must not fall by more than stated."""
    tmr = gains[tmr_name(_FMR)]
    yield GateCheck(
        "TMR at FMR 1e-2", tmr.value, f"≥ {-params.tmr_fall:g}", tmr.value >= -params.tmr_fall, tmr.low, tmr.high
    )
    rise = _calibration_error(ours) - _calibration_error(theirs)
    yield GateCheck(
        "calibration error", rise, f"rise ≤ {params.calibration_rise:g}", rise <= params.calibration_rise
    )
    if slices := dict(_slice_gains(ours, theirs)):
        worst = min(slices, key=lambda name: slices[name])
        found = slices[worst]
        yield GateCheck(f"worst slice: {worst}", found, f"≥ {-params.slice_fall:g}", found >= -params.slice_fall)


def _costs(
    challenger: GateCandidate, champion: GateCandidate, latency_ratio: float, params: GateParams
) -> Iterator[GateCheck]:
    """Time and size that must not grow by more than stated."""
    for name, ratio, limit in (
        ("latency ratio", latency_ratio, params.latency_ratio),
        ("size ratio", challenger.figures.bytes / champion.figures.bytes, params.size_ratio),
    ):
        yield GateCheck(name, ratio, f"≤ {limit:g}", ratio <= limit)


def _calibration_error(predictions: pd.DataFrame) -> float:
    return expected_calibration_error(predictions["probability"], predictions["same"], _CALIBRATION_BINS)


def _slice_gains(ours: pd.DataFrame, theirs: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """Change of accuracy in each quarter of the pairs, by the challenger's measure of the worse picture."""
    gain = ours["correct"].to_numpy(float) - theirs["correct"].to_numpy(float)
    for measure in _SLICES:
        if ours[measure].notna().all():
            quarters = equal_mass_bins(ours[measure].to_numpy(float), QUARTERS)
            for quarter in np.unique(quarters):
                yield f"{measure} quarter {quarter + 1} of {QUARTERS}", float(gain[quarters == quarter].mean())


def _context(
    ours: pd.DataFrame, theirs: pd.DataFrame, challenger: GateCandidate, champion: GateCandidate
) -> dict[str, float]:
    test = mcnemar(ours["correct"], theirs["correct"])
    return {
        "challenger_accuracy": challenger.accuracy,
        "champion_accuracy": champion.accuracy,
        "only_challenger_right": float(test.first_only),
        "only_champion_right": float(test.second_only),
        "mcnemar_p": test.p_value,
    }
