"""Records of nightly runs, as tests need them."""

from __future__ import annotations

from likeness.artifacts.nightly_run import NightlyRun

FIRST = NightlyRun(
    "2026-01-01T02:00:00+00:00",
    "promoted",
    "version 1: it clears the floor. Nothing.",
    61.2,
    trained=True,
    fingerprint="ab" * 32,
    challenger=1,
    champion=1,
    challenger_accuracy=0.8125,
    champion_accuracy=0.8125,
    challenger_interval=(0.75, 0.875),
    champion_interval=(0.75, 0.875),
    batch={"merged": 3, "quarantined": 1, "waiting": 2, "aside": 1},
    stages={"train": 40.5},
    flow_run="0123456789abcdef",
)
SECOND = NightlyRun("2026-01-02T02:00:00+00:00", "nothing-to-do", "nothing new. Nothing.", 4.0)
