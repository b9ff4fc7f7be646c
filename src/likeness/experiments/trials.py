"""The folders of planned trainings; nothing in one is ever half-written, so that its files are its state."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from likeness.artifacts.metrics import METRICS
from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.trial import TRIAL, TrialNote
from likeness.data.source_state import source_state
from likeness.data.sources import DataParams
from likeness.errors import DataError
from likeness.experiments.composition import compose_params
from likeness.experiments.experiment_plan import Trial
from likeness.files import atomic_path, file_sha256, write_text
from likeness.operations import OPERATIONS, SECTIONS
from likeness.params import sections_of

TRAINING_STAGES = ("ingest", "validate", "split", "train")
Params = dict[str, Any]
State = Literal["planned", "trained", "measured"]


@dataclass(frozen=True)
class TrialFolder:
    """The folder of one training.

    Attributes:
        top: folder of all of them.
        name: of the trial.
    """

    top: Path
    name: str

    @property
    def folder(self) -> Path:
        """Of this trial's parameters and results."""
        return self.top / "runs" / self.name

    @property
    def params(self) -> Path:
        """The trial's params.yaml."""
        return self.folder / "params.yaml"

    @property
    def note(self) -> TrialNote | None:
        """What the parameters do not say; None in a folder that 0.1 planned."""
        return TRIAL.find(self.folder / TRIAL.name)

    @property
    def faces(self) -> Path:
        """Face set of the ingest stage, shared by all trials on the same faces."""
        note = self.note
        return self.top / "faces" / (note.faces if note else digest(self.read_params()["data"]))

    @property
    def state(self) -> State:
        """How far it has come."""
        if (self.folder / "evaluation" / METRICS.name).exists():
            return "measured"
        return "trained" if (self.folder / "train" / RUN_NOTE.name).exists() else "planned"

    def read_params(self) -> Params:
        """The trial's parameters."""
        values: Params = yaml.safe_load(self.params.read_text(encoding="utf-8"))
        return values


def planned(top: Path, prefixes: Sequence[str] = ()) -> list[TrialFolder]:
    """The trials of a folder, by name; with prefixes those whose name begins with one of them."""
    names = sorted(path.parent.name for path in (top / "runs").glob("*/params.yaml"))
    wanted = tuple(prefixes or [""])
    return [TrialFolder(top, name) for name in names if name.startswith(wanted) and ".old" not in name]


def plan_trials(
    project: Path, top: Path, plan: str, trials: Sequence[Trial], overrides: Sequence[str], shared: str
) -> list[TrialFolder]:
    """Composes each trial's parameters into its folder; one that changed starts again, the old one is kept aside.

    Args:
        project: root of the project, which holds conf/.
        top: folder of all trials.
        plan: its name.
        trials: to plan.
        overrides: Hydra's for all trials, such as `data=lfw-deepfunneled`.
        shared: what all trials have in common, in words.

    Raises:
        DataError: a sweep is planned outside a git repository.
        ParamsError: section `data` is wrong.
    """
    defaults = yaml.safe_load((project / "conf" / "config.yaml").read_text(encoding="utf-8"))
    code = code_digest(project) if any(trial.values for trial in trials) else None
    folders = []
    for trial in trials:
        folder, values = TrialFolder(top, trial.name), compose_params(project, [*overrides, *trial.overrides])
        note = TrialNote(_faces(project, values), plan, shared, trial.values, code if trial.values else None)
        if folder.params.exists() and _differs(folder, values, note, defaults):
            _retire(folder.folder)
        with atomic_path(folder.params) as path:
            path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        TRIAL.write(folder.folder / TRIAL.name, note)
        _write_operations(folder, project if trial.values else None)
        folders.append(folder)
    return folders


def code_digest(project: Path) -> str:
    """Short name of the code of the stages up to the training, committed or not.

    Raises:
        DataError: the project is no git repository.
    """
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    code = sorted({"dvc.yaml", *(dep for name in TRAINING_STAGES for dep in stages[name]["deps"])})
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *code]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    if done.returncode != 0:
        raise DataError(f"{project}: expected a git repository, whose code a sweep notes: {done.stderr.strip()}")
    files = sorted(name for name in done.stdout.split("\0") if (project / name).is_file())
    return digest({name: file_sha256(project / name) for name in files})


def digest(content: Mapping[str, Any]) -> str:
    """Short name of plain values."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _faces(project: Path, values: Params) -> str:
    """Name of the face set that parameters ask for; a folder's is another after each change of its files."""
    (data,) = sections_of(values, str(project / "conf"), DataParams)
    content = dict(values["data"])
    if data.source == "folder":
        content["state"] = source_state(data, os.environ, project / "data" / "source.json").sha256
    if data.source == "synthetic":
        content["synthetic"] = values["synthetic"]
    return digest(content)


def _differs(folder: TrialFolder, values: Params, note: TrialNote, defaults: Params) -> bool:
    """Whether a result of the folder would be another now; a key that is newer than it had its default."""
    ignored = {"report", *SECTIONS, *(["evaluate"] if note.values else [])}
    before, after = (
        {name: defaults.get(name, {}) | section for name, section in one.items() if name not in ignored}
        for one in (folder.read_params(), values)
    )
    known = folder.note
    return before != after or (known is not None and (known.faces, known.code) != (note.faces, note.code))


def _write_operations(folder: TrialFolder, project: Path | None) -> None:
    """Settings of operation: a sweep's trainings are tracked as the project's are, others are not."""
    if project is not None and (project / OPERATIONS).is_file():
        shutil.copy(project / OPERATIONS, folder.folder / OPERATIONS)
    elif project is None:
        write_text(folder.folder / OPERATIONS, yaml.safe_dump({"tracking": {"enabled": False}}))


def _retire(folder: Path) -> None:
    """Puts a folder aside under the first free number; results are never deleted."""
    number = next(n for n in range(1, 10_000) if not folder.with_name(f"{folder.name}.old{n}").exists())
    folder.rename(folder.with_name(f"{folder.name}.old{number}"))
