"""The description of a registered version: what the gate decided, why, and how to make the version again."""

from __future__ import annotations

from collections.abc import Mapping


def describe_version(gate: Mapping[str, str], run: Mapping[str, str], journal: str) -> str:
    """The description as Markdown.

    Args:
        gate: tags `gate.…` of the entry in the journal.
        run: tags of the training's run.
        journal: address of the entry in MLflow's page.
    """
    decision = f"**{gate['gate.outcome'].capitalize()}**: {gate['gate.because']} ([decision]({journal}))"
    return f"{decision}\n\n{_rebuild(run)}"


def _rebuild(run: Mapping[str, str]) -> str:
    commit = run.get("git.commit")
    if commit is None:
        return "Made outside a git repository: there is no commit to rebuild it from."
    data = f" Data fingerprint: `{run['data.fingerprint']}`." if "data.fingerprint" in run else ""
    command = f"git worktree add ../rebuild {commit} && cd ../rebuild && dvc repro"
    if run.get("git.dirty") == "false":
        return f"Rebuild: `{command}`.{data}"
    experiment = f" of the DVC experiment `{run['dvc.experiment']}`" if "dvc.experiment" in run else ""
    changed = run.get("git.changed") or "files that are not recorded"
    return f"Rebuild, once the changes{experiment} in {changed} are applied: `{command}`.{data}"
