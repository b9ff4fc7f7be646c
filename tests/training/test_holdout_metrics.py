from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from likeness.errors import DivergedError
from likeness.models.comparators.euclidean import Euclidean
from likeness.training.holdout_metrics import Holdout, measure_holdout, spread
from likeness.training.losses.contrastive import Contrastive
from likeness.training.losses.ramp import Ramp
from tests.training.tiny import PREPROCESS, network, world


def test_spread_is_zero_for_one_point_and_one_for_opposite_points() -> None:
    assert spread(np.ones((5, 3), dtype=np.float32)) == pytest.approx(0, abs=1e-7)
    assert spread(np.array([[1.0, 0], [-1.0, 0]])) == pytest.approx(1)
    assert spread(np.zeros((4, 2))) == 0


def test_holdout_loss_is_the_training_loss_of_the_held_out_pairs() -> None:
    pixels, _, _, pairs = world()
    siamese = network(Euclidean)
    objective = Contrastive("hadsell", Ramp(0.5, 2.0, 1.0), balanced=False)
    holdout = Holdout(pairs, pixels, PREPROCESS, mirror=False, batch_size=7, over_pairs=True)
    siamese.eval()
    with torch.no_grad():
        first, second = (
            siamese.embed(PREPROCESS.tensor(torch.from_numpy(pixels[rows]))) for rows in (pairs.a, pairs.b)
        )
        distance = (first - second).square().sum(1).sqrt().numpy()
    margin = 0.5 + 1.5 * 0.4
    expected = np.where(pairs.same, distance**2, np.maximum(0, margin - distance) ** 2).mean()
    siamese.train()

    figures = measure_holdout(siamese, objective, holdout, torch.device("cpu"), progress=0.4)

    assert figures.loss == pytest.approx(expected, rel=1e-5)
    assert figures.auc == pytest.approx(roc_auc_score(pairs.same, -distance), abs=1e-6)
    assert figures.accuracy == max(float(((-distance >= t) == pairs.same).mean()) for t in [*(-distance), np.inf])
    assert siamese.training


def test_embeddings_that_are_not_finite_are_a_divergence() -> None:
    pixels, _, _, pairs = world()
    siamese = network()
    siamese.backbone[9].weight.data[0, 0] = float("nan")
    holdout = Holdout(pairs, pixels, PREPROCESS, mirror=False, batch_size=64, over_pairs=True)
    with pytest.raises(DivergedError):
        measure_holdout(siamese, Contrastive("hadsell", Ramp(1, 1, 1), False), holdout, torch.device("cpu"), 0.0)
