"""`run.json` of the train stage: the MLflow run of a training, and the code that made it."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.artifacts.json_file import JsonFile

DVC_LOCK_TAG = "dvc.lock.sha256"
"""Tag of an MLflow run: hex sha256 of dvc.lock."""


@dataclass(frozen=True)
class Provenance:
    """The state of the working tree that a stage runs in.

    Attributes:
        commit: full hash of HEAD, or None outside a git repository (or before its first commit).
        dirty: whether any file but dvc.lock differs from that commit, untracked ones included; None if unknown.
        changed: the first twenty of those files.
        dvc_lock: sha256 of dvc.lock, or None where there is none yet.
        experiment: name of the DVC experiment that runs this, or None for a plain `dvc repro`.
        repository: address of the remote `origin`, without credentials; None where it has none, or it is a folder.
        time: when this was noted, in UTC, as ISO 8601 with seconds; "" in files of before.
    """

    commit: str | None = None
    dirty: bool | None = None
    changed: tuple[str, ...] = ()
    dvc_lock: str | None = None
    experiment: str | None = None
    repository: str | None = None
    time: str = ""

    def tags(self) -> dict[str, str]:
        """The same as MLflow tags; `mlflow.source.git.commit` is the one that its page shows."""
        tags = {
            "git.dirty": "unknown" if self.dirty is None else str(self.dirty).lower(),
            "git.changed": ", ".join(self.changed),
            DVC_LOCK_TAG: self.dvc_lock or "none",
        }
        if self.commit:
            tags |= {"git.commit": self.commit, "mlflow.source.git.commit": self.commit}
        if self.experiment:
            tags["dvc.experiment"] = self.experiment
        return tags


@dataclass(frozen=True)
class RunNote:
    """Where a training is tracked.

    Attributes:
        run_id: of MLflow; None where the training was not tracked.
        experiment: name of the MLflow experiment.
        experiment_id: its id.
        uri: of the store, portable and without credentials.
        reason: why the store holds no run, or less than all of it; None when all is well.
        code: that trained.
        weights_sha256: of the trained weights; None in files written before 0.2.
    """

    run_id: str | None
    experiment: str | None = None
    experiment_id: str | None = None
    uri: str | None = None
    reason: str | None = None
    code: Provenance = Provenance()
    weights_sha256: str | None = None


RUN_NOTE = JsonFile("run.json", RunNote, stage="train")
