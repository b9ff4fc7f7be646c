"""Trainings on RGB pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.training.augment import AugmentParams
from likeness.training.losses.objective import LOSSES
from likeness.training.lr_finder import find_learning_rate
from likeness.training.precision import multiplications
from likeness.training.trainer import train
from tests.models.parts import planned
from tests.training.test_trainer import BASE, recipe
from tests.training.tiny import world

SIZE = (32, 32, 3)
PLAN = planned("residual", "cosine", embedding_dim=16, width=0.125, dropout=0.0)
PARAMS = dataclasses.replace(
    recipe(LOSSES.params("arcface")),
    epochs=3,
    precision="auto",
    augment=AugmentParams(mirror=True, saturation=0.3, white_balance=0.1, grey=0.2),
)


def coloured() -> tuple[np.ndarray, ...]:
    """The tiny world twice as large, whose people differ in colour as well."""
    pixels, _, identities, holdout = world(48)
    large = pixels.repeat(2, axis=1).repeat(2, axis=2)
    return np.stack([large, large // 2, 255 - large], axis=-1), identities, holdout


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_a_network_learns_from_colours_and_repeats_itself(tmp_path: Path, precision: str) -> None:
    pixels, identities, holdout = coloured()
    params = dataclasses.replace(PARAMS, precision=precision, epochs=BASE.epochs)
    results = []
    for folder in ("one", "two"):
        siamese = build_siamese(PLAN, SIZE, 0)
        found = train(
            *(identities, holdout, pixels, siamese, Preprocess(SIZE), params),
            seed=0,
            checkpoint=tmp_path / folder,
            device="cpu",
        )
        results.append([record.holdout_auc for record in found.history])
    assert results[0] == results[1]
    assert max(results[0]) > 0.8


def test_a_learning_rate_is_found_on_colours() -> None:
    pixels, identities, _ = coloured()
    found = find_learning_rate(identities, pixels, build_siamese(PLAN, SIZE, 0), Preprocess(SIZE), PARAMS, seed=0)
    assert len(found.losses) > 20
    assert np.isfinite(found.losses).all()


def test_multiplications_of_three_channels_are_counted() -> None:
    grey, colour = (multiplications(build_siamese(PLAN, size, 0), size) for size in (SIZE[:2], SIZE))
    assert colour - grey == 2 * 9 * 8 * 16 * 16  # of the stem: two more channels, 3×3, to 8 channels of 16×16
