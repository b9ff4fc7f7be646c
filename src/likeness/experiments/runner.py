"""Runs the stage programs of planned trials, going on where an earlier run was interrupted."""

from __future__ import annotations

import logging
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.artifacts.validation_record import VALIDATION
from likeness.data.source_location import MIRROR_VARIABLE, variants_in
from likeness.data.splits import Split
from likeness.errors import InterruptedTrainingError, LikenessError
from likeness.experiments.expectation import in_words
from likeness.experiments.store_packing import unpack
from likeness.experiments.trials import TrialFolder, code_digest
from likeness.files import replaced_folder

_log = logging.getLogger(__name__)
_STOPPED = (130, 143)  # exit codes after SIGINT and SIGTERM


class StageFailedError(LikenessError):
    """A stage program ended with an error; its last lines are in the message."""


def prepare(trials: Sequence[TrialFolder]) -> None:
    """Ingests and validates each face set that the trials need, once.

    Raises:
        StageFailedError: a source cannot be read, or its faces are not valid.
    """
    for faces, trial in {trial.faces: trial for trial in trials}.items():
        unpack(faces)
        verdict = _verdict(faces)
        if not (faces / SOURCE_CARD.name).exists():
            noted = ("--downloads", str(trial.top / "downloads"), "--timings", str(verdict.with_suffix(".json")))
            _stage(trial, "ingest", "--out", str(faces), *noted)
        if not (verdict / VALIDATION.name).exists() and any(not _is_split(one) for one in trials):
            _stage(trial, "validate", "--faces", str(faces), "--out", str(verdict))


def run_trials(trials: Sequence[TrialFolder], device: str = "auto", *, evaluate: bool = True) -> list[str]:
    """Trains and measures each trial that is not finished; returns the names of those that failed.

    Args:
        trials: planned ones.
        device: auto, cpu or cuda.
        evaluate: measure on the test pairs too; a sweep's trials never are.

    Raises:
        InterruptedTrainingError: it was asked to stop.
    """
    prepare(trials)
    failed, took = [], list[float]()
    unfinished = sum(not _is_finished(trial, evaluate) for trial in trials)
    for number, trial in enumerate(trials, 1):
        began, done = time.monotonic(), _is_finished(trial, evaluate)
        try:
            finish(trial, device, evaluate=evaluate)
        except StageFailedError as error:
            _log.error("%s", error)
            failed.append(trial.name)
        else:
            seconds = time.monotonic() - began
            took += [] if done else [seconds]
            left = (unfinished - len(took) - len(failed)) * statistics.mean(took or [0.0]) / 60
            ahead = f"; about {in_words(left)} left" if left else ""
            _log.info("%d of %d: %s, %.0f s%s", number, len(trials), trial.name, seconds, ahead)
    return failed


def split(trial: TrialFolder) -> None:
    """Draws a trial's pairs, once.

    Raises:
        StageFailedError: the face set has no pair lists for this view.
    """
    if not _is_split(trial):
        verdict, out = _verdict(trial.faces) / VALIDATION.name, trial.folder / "splits"
        _stage(trial, "split", "--faces", str(trial.faces), "--validation", str(verdict), "--out", str(out))


def finish(trial: TrialFolder, device: str, *, evaluate: bool) -> None:
    """Completes one trial; what is done already stays. See `run_trials`.

    Raises:
        StageFailedError: a stage program failed.
    """
    split(trial)
    folder, note = trial.folder, trial.note
    learnt = ("--faces", trial.faces, "--splits", folder / "splits", "--model", folder / "model")
    if trial.state == "planned" and (twin := same_training(trial)) is not None:
        _log.info("%s: the training of %s, which leaves this fold out too", trial.name, twin.name)
        for part in ("model", "train"):  # the last one is what makes it trained
            with replaced_folder(folder / part) as copy:
                shutil.copytree(twin.folder / part, copy, dirs_exist_ok=True)
    if trial.state == "planned":
        if note and note.code and note.code != code_digest(Path.cwd()):
            raise StageFailedError(f"{trial.name}: the code was edited since the plan; start the sweep again")
        written = ("--reports", folder / "train", "--checkpoint", folder / "checkpoint")
        _stage(trial, "train", *map(str, (*learnt, *written)), "--device", device)
    if evaluate and trial.state == "trained" and not (note and note.values):
        noted = ("--run", folder / "train" / RUN_NOTE.name, "--out", folder / "evaluation")
        _stage(trial, "evaluate", *map(str, (*learnt, *noted)))


def same_training(trial: TrialFolder) -> TrialFolder | None:
    """A trained trial that learnt from the very same pairs and people; only the tested fold may differ."""
    wanted, taught = trial.read_params(), _taught(trial)
    for path in sorted(trial.folder.parent.glob(f"*/train/{RUN_NOTE.name}")):
        other = TrialFolder(trial.top, path.parents[1].name)
        found = other.read_params()
        found["split"]["fold"] = wanted["split"]["fold"]
        if found == wanted and ".old" not in other.name and _taught(other) == taught:
            return other
    return None


def _taught(trial: TrialFolder) -> tuple[bytes, ...]:
    """All that a training is given of its split."""
    drawn = Split.open(trial.folder / "splits")
    people = () if drawn.identities is None else (drawn.identities.rows, drawn.identities.labels)
    pairs = (getattr(side, name) for side in (drawn.train, drawn.holdout) for name in ("a", "b", "same"))
    return tuple(column.tobytes() for column in (*pairs, *people))


def _verdict(faces: Path) -> Path:
    return faces.with_name(f"{faces.name}-validation")


def _is_finished(trial: TrialFolder, evaluate: bool) -> bool:
    """Whether `finish` has nothing left to do; a sweep's trial is not measured on test pairs."""
    swept = bool(trial.note and trial.note.values)
    return trial.state == "measured" or (trial.state == "trained" and (swept or not evaluate))


def _is_split(trial: TrialFolder) -> bool:
    return (trial.folder / "splits" / "card.json").exists()


def _stage(trial: TrialFolder, stage: str, *arguments: str) -> None:
    """One stage program: its output goes to the terminal and into the trial's log.

    A terminal, or `pipelines.group`, interrupts the stage and this program alike: the stage is given the time to
    save its state.
    """
    _log.info("%s: %s", trial.name, stage)
    command = [sys.executable, "-m", f"pipelines.{stage}", "--params", str(trial.params), *arguments]
    log = trial.folder / f"{stage}.log"
    with (
        log.open("w", encoding="utf-8") as written,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment()
        ) as running,
    ):
        try:
            _copy(running, written)
        except KeyboardInterrupt:
            _copy(running, written)  # until the stage has saved its state
            raise _interruption(trial) from None
    if running.returncode in _STOPPED:
        raise _interruption(trial)
    if running.returncode:
        tail = "".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[-5:])
        raise StageFailedError(f"{trial.name}: the {stage} stage failed (whole log: {log})\n{tail}")


def _copy(running: subprocess.Popen[str], written: TextIO) -> None:
    assert running.stdout is not None
    for line in running.stdout:
        written.write(line)
        written.flush()
        sys.stderr.write(f"  {line}")


def _interruption(trial: TrialFolder) -> InterruptedTrainingError:
    return InterruptedTrainingError(f"{trial.name} was stopped; started again, what is missing is trained")


def _environment() -> dict[str, str]:
    """For the stages, which need not download what the project has."""
    downloads = Path("data", "downloads")
    mirror = {MIRROR_VARIABLE: str(downloads.resolve())} if variants_in(downloads) else {}
    return {**mirror, **os.environ}
