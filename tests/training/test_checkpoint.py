from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from likeness.errors import OutputError
from likeness.training.checkpoint import (
    NOTE,
    STATE,
    Checkpoint,
    checkpoint_key,
    load_checkpoint,
    read_run_note,
    remove_checkpoints,
    save_checkpoint,
    save_run_note,
)

STEPS_PER_EPOCH = 8
FACES = np.zeros((3, 4, 4), dtype=np.uint8)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """What happened in `killed.py`, which really kills processes."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.training.killed", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return folder, json.loads(ended.stdout)


def same_outcome(folder: Path, name: str) -> None:
    """Weights, history, per-step losses and best epoch are those of the whole training, to the last bit."""
    for file in ("weights.safetensors", "facts.json"):
        assert (folder / name / file).read_bytes() == (folder / "whole" / file).read_bytes()


def test_killed_in_the_middle_of_an_epoch_it_ends_as_if_never_interrupted(killed: tuple[Path, Any]) -> None:
    folder, outcome = killed
    (code, (epoch, step)), completed = outcome["killed"]
    assert (code, epoch) == (-signal.SIGKILL, 1)
    assert 2 <= step <= STEPS_PER_EPOCH
    assert completed == outcome["whole"] == 0
    same_outcome(folder, "killed")


def test_asked_to_stop_it_saves_and_says_so(killed: tuple[Path, Any]) -> None:
    folder, outcome = killed
    (code, (epoch, step)), message, completed = outcome["asked"]
    assert code == 128 + signal.SIGTERM
    assert f"interrupted by SIGTERM in epoch {epoch + 1} of 3, after step {step}" in message
    assert "run the same command again" in message
    assert completed == 0
    same_outcome(folder, "asked")


def test_a_checkpoint_of_other_parameters_is_never_taken_up(killed: tuple[Path, Any]) -> None:
    folder, outcome = killed
    assert outcome["stale"][1] == 0
    same_outcome(folder, "stale")


def snapshot() -> Checkpoint:
    tensors = {"model/w": torch.arange(6.0).reshape(2, 3).T, "steps": torch.zeros(2, 5, dtype=torch.float64)}
    return Checkpoint(2, 7, {"seconds": 1.5, "history": [{"epoch": 1}]}, tensors)


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "new" / "folder", "key", snapshot())
    loaded = load_checkpoint(tmp_path / "new" / "folder", "key")
    assert loaded is not None
    assert (loaded.epoch, loaded.step, loaded.values) == (2, 7, snapshot().values)
    assert all(torch.equal(loaded.tensors[name], tensor) for name, tensor in snapshot().tensors.items())


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * 100])
def test_a_checkpoint_that_cannot_be_read_means_starting_again(
    tmp_path: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    save_checkpoint(tmp_path, "key", snapshot())
    path = tmp_path / STATE
    path.write_bytes(damage(path.read_bytes()))
    assert load_checkpoint(tmp_path, "key") is None
    assert "cannot be read" in caplog.text


def test_half_written_checkpoints_are_swept_away(tmp_path: Path) -> None:
    half = tmp_path / f".{STATE}.abc.part"
    half.write_bytes(b"half")
    assert load_checkpoint(tmp_path, "key") is None
    assert not half.exists()


def test_a_note_is_given_back_to_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    assert read_run_note(folder, "this training") is None
    save_run_note(folder, "this training", "run 7")
    assert read_run_note(folder, "this training") == "run 7"
    assert read_run_note(folder, "another") is None
    (folder / NOTE.name).write_text("{")
    assert read_run_note(folder, "this training") is None


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    save_checkpoint(folder, "key", snapshot())
    save_run_note(folder, "owner", "note")
    remove_checkpoints(folder)
    assert not folder.exists()
    remove_checkpoints(folder)  # nothing there: fine


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_checkpoint(tmp_path / "file" / "below", "key", snapshot())


def test_the_key_changes_with_anything_that_matters() -> None:
    rows, faces = np.arange(4), FACES.copy()
    faces[2, 3, 3] = 1
    keys = {
        checkpoint_key({"lr": 0.1}, [rows], FACES),
        checkpoint_key({"lr": 0.2}, [rows], FACES),
        checkpoint_key({"lr": 0.1}, [rows[::-1]], FACES),
        checkpoint_key({"lr": 0.1}, [rows.astype(np.int32)], FACES),
        checkpoint_key({"lr": 0.1}, [rows], faces),
    }
    assert len(keys) == 5
    assert checkpoint_key({"lr": 0.1}, [np.arange(4)], FACES.copy()) in keys


@pytest.mark.attack("9")
@given(st.integers(0, 10**9))
@example(248)  # in the name of the digest
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_altered_checkpoint_is_accepted(tmp_path: Path, place: int) -> None:
    save_checkpoint(tmp_path, "key", snapshot())
    content = bytearray((tmp_path / STATE).read_bytes())
    bit = place % (8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    (tmp_path / STATE).write_bytes(content)
    assert load_checkpoint(tmp_path, "key") is None
