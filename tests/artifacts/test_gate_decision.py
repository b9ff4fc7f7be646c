"""The gate's decision comes back equal; one of the version before is still read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from likeness.artifacts.gate_decision import GATE_DECISION, GateCheck, GateDecision, write_gate_decision
from likeness.errors import DataError

FORMER = Path(__file__).parent / "former" / "gate"
DECISION = GateDecision(
    "kept",
    "It is not shown to be better, so the champion stays.",
    2,
    1,
    500,
    (GateCheck("accuracy gain", 0.01, "lower end > 0.0025", False, -0.01, 0.03),),
    {"mcnemar_p": 0.5, "only_challenger_right": 3.0, "only_champion_right": 2.0},
)


@pytest.mark.parametrize("decision", [DECISION, GateDecision("promoted", "It clears the floor.", 1, None, 9, ())])
def test_a_decision_is_read_back_equal(tmp_path: Path, decision: GateDecision) -> None:
    write_gate_decision(tmp_path, decision)
    assert GATE_DECISION.read(tmp_path / "gate.json") == decision
    assert (tmp_path / "gate.md").read_text() == decision.table()


def test_a_decision_of_the_version_before_is_read_and_shown_alike() -> None:
    """The files were written by the code of release 0.1."""
    decision = GATE_DECISION.read(FORMER / "gate.json")
    assert (decision.outcome, decision.challenger, decision.champion) == ("promoted", 2, 1)
    assert decision.table() == (FORMER / "gate.md").read_text()
    assert GATE_DECISION.read(FORMER / "first.json").champion is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "expected schema version 1 of a GateDecision, found 2"),
        ({"outcome": "praised"}, "outcome: expected one of promoted, kept, refused"),
        ({"checks": [{"name": "x"}]}, r"checks\[0\].found: missing"),
        ({"context": {"mcnemar_p": "low"}}, "context.mcnemar_p: expected a number"),
        ({"context": 3}, "context: expected keys, each with a number, found 3"),
    ],
)
def test_a_file_of_another_kind_says_what_is_wrong(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    write_gate_decision(tmp_path, DECISION)
    path = tmp_path / "gate.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=message):
        GATE_DECISION.read(path)
