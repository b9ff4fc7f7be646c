"""Small real models for the tests of serving, of random weights: alike photographs score alike, and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from likeness.artifacts.training_summary import TrainingFacts
from likeness.models.card import Card
from likeness.models.comparators.weighted_l1 import WeightedL1
from likeness.models.decision import Decision, FmrPoint
from likeness.models.embedding import embed_pixels, score_pairs
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.models.weights import save_model
from likeness.serving.face_reading import Reading, read_face
from tests.models.parts import planned
from tests.serving.pictures import other_portrait, portrait
from tests.sharing import shared_folder

PREPROCESS = Preprocess(size=(72, 72), crop=(120, 120), standardise="image")
GREY = Reading()


def exported_model(factory: pytest.TempPathFactory) -> Path:
    """A cosine model with its exported tower, made once for all tests; it must not be changed."""
    return shared_folder(factory, "exported-model", lambda folder: make_model(folder, onnx=True))


def make_model(
    folder: Path,
    comparator: str = "cosine",
    seed: int = 0,
    onnx: bool = False,
    synthetic: bool = False,
    reading: Reading = GREY,
) -> Card:
    """Writes a model whose threshold lies between "the same photograph" and "that other portrait"."""
    preprocess = replace(PREPROCESS, size=(*PREPROCESS.size, 3)) if reading.colour else PREPROCESS
    params = planned("residual", comparator, embedding_dim=32, width=0.25)  # type: ignore[arg-type]
    siamese = build_siamese(params, preprocess.size, seed)
    if isinstance(siamese.comparator, WeightedL1):
        siamese.comparator.logit.weight.data.abs_().neg_()  # unlike is less alike
    faces = [read_face(picture, reading, "it") for picture in (portrait(), other_portrait())]
    windows = np.stack([preprocess.window(face.frame) for face in faces])
    one, other = embed_pixels(siamese, preprocess, windows, mirror=True)[:, None]
    same, different = score_pairs(siamese, one, one)[0], score_pairs(siamese, one, other)[0]
    threshold = float(same + different) / 2
    step = float(same - different) / 2
    table = tuple(FmrPoint(10.0**-n, threshold + (n - 2) * step / 8, 100_000) for n in (1, 2, 3))
    card = Card(
        model=params,
        preprocess=preprocess,
        align=reading.align,
        mirror=True,
        decision=Decision(threshold, 3 / step, -3 * threshold / step, table),
        protocol="restricted",
        outside_data="none",
        source="test",
        synthetic=synthetic,
        alignment="none",
        fingerprint="0" * 64,
        recipe="test",
        seed=seed,
        trained=TrainingFacts(),
        versions={},
    )
    card = save_model(folder, siamese, card)
    if onnx:
        export_onnx(folder / "tower.onnx", siamese, card)
    return card
