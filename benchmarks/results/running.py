"""Runs the stage programs for one row, going on where an earlier run was interrupted."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results.carrying import unpack
from benchmarks.results.rows import Place, read_params
from likeness.data.splits import Split
from likeness.files import replaced_folder

_log = logging.getLogger(__name__)


class StageFailedError(Exception):
    """A stage program ended with an error; its last lines are the message."""


def prepare(places: Sequence[Place], results: Path) -> None:
    """Ingests and validates each store that the rows need, once.

    Raises:
        StageFailedError: a source cannot be read, or its faces are not valid.
    """
    for faces, place in {place.faces: place for place in places}.items():
        unpack(faces)
        verdict = _verdict(faces)
        if not (faces / "source.json").exists():
            noted = ("--downloads", str(results / "downloads"), "--timings", str(verdict.with_suffix(".json")))
            _stage(place, "ingest", "--out", str(faces), *noted)
        if not (verdict / "validation.json").exists() and any(not _is_split(one) for one in places):
            _stage(place, "validate", "--faces", str(faces), "--out", str(verdict))


def divide(place: Place) -> None:
    """Draws a row's pairs, once.

    Raises:
        StageFailedError: the store has no pair lists for this view.
    """
    if not _is_split(place):
        verdict, out = _verdict(place.faces) / "validation.json", place.folder / "splits"
        _stage(place, "split", "--faces", str(place.faces), "--validation", str(verdict), "--out", str(out))


def measure(place: Place, device: str, *, evaluate: bool) -> float:
    """Brings one row to its end; what is done already stays.

    Args:
        place: of the row.
        device: auto, cpu or cuda.
        evaluate: measure it too; the test pairs are touched here and nowhere else.

    Returns:
        Seconds that it took now.

    Raises:
        StageFailedError: a stage program failed.
    """
    began = time.monotonic()
    divide(place)
    faces, folder = str(place.faces), place.folder
    learnt = ("--faces", faces, "--splits", str(folder / "splits"), "--model", str(folder / "model"))
    if place.state == "planned" and (twin := same_training(place)) is not None:
        _log.info("%s: the training of %s, which leaves this fold out too", place.name, twin.name)
        for part in ("model", "train"):  # the last one is what makes it trained
            with replaced_folder(folder / part) as copy:
                shutil.copytree(twin.folder / part, copy, dirs_exist_ok=True)
    if place.state == "planned":
        written = ("--reports", str(folder / "train"), "--checkpoint", str(folder / "checkpoint"))
        _stage(place, "train", *learnt, *written, "--device", device)
    if evaluate and place.state == "trained":
        noted = ("--run", str(folder / "train" / "run.json"), "--out", str(folder / "evaluation"))
        _stage(place, "evaluate", *learnt, *noted)
    return time.monotonic() - began


def same_training(place: Place) -> Place | None:
    """A trained row that learnt from the very same pairs and people; only the tested fold may differ."""
    wanted, taught = read_params(place.params), _taught(place)
    for path in sorted(place.folder.parent.glob("*/train/run.json")):
        other = Place(place.results, path.parents[1].name)
        found = read_params(other.params)
        found["split"]["fold"] = wanted["split"]["fold"]
        if found == wanted and ".old" not in other.name and _taught(other) == taught:
            return other
    return None


def _taught(place: Place) -> tuple[bytes, ...]:
    """All that a training is given of its split."""
    split = Split.open(place.folder / "splits")
    people = () if split.identities is None else (split.identities.rows, split.identities.labels)
    pairs = (getattr(side, name) for side in (split.train, split.holdout) for name in ("a", "b", "same"))
    return tuple(column.tobytes() for column in (*pairs, *people))


def _verdict(faces: Path) -> Path:
    return faces.with_name(f"{faces.name}-validation")


def _is_split(place: Place) -> bool:
    return (place.folder / "splits" / "card.json").exists()


def _stage(place: Place, stage: str, *arguments: str) -> None:
    """One stage program: what it says goes to the terminal and into the row's log."""
    _log.info("%s: %s", place.name, stage)
    command = [sys.executable, "-m", f"pipelines.{stage}", "--params", str(place.params), *arguments]
    log = place.folder / f"{stage}.log"
    with log.open("w", encoding="utf-8") as written:
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
        )
        assert running.stdout is not None
        for line in running.stdout:
            written.write(line)
            written.flush()
            sys.stderr.write(f"  {line}")
    if running.wait():
        tail = "".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[-5:])
        raise StageFailedError(f"{place.name}: the {stage} stage failed (whole log: {log})\n{tail}")
