"""The description of a registered version: what the gate decided, why, and how to make the version again."""

from __future__ import annotations

from collections.abc import Mapping

LOCK, PARAMS, NOTE = "dvc.lock", "params.yaml", "data/collected.json"
KEPT = (LOCK, NOTE)
"""Files of the project that a version holds a copy of, by their names there; dvc.lock holds the parameters."""


def describe_version(number: int, gate: Mapping[str, str], run: Mapping[str, str], journal: str) -> str:
    """The description as Markdown.

    Args:
        number: of the version.
        gate: tags `gate.…` of the entry in the journal.
        run: tags of the training's run.
        journal: address of the entry in MLflow's page.
    """
    decision = f"**{gate['gate.outcome'].capitalize()}**: {gate['gate.because']} ([decision]({journal}))"
    return f"{decision}\n\n{_rebuild(number, run)}"


def unrecorded_changes(run: Mapping[str, str], held: Mapping[str, bool]) -> str:
    """Files that differed from the commit and that the version has no copy of; "" where there are none.

    Args:
        run: tags of the training's run.
        held: whether the version has a copy of what a file said.
    """
    if run.get("git.dirty") == "false":
        return ""
    names = [name for name in run.get("git.changed", "").split(", ") if name]
    lost = [name for name in names if not held.get(name, False)]
    return ", ".join(lost) if names else "files that are not recorded"


def _rebuild(number: int, run: Mapping[str, str]) -> str:
    commit = run.get("git.commit")
    if commit is None:
        return "Made outside a git repository: there is no commit to rebuild it from."
    data = f", data `{run['data.fingerprint'][:12]}…`" if "data.fingerprint" in run else ""
    origin = f"commit `{commit[:12]}`{data}"
    if unrecorded := unrecorded_changes(run, {PARAMS: True, NOTE: True}):
        return f"It cannot be rebuilt: no commit holds the changes in {unrecorded} it was trained with ({origin})."
    return f"Rebuild: `likeness reproduce models:/likeness/{number}` ({origin})."
