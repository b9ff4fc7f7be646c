"""Trains the tiny network, alone or under torchrun, and writes losses and weights; run by test_world.py.

By plain gradient descent, because Adam turns a rounding error in a gradient near zero into a whole step.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import torch

from likeness.models.comparators.weighted_l1 import WeightedL1
from likeness.training.early_stopping import StoppingParams
from likeness.training.losses.objective import LOSSES
from likeness.training.params import L2Params, TrainParams
from likeness.training.results import TrainingResult
from likeness.training.samplers.sampler import SAMPLERS
from likeness.training.trainer import train
from tests.training.tiny import PREPROCESS, network, world


def pairs(folder: Path) -> TrainingResult:
    """S1's kind: cross-entropy over listed pairs, 7 a batch, so that the shares differ in size."""
    pixels, listed, _, holdout = world()
    l2 = L2Params(2e-4, 2e-3)
    params = TrainParams(epochs=2, batch_size=7, optimizer="sgd", learning_rate=1e-2, l2=l2)
    siamese = network(partial(WeightedL1, 8), batch_norm=False, dropout=0)
    return train(listed, holdout, pixels, siamese, PREPROCESS, params, seed=0, checkpoint=folder, device="cpu")


def identities(folder: Path) -> TrainingResult:
    """A loss with weights of its own and one with random mining; a norm clipped over all gradients."""
    pixels, _, people, holdout = world()
    params = TrainParams(
        epochs=2,
        batch_size=16,
        optimizer="sgd",
        learning_rate=1e-2,
        clip_norm=0.5,
        loss=LOSSES.params("arcface", scale=8.0),
        second_loss=LOSSES.params("triplet", miner="random"),
        sampler=SAMPLERS.params("identities"),
        stopping=StoppingParams("auc", patience=1, min_delta=1.0),
    )
    siamese = network(batch_norm=False, dropout=0)
    return train(people, holdout, pixels, siamese, PREPROCESS, params, seed=0, checkpoint=folder, device="cpu")


def outcome(folder: Path) -> dict[str, list[list[float]]]:
    """Per-step losses, holdout figures and final weights of both."""
    said = {}
    for name, recipe in {"pairs": pairs, "identities": identities}.items():
        trained = recipe(folder / name)
        weights = torch.cat([value.flatten() for value in trained.siamese.state_dict().values()])
        figures = [record.holdout_loss for record in trained.history]
        said[name] = [[step.loss for step in trained.steps], figures, weights.tolist()]
        said["leads"] = [[float(trained.is_main), float(trained.processes)]]
    return said


if __name__ == "__main__":
    torch.set_num_threads(1)
    result = outcome(Path(sys.argv[1]))
    Path(sys.argv[1], f"process-{int(result['leads'][0][0])}.json").write_text(json.dumps(result))
