"""What `train.precision: auto` chooses, and that it does not change with a resume."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from likeness.artifacts.history import EpochRecord
from likeness.models.network import build_siamese
from likeness.training import precision
from likeness.training.distributed import init_distributed
from likeness.training.losses.objective import LOSSES
from likeness.training.precision import bfloat16_speed, choose_precision, multiplications
from tests.models.parts import planned, varied
from tests.training.test_trainer import recipe, run
from tests.training.tiny import network

SMALL = planned(backbone="residual", comparator="cosine", embedding_dim=64, width=0.5, depth=1)


def test_multiplications_are_those_counted_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 4, 5))
    assert multiplications(network, (20, 16)) == 20 * 16 * 8 * 9 + 16 * 12 * 4 * 8 * 25


def test_counting_changes_neither_the_network_nor_the_random_generator() -> None:
    network = build_siamese(SMALL, (80, 64), seed=0).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    choose_precision("auto", network, (80, 64), init_distributed("cpu"))
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("asked", ["float32", "bfloat16"])
def test_what_is_asked_for_is_used(asked: str) -> None:
    assert choose_precision(asked, nn.Linear(1, 1), (1, 1), init_distributed("cpu")) == asked


@pytest.mark.parametrize(("ratio", "chosen"), [(0.4, "float32"), (1.9, "float32"), (3.1, "bfloat16")])
def test_the_measured_speed_decides_for_a_large_network(
    ratio: float, chosen: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(precision, "bfloat16_speed", lambda: ratio)
    network = build_siamese(SMALL, (80, 64), seed=0)
    with caplog.at_level("INFO"):
        assert choose_precision("auto", network, (80, 64), init_distributed("cpu")) == chosen
    assert f"training in {chosen}" in caplog.text


def test_a_small_network_is_trained_in_float32_whatever_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bfloat16_speed", lambda: 9.0)
    small = build_siamese(varied(SMALL, width=0.1), (40, 32), seed=0)
    assert choose_precision("auto", small, (40, 32), init_distributed("cpu")) == "float32"


CPUINFO = Path("/proc/cpuinfo")


@pytest.mark.skipif(
    not CPUINFO.exists() or "amx_bf16" not in CPUINFO.read_text(), reason="needs a processor with AMX"
)
def test_a_processor_with_matrix_units_is_found() -> None:
    assert bfloat16_speed() >= precision._MIN_RATIO


def test_a_resumed_training_goes_on_as_it_began_whatever_is_measured_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = recipe(LOSSES.params("supcon"), epochs=3)

    def measured(found: str) -> None:
        monkeypatch.setattr("likeness.training.trainer.choose_precision", lambda *_: found)

    def stop(record: EpochRecord) -> None:
        if record.epoch == 2:
            raise SystemExit

    measured("bfloat16")
    whole = run(params, network(), tmp_path / "whole")
    with pytest.raises(SystemExit):
        run(params, network(), tmp_path / "resumed", on_epoch=stop)
    measured("float32")
    resumed = run(params, network(), tmp_path / "resumed")
    assert resumed.precision == whole.precision == "bfloat16"
    other = run(params, network(), tmp_path / "other").siamese.state_dict()
    expected = whole.siamese.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.siamese.state_dict().items())
    assert not all(torch.equal(tensor, expected[name]) for name, tensor in other.items())
