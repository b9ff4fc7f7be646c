from __future__ import annotations

import numpy as np
import pytest
import torch

from likeness.errors import ModelError
from likeness.models.embedding import embed_pixels, evaluating, score_pairs
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from tests.models.parts import varied
from tests.models.samples import SIZE, TINY, faces

PREPROCESS = Preprocess(SIZE, standardise="image")


def test_rows_come_back_in_the_order_asked_for_whatever_the_batch() -> None:
    siamese = build_siamese(TINY, SIZE, 0)
    pixels, rows = faces(7), np.array([6, 0, 3, 3, 5])
    whole = embed_pixels(siamese, PREPROCESS, pixels)
    some = embed_pixels(siamese, PREPROCESS, pixels, rows, batch_size=2)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(some, whole[rows], rtol=1e-5, atol=1e-6)


def test_no_rows_give_no_embeddings() -> None:
    siamese = build_siamese(TINY, SIZE, 0)
    assert embed_pixels(siamese, PREPROCESS, faces(2), np.array([], dtype=np.int64)).shape == (0, 16)


def test_embedding_neither_changes_the_network_nor_its_mode() -> None:
    siamese = build_siamese(TINY, SIZE, 0).train()
    siamese.backbone.stem.eval()  # type: ignore[union-attr]
    before = {name: value.clone() for name, value in siamese.state_dict().items()}
    modes = [module.training for module in siamese.modules()]
    embed_pixels(siamese, PREPROCESS, faces(3))
    assert modes == [module.training for module in siamese.modules()]
    assert all(torch.equal(value, before[name]) for name, value in siamese.state_dict().items())


@pytest.mark.parametrize("comparator", ["cosine", "euclidean"])
def test_mirrored_embeddings_are_the_average_of_both_sides(comparator: str) -> None:
    siamese = build_siamese(varied(TINY, comparator=comparator), SIZE, 0)
    pixels = faces(3)
    sides = [embed_pixels(siamese, PREPROCESS, side) for side in (pixels, pixels[:, :, ::-1])]
    expected = (sides[0] + sides[1]) / 2
    if comparator == "cosine":
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = embed_pixels(siamese, PREPROCESS, pixels, mirror=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        embed_pixels(siamese, PREPROCESS, pixels[:, :, ::-1], mirror=True), found, rtol=1e-4, atol=1e-5
    )


def test_faces_of_another_size_are_refused() -> None:
    with pytest.raises(ModelError, match="40×32 pixels, found 32×40"):
        embed_pixels(build_siamese(TINY, SIZE, 0), PREPROCESS, faces(1, (32, 40)))


def test_scores_are_computed_in_double_precision_and_leave_the_comparator_alone() -> None:
    siamese = build_siamese(varied(TINY, comparator="weighted-l1"), SIZE, 0)
    first, second = (np.random.default_rng(seed).normal(size=(5, 16)).astype(np.float32) for seed in (0, 1))
    weight = siamese.comparator.logit.weight.detach().double().numpy()[0]  # type: ignore[union-attr,operator]
    bias = siamese.comparator.logit.bias.item()  # type: ignore[union-attr,operator]
    scores = score_pairs(siamese, first, second)
    expected = np.abs(first.astype(np.float64) - second) @ weight + bias
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, expected, rtol=1e-13)
    assert next(siamese.comparator.parameters()).dtype == torch.float32


def test_modes_are_restored_after_an_error() -> None:
    siamese = build_siamese(TINY, SIZE, 0).train()
    try:
        with evaluating(siamese):
            assert not siamese.training
            raise InterruptedError
    except InterruptedError:
        assert siamese.training
