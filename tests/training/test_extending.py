"""The loss of docs/extending.md: its blocks are taken from the page, registered, read and trained."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
import yaml

from likeness.errors import ParamsError
from likeness.params import from_mapping
from likeness.training.losses.objective import LOSSES
from likeness.training.params import TrainParams
from likeness.training.samplers.sampler import SAMPLERS
from likeness.training.trainer import train
from tests.page import block
from tests.training.plane import at, pair_batch, siamese
from tests.training.tiny import PREPROCESS, network, world


@pytest.fixture
def section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The recipe's loss, once the page's class is registered."""
    monkeypatch.setattr(LOSSES, "_parts", dict(LOSSES._loaded()))
    (tmp_path / "cosine_embedding_of_the_page.py").write_text(block("python", 0))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cosine_embedding_of_the_page", raising=False)
    __import__("cosine_embedding_of_the_page")
    loss: dict[str, object] = yaml.safe_load(block("yaml", 0))["train"]["loss"]
    return loss


def test_the_loss_of_the_page_has_its_value(section: dict[str, object]) -> None:
    params = from_mapping(TrainParams, {"loss": section}, "recipe").loss
    objective = params.part.build(params, siamese(), 0)
    batch = pair_batch([0, 0], [1, 2], [True, False])  # cosines 0.5 of one person, 1 of two
    assert objective(siamese(), at(0, 60, 0), batch, 0.0).value.item() == pytest.approx((0.5 + 0.7) / 2)


def test_the_loss_of_the_page_trains(section: dict[str, object], tmp_path: Path) -> None:
    read = from_mapping(TrainParams, {"loss": section, "epochs": 4, "learning_rate": 1e-2}, "recipe")
    params = dataclasses.replace(read, sampler=SAMPLERS.params("pairs"))
    pixels, listed, _, holdout = world(24)
    trained = train(
        listed, holdout, pixels, network(dropout=0), PREPROCESS, params, seed=0, checkpoint=tmp_path, device="cpu"
    )
    assert trained.steps[-1].loss < trained.steps[0].loss
    assert "max(0, cos − 0.3)" in trained.formula


def test_a_parameter_out_of_range_is_refused(section: dict[str, object]) -> None:
    with pytest.raises(ParamsError, match=r"loss\.margin: expected a number >= -1 and <= 1, found 2"):
        from_mapping(TrainParams, {"loss": section | {"margin": 2}}, "recipe")
