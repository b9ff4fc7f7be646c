"""The backbone of docs/extending.md: its blocks are taken from the page, registered, read, built and used.

A comparator is added here too, which no other module knows.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from likeness.errors import ParamsError
from likeness.experiments.composition import compose_params
from likeness.models.architecture import BACKBONES, COMPARATORS, ComparatorParams, ModelParams
from likeness.models.card import TOWER
from likeness.models.comparators.comparator import Comparator
from likeness.models.embedding import embed_pixels
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese
from likeness.models.weights import load_model, save_model
from likeness.params import from_mapping, sections_of
from likeness.serving.model import open_model
from likeness.training.configuration import check_configuration
from likeness.training.params import TrainParams
from tests.models.parts import varied
from tests.models.samples import SIZE, TINY, card, faces
from tests.page import block

ROOT = Path(__file__).parents[2]
MODULE = "three_convolutions_of_the_page"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelParams:
    """The network of the recipe, once the page's class is registered and its recipe composed."""
    monkeypatch.setattr(BACKBONES, "_parts", dict(BACKBONES._loaded()))
    (tmp_path / f"{MODULE}.py").write_text(block("python", 1))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    __import__(MODULE)
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "recipe" / "three-convolutions.yaml").write_text(block("yaml", 1))
    document = compose_params(tmp_path, ["recipe=three-convolutions"])
    read, training = sections_of(document, "params.yaml", ModelParams, TrainParams)
    check_configuration(read, training, (80, 64), "restricted")
    assert isinstance(read, ModelParams)
    return read


def test_the_backbone_of_the_page_is_what_it_says(model: ModelParams) -> None:
    siamese = build_siamese(model, SIZE, 0).train()
    images = torch.rand(4, 1, *SIZE)
    siamese.score(siamese.embed(images), siamese.embed(images.flip(0))).sum().backward()
    assert siamese.embed(images).shape == (4, 64)
    assert all(parameter.grad is not None for parameter in siamese.backbone.parameters())
    convolutions = 9 * (1 * 16 + 16 * 32 + 32 * 64) + 2 * (16 + 32 + 64)
    assert sum(p.numel() for p in siamese.parameters()) == convolutions + 64 * 64 + 64


def test_the_backbone_of_the_page_is_saved_loaded_and_exported(model: ModelParams, tmp_path: Path) -> None:
    siamese = build_siamese(model, SIZE, 0).eval()
    written = save_model(tmp_path / "model", siamese, card(model))
    assert export_onnx(tmp_path / "model" / TOWER, siamese, written) < 1e-4
    loaded = load_model(tmp_path / "model")
    assert loaded.card.model == model
    pixels = faces(3)
    expected = embed_pixels(siamese, written.preprocess, pixels)
    assert np.array_equal(embed_pixels(loaded.siamese, written.preprocess, pixels), expected)
    np.testing.assert_allclose(open_model(tmp_path / "model").embed(pixels), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernels": 2}, "backbone.kernels: not read by three-convolutions, known are name, width, dropout"),
        ({"width": 0}, r"backbone.width: expected a number > 0 and <= 16, found 0"),
        ({"name": "four"}, "backbone.name: unknown backbone 'four'; known are .*three-convolutions"),
    ],
)
def test_what_it_does_not_read_is_refused(model: ModelParams, changes: dict[str, object], message: str) -> None:
    section = {"name": model.backbone.name} | changes
    with pytest.raises(ParamsError, match=message):
        from_mapping(ModelParams, {"backbone": section, "comparator": "cosine"}, "params.yaml")


class Chebyshev(Comparator):
    """Minus the largest difference."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return -(first - second).abs().amax(dim=-1)


def test_a_comparator_of_one_class_is_built_saved_and_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(COMPARATORS, "_parts", dict(COMPARATORS._loaded()))
    COMPARATORS.register("chebyshev", ComparatorParams)(Chebyshev)
    params = varied(TINY, comparator="chebyshev")
    save_model(tmp_path, build_siamese(params, SIZE, 0), card(params))
    served = open_model(tmp_path)
    embeddings = served.embed(faces(5))
    expected = -np.abs(embeddings[:, None] - embeddings).max(axis=-1)
    first, second = np.divmod(np.arange(25), 5)
    scores = served.comparator.pairs(embeddings[first], embeddings[second]).reshape(5, 5)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    np.testing.assert_allclose(served.comparator.scan(embeddings)(embeddings[:2]), expected[:2], atol=1e-6)
