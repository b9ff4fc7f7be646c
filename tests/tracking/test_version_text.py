"""The description of a registered version."""

from __future__ import annotations

from likeness.tracking.version_text import describe_version

GATE = {"gate.outcome": "promoted", "gate.because": "accuracy rose by 0.02"}
COMMIT = "c" * 40


def test_it_says_what_was_decided_why_and_how_to_rebuild() -> None:
    run = {"git.commit": COMMIT, "git.dirty": "false", "data.fingerprint": "ab" * 32}
    text = describe_version(3, GATE, run, "#/experiments/2/runs/1")
    assert text.startswith("**Promoted**: accuracy rose by 0.02 ([decision](#/experiments/2/runs/1))")
    assert "`likeness reproduce models:/likeness/3` (commit `cccccccccccc`, data `abababababab…`)" in text


def test_it_does_not_claim_that_a_changed_tree_can_be_rebuilt_from_its_commit_alone() -> None:
    run = {"git.commit": COMMIT, "git.dirty": "true", "git.changed": "params.yaml, src/a.py"}
    text = describe_version(3, GATE, run, "")
    assert "cannot be rebuilt: no commit holds the changes in src/a.py" in text
    assert "likeness reproduce" in describe_version(3, GATE, run | {"git.changed": "params.yaml"}, "")
    assert "no commit" in describe_version(3, GATE, {}, "")
