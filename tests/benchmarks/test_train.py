"""S1 in Keras beside the training benchmark: the same network, and a clear refusal without TensorFlow."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from likeness.models.architecture import ModelParams
from likeness.models.network import build_siamese

ROOT = Path(__file__).parents[2]


def test_the_keras_program_is_the_network_of_koch() -> None:
    pytest.importorskip("tensorflow")
    model = runpy.run_path(str(ROOT / "benchmarks" / "keras_s1.py"))["network"]()
    siamese = build_siamese(ModelParams(), (105, 105), seed=0)
    trained = sum(parameter.numel() for parameter in siamese.parameters())
    assert sum(int(weight.numpy().size) for weight in model.trainable_weights) == trained


def test_an_interpreter_without_tensorflow_is_refused() -> None:
    bare = [sys.executable, "-m", "benchmarks.train", "--precision", "float32", "--steps", "1", "--rounds", "1"]
    ran = subprocess.run([*bare, "--keras", "false"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "cannot train with Keras" in ran.stderr


@pytest.mark.parametrize("other", [["--network", "residual"], ["--device", "cuda"]])
def test_the_keras_program_is_s1_on_the_cpu(other: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.train", *other, "--keras", sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2
    assert "S1 on the CPU" in ran.stderr
