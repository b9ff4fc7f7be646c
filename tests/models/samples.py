"""Networks small enough to build in milliseconds, and a card to go with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from likeness.artifacts.training_summary import TrainingFacts
from likeness.models.architecture import ModelParams
from likeness.models.card import Card
from likeness.models.decision import Decision, FmrPoint
from likeness.models.preprocess import Preprocess
from tests.models.parts import planned

SIZE = (40, 32)
TINY = planned(backbone="residual", comparator="cosine", embedding_dim=16, width=0.25, dropout=0.1)
KOCH = planned(embedding_dim=24, width=0.125)
KOCH_SIZE = (65, 65)


def faces(count: int, size: tuple[int, int] = SIZE, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, *size), dtype=np.uint8)


def card(model: ModelParams = TINY, size: tuple[int, int] = SIZE, *, mirror: bool = False) -> Card:
    return Card(
        model=model,
        preprocess=Preprocess(size, (120, 96), "image" if not model.backbone.holds_external else "unit"),
        mirror=mirror,
        decision=Decision(0.25, 9.5, -2.125, (FmrPoint(0.1, 0.3, 220),)),
        protocol="unrestricted",
        outside_data="none",
        source="lfw-deepfunneled",
        synthetic=False,
        alignment="deep-funneled",
        fingerprint="0123",
        recipe="tiny",
        seed=3,
        trained=TrainingFacts(epochs=2, formula="arcface"),
        versions={"torch": "2"},
    )
