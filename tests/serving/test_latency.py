"""Two models are timed in turns, so that a busy machine slows down both; equal work is not timed at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from likeness.models.architecture import ModelParams
from likeness.models.preprocess import Preprocess
from likeness.serving import latency
from likeness.serving.bench_towers import Contestant, write_model
from likeness.serving.latency import compare_latency
from likeness.serving.model import open_model
from tests.models.parts import planned

FACE = Preprocess((64, 64), None, "image")
NARROW = planned("residual", "cosine", embedding_dim=16, width=0.25)
WIDE = planned("residual", "cosine", embedding_dim=16, width=1.0)


def made(folder: Path, params: ModelParams, face: Preprocess = FACE, mirror: bool = False) -> Path:
    write_model(folder, Contestant(params, face, mirror))
    return folder


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("models") / "narrow", NARROW)


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Other processes that come and go, and want every core."""
    program = """if True:
        import time
        while True:
            end = time.time() + 0.05
            while time.time() < end:
                pass
            time.sleep(0.02)
    """
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.mark.fault("A5")
def test_equal_towers_are_not_timed_whatever_their_weights_and_place(tmp_path: Path, narrow: Path) -> None:
    """Another seed, exported from another line of code, in another folder."""
    from likeness.models.card import TOWER, WEIGHTS
    from likeness.models.export import export_onnx
    from likeness.models.network import build_siamese
    from likeness.models.weights import load_model, save_model

    other = build_siamese(NARROW, FACE.size, seed=1)
    card = save_model(tmp_path, other, load_model(narrow).card)
    export_onnx(tmp_path / TOWER, other, card)
    assert (tmp_path / WEIGHTS).read_bytes() != (narrow / WEIGHTS).read_bytes()
    assert compare_latency(tmp_path, narrow) == latency.Latency(1.0)


@pytest.mark.fault("A5")
@pytest.mark.parametrize("change", ["width", "size", "mirror"])
def test_other_work_is_timed(tmp_path: Path, narrow: Path, change: str) -> None:
    params, face = (
        WIDE if change == "width" else NARROW,
        Preprocess((96, 96) if change == "size" else (64, 64), None),
    )
    other = made(tmp_path, params, face, mirror=change == "mirror")
    found = compare_latency(other, narrow)
    assert found.milliseconds is not None
    assert found.ratio > 1.3
    assert compare_latency(narrow, other).ratio < 1 / 1.3


@pytest.mark.fault("A5")
def test_a_busy_machine_slows_down_both(narrow: Path) -> None:
    with busy(4):
        found = latency._timed(open_model(narrow), open_model(narrow))
    assert found.ratio == pytest.approx(1.0, abs=0.3)
    assert found.turns >= 60
