"""The gate: promoted, kept, refused; and how often it errs when the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from likeness.artifacts.gate_figures import GateFigures
from likeness.errors import DataError
from likeness.tracking.gate import GateCandidate, GateParams, decide
from tests.tracking.samples import image_pairs

PAIRS = 1000


def candidate(
    seed: int, accuracy: float, version: int = 1, difficulty: int = 7, **changes: object
) -> GateCandidate:
    """A model of known expected accuracy; pairs are as hard for every model of the same `difficulty` seed.

    Half of what decides a score is the pair's own hardness, half the model's luck, so that two models of
    equal accuracy disagree on some pairs, as two trainings do.
    """
    from scipy.stats import norm

    shared = np.random.default_rng(difficulty).normal(size=PAIRS)
    own = np.random.default_rng(seed).normal(size=PAIRS)
    same = np.arange(PAIRS) < PAIRS // 2
    margin = norm.ppf(accuracy) + np.sqrt(0.8) * shared + np.sqrt(0.2) * own
    score = np.where(same, margin, -margin)
    predictions = pd.DataFrame(
        {
            **dict(zip(("first", "second"), image_pairs(same), strict=True)),
            "same": same,
            "score": score,
            "probability": norm.cdf(score * norm.ppf(accuracy) * 2),
            "correct": (score >= 0) == same,
            "brightness": np.random.default_rng(1).random(PAIRS),
            "sharpness": np.nan,
        }
    )
    figures = replace(GateFigures(0.0, baseline_accuracy=0.6, bytes=10_000), **changes)  # type: ignore[arg-type]
    return GateCandidate(version, predictions, figures)


FAST = GateParams(resamples=300)


def test_the_first_model_must_clear_the_floor() -> None:
    good, bad = candidate(0, 0.8), candidate(0, 0.8, baseline_accuracy=0.9)
    assert decide(good, None, FAST).outcome == "promoted"
    verdict = decide(bad, None, FAST)
    assert verdict.outcome == "refused"
    assert "floor" in verdict.reason


def test_the_accuracy_of_a_model_has_an_interval() -> None:
    one = candidate(0, 0.8)
    found = one.estimate(FAST)
    assert found.value == one.accuracy
    assert found.low < found.value - 0.01 < found.value + 0.01 < found.high < found.value + 0.04


def test_a_model_against_itself_is_kept() -> None:
    verdict = decide(candidate(0, 0.8, 2), candidate(0, 0.8, 1), FAST)
    assert verdict.outcome == "kept"
    assert verdict.checks[0].found == 0
    assert "Only the challenger is right on 0 pairs, only the champion on 0: McNemar p = 1." in verdict.table()


def test_equal_models_are_rarely_promoted_and_a_better_one_mostly() -> None:
    trials = range(100)
    lenient = replace(FAST, tmr_fall=1.0, calibration_rise=1.0, slice_fall=1.0)
    equal = [
        decide(candidate(2 * t, 0.85, 2, t), candidate(2 * t + 1, 0.85, 1, t), lenient).outcome for t in trials
    ]
    better = [
        decide(candidate(2 * t, 0.88, 2, t), candidate(2 * t + 1, 0.85, 1, t), FAST).outcome for t in trials[:30]
    ]
    assert equal.count("promoted") < 5
    assert better.count("promoted") > 15


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"bytes": 1_000_000}, "size ratio"),
        ({"baseline_accuracy": 0.99}, "above the floor"),
    ],
)
def test_a_better_model_beyond_a_limit_is_refused(change: dict[str, float], broken: str) -> None:
    verdict = decide(candidate(1, 0.95, 2, **change), candidate(2, 0.8, 1), FAST)
    assert verdict.outcome == "refused"
    assert broken in verdict.reason
    assert f"| {broken} |" in verdict.table()


@pytest.mark.fault("A5")
def test_a_better_model_that_is_too_slow_is_refused() -> None:
    verdict = decide(candidate(1, 0.95, 2), candidate(2, 0.8, 1), FAST, latency_ratio=2.1)
    assert (verdict.outcome, verdict.reason) == (
        "refused",
        "It is shown to be better, but is not within limits: latency ratio.",
    )


@pytest.mark.fault("A5")
def test_a_model_that_is_not_shown_to_be_better_is_kept_whatever_else_fails() -> None:
    verdict = decide(candidate(0, 0.8, 2, bytes=1_000_000), candidate(0, 0.8, 1), FAST, latency_ratio=9.0)
    assert verdict.outcome == "kept"
    assert "Not within limits either: latency ratio, size ratio." in verdict.reason


def test_a_model_that_lies_about_its_certainty_is_refused() -> None:
    sure = candidate(1, 0.95, 2)
    sure.predictions["probability"] = np.where(sure.predictions["score"] >= 0, 0.5001, 0.4999)
    verdict = decide(sure, candidate(2, 0.8, 1), FAST)
    assert "calibration error" in verdict.reason


def test_a_fall_in_one_slice_is_refused_though_the_whole_gains() -> None:
    ours, theirs = candidate(1, 0.97, 2), candidate(2, 0.8, 1)
    dark = ours.predictions["brightness"] < 0.25
    ours.predictions.loc[dark, "correct"] = False
    verdict = decide(ours, theirs, FAST)
    assert verdict.outcome == "refused"
    assert "brightness quarter 1 of 4" in verdict.reason


def test_pairs_are_matched_by_name_and_foreign_pairs_are_reported() -> None:
    ours, theirs = candidate(0, 0.8, 2), candidate(0, 0.8, 1)
    shuffled = replace(theirs, predictions=theirs.predictions.sample(frac=1, random_state=0))
    assert decide(ours, shuffled, FAST) == decide(ours, theirs, FAST)
    foreign = theirs.predictions.assign(first="x" + theirs.predictions["first"])
    with pytest.raises(DataError, match=r"0 of them in common"):
        decide(ours, replace(theirs, predictions=foreign), FAST)
