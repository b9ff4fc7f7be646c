"""Trains the tiny network in children that are killed, or asked to stop, in the middle; run by test_resume.py.

A program of its own, with one thread, because only such a process can be forked safely: a start of Python and
torch for each kill would take most of the test's time.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytorch_metric_learning.losses  # noqa: F401 (imported once here instead of in every child)
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from likeness.errors import LikenessError
from likeness.training.augment import AugmentParams
from likeness.training.checkpoint import STATE
from likeness.training.early_stopping import StoppingParams
from likeness.training.losses.objective import LOSSES
from likeness.training.params import TrainParams
from likeness.training.samplers.sampler import SAMPLERS
from likeness.training.trainer import train
from tests.training.tiny import PREPROCESS, network, world

PARAMS = TrainParams(
    epochs=3,
    batch_size=8,
    optimizer="adamw",
    learning_rate=1e-2,
    lr_schedule="cosine",
    weight_decay=0.01,
    ema_decay=0.9,
    clip_norm=1.0,
    loss=LOSSES.params("triplet", miner="random", margin=0.3, margin_start=0.1),
    second_loss=LOSSES.params("arcface", scale=8.0),
    sampler=SAMPLERS.params("identities"),
    augment=AugmentParams(mirror=True, rotation=10, noise=0.1, erase=0.5),
    stopping=StoppingParams("auc", patience=None),
)
"""Everything that has a state or is random: optimiser, averages, an objective's weights, dropout, augmentation."""


def finish(folder: Path, params: TrainParams = PARAMS) -> None:
    """Trains to the end, a checkpoint after every step, and writes weights, history and steps."""
    pixels, _, identities, holdout = world()
    trained = train(
        *(identities, holdout, pixels, network(dropout=0.3), PREPROCESS, params),
        seed=3,
        checkpoint=folder / "checkpoint",
        device="cpu",
        save_seconds=0.0,
    )
    facts = [dataclasses.asdict(record) for record in [*trained.history, *trained.steps]]
    for record in facts:
        for measured in ("seconds", "images_per_second", "cores"):
            record.pop(measured, None)
    (folder / "facts.json").write_text(json.dumps([facts, trained.best_epoch]))
    save_file({k: v.contiguous() for k, v in trained.siamese.state_dict().items()}, folder / "weights.safetensors")


def started(folder: Path, params: TrainParams = PARAMS) -> int:
    """A child process that trains; its exit code is that of the error that ended it."""
    child = os.fork()
    if child:
        return child
    try:
        finish(folder, params)
        os._exit(0)
    except LikenessError as error:
        (folder / "error.txt").write_text(str(error))
        os._exit(error.exit_code)
    finally:
        os._exit(99)


def place(folder: Path) -> tuple[int, int]:
    """Epoch and step of the checkpoint, (-1, -1) before the first."""
    try:
        with safe_open(folder / "checkpoint" / STATE, framework="pt") as stream:
            state: dict[str, Any] = json.loads(stream.metadata()["state"])
        return state["epoch"], state["step"]
    except OSError:
        return -1, -1


def interrupt(folder: Path, number: signal.Signals, params: TrainParams = PARAMS) -> tuple[int, tuple[int, int]]:
    """Sends a signal in the middle of the second epoch; returns the child's end, and the checkpoint's place."""
    child = started(folder, params)
    while not (place(folder)[0] == 1 and place(folder)[1] >= 2):
        time.sleep(0.001)
    os.kill(child, number)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), place(folder)


def completed(folder: Path, params: TrainParams = PARAMS) -> int:
    """Runs to the end; returns how the child ended."""
    return os.waitstatus_to_exitcode(os.waitpid(started(folder, params), 0)[1])


def main(folder: Path) -> None:
    """Every scenario in a folder of its own; prints what happened as JSON."""
    torch.set_num_threads(1)
    folders = {name: folder / name for name in ("whole", "killed", "asked", "stale")}
    for made in folders.values():
        made.mkdir()
    other = dataclasses.replace(PARAMS, learning_rate=5e-3)
    outcome = {
        "whole": completed(folders["whole"]),
        "killed": [interrupt(folders["killed"], signal.SIGKILL), completed(folders["killed"])],
        "asked": [
            interrupt(folders["asked"], signal.SIGTERM),
            (folders["asked"] / "error.txt").read_text(),
            completed(folders["asked"]),
        ],
        "stale": [interrupt(folders["stale"], signal.SIGKILL, other), completed(folders["stale"])],
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
