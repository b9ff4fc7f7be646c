"""The description of a registered version."""

from __future__ import annotations

from likeness.tracking.version_text import describe_version

GATE = {"gate.outcome": "promoted", "gate.because": "accuracy rose by 0.02"}
COMMIT = "c" * 40


def test_it_says_what_was_decided_why_and_how_to_rebuild() -> None:
    run = {"git.commit": COMMIT, "git.dirty": "false", "data.fingerprint": "ab" * 32}
    text = describe_version(GATE, run, "#/experiments/2/runs/1")
    assert text.startswith("**Promoted**: accuracy rose by 0.02 ([decision](#/experiments/2/runs/1))")
    assert f"`git worktree add ../rebuild {COMMIT} && cd ../rebuild && dvc repro`. Data fingerprint: `abab" in text


def test_it_does_not_claim_that_a_changed_tree_can_be_rebuilt_from_its_commit_alone() -> None:
    run = {"git.commit": COMMIT, "git.dirty": "true", "git.changed": "params.yaml", "dvc.experiment": "wet-bone"}
    text = describe_version(GATE, run, "")
    assert "once the changes of the DVC experiment `wet-bone` in params.yaml are applied" in text
    assert "no commit" in describe_version(GATE, {}, "")
