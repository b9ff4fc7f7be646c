from __future__ import annotations

from pathlib import Path

import pytest
import torch

from likeness.artifacts.history import EpochRecord
from likeness.errors import FrozenWeightsError, ParamsError
from likeness.training.early_stopping import StoppingParams
from likeness.training.freezing import FrozenLayers
from likeness.training.losses.objective import LOSSES
from likeness.training.params import TrainParams
from likeness.training.samplers.sampler import SAMPLERS
from likeness.training.trainer import train
from tests.training.tiny import PREPROCESS, network, world


@pytest.mark.parametrize(
    ("trained", "moved"), [(0, set()), (1, {"9"}), (2, {"4", "9"}), (None, {"0", "1", "4", "9"})]
)
def test_frozen_layers_are_bit_identical_after_training(
    trained: int | None, moved: set[str], tmp_path: Path
) -> None:
    """Convolution 0 with its norm 1, convolution 4 and dense layer 9; decay and averaging must not reach them."""
    pixels, _, identities, holdout = world()
    siamese = network()
    before = {name: tensor.clone() for name, tensor in siamese.state_dict().items()}
    params = TrainParams(
        epochs=2,
        batch_size=16,
        optimizer="adamw",
        learning_rate=1e-2,
        weight_decay=0.1,
        ema_decay=0.5,
        freeze=trained,
        loss=LOSSES.params("softmax", scale=8),
        sampler=SAMPLERS.params("identities"),
    )
    train(identities, holdout, pixels, siamese, PREPROCESS, params, seed=0, checkpoint=tmp_path, device="cpu")
    changed = {name for name, tensor in siamese.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {name.split(".")[1] for name in changed} == moved


def test_a_frozen_norm_does_not_watch() -> None:
    siamese = network(batch_norm=True, dropout=0.5)
    frozen = FrozenLayers(siamese.backbone, 1)
    siamese.train()
    frozen.set_eval()
    assert [module.training for module in siamese.backbone] == [False] * 9 + [True]


def test_a_frozen_weight_that_changes_all_the_same_is_reported(tmp_path: Path) -> None:
    pixels, _, identities, holdout = world()
    siamese = network()
    params = TrainParams(
        epochs=2,
        batch_size=16,
        freeze=1,
        stopping=StoppingParams(keep="last"),
        loss=LOSSES.params("softmax", scale=8),
        sampler=SAMPLERS.params("identities"),
    )

    def meddle(record: EpochRecord) -> None:
        with torch.no_grad():
            siamese.backbone[1].running_mean[0] += 1e-7

    given = (identities, holdout, pixels, siamese, PREPROCESS, params)
    with pytest.raises(FrozenWeightsError, match="frozen weights have changed"):
        train(*given, seed=0, checkpoint=tmp_path, device="cpu", on_epoch=meddle)


def test_more_layers_than_there_are() -> None:
    with pytest.raises(ParamsError, match="4 layers are to be trained, but the backbone has 3"):
        FrozenLayers(network().backbone, 4)
