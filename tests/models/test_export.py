"""Exports to ONNX, and towers that come as ONNX from elsewhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from likeness.errors import ModelError
from likeness.models.architecture import ModelParams
from likeness.models.embedding import embed_pixels
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese, ensemble_of
from likeness.models.onnx_tower import OnnxTower
from likeness.models.preprocess import Preprocess
from likeness.models.weights import load_model, save_model
from tests.models.parts import planned
from tests.models.samples import KOCH, KOCH_SIZE, SIZE, TINY, card, faces

ROOT = Path(__file__).parents[2]

LIGHT = planned(backbone="light-cnn", comparator="cosine", embedding_dim=16, width=0.25)
MOBILE = planned(backbone="mobilenet-v2", comparator="cosine", embedding_dim=16, width=0.25)


@pytest.mark.parametrize(
    ("params", "size", "mirror"),
    [(KOCH, KOCH_SIZE, False), (TINY, SIZE, True), (LIGHT, SIZE, False), (MOBILE, SIZE, False)],
    ids=lambda value: value.backbone if isinstance(value, ModelParams) else "",
)
def test_the_exported_tower_embeds_as_torch_does(
    tmp_path: Path, params: ModelParams, size: tuple[int, int], mirror: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    siamese = build_siamese(params, size, 0)
    siamese.train().embed(torch.rand(8, 1, *size))  # statistics that are not those of an untouched network
    described = dataclasses.replace(card(params, size, mirror=mirror), weights_sha256="ab12")
    assert export_onnx(tmp_path / "tower.onnx", siamese, described) < 1e-4
    assert not caplog.messages
    assert b".py" not in (tmp_path / "tower.onnx").read_bytes()  # the exporter notes stack traces with their paths
    tower = OnnxTower(tmp_path / "tower.onnx", threads=1)
    assert (tower.size, tower.weights_sha256) == (size, "ab12")
    for count in (1, 5):
        pixels = faces(count, size, seed=count)
        expected = embed_pixels(siamese, described.preprocess, pixels, mirror=mirror)
        np.testing.assert_allclose(tower.embed(pixels), expected, atol=1e-4 * np.abs(expected).max())
    with pytest.raises(ModelError, match=rf"uint8 \[B, {size[0]}, {size[1]}\], found uint8 \[1, 9, 9\]"):
        tower.embed(faces(1, (9, 9)))


def test_towers_kept_with_the_project_name_no_file_of_the_machine_that_exported_them() -> None:
    kept = [*ROOT.glob("pretrained/*/tower.onnx"), *ROOT.glob("src/likeness/pretrained/*/tower.onnx")]
    assert len(kept) == 4
    assert [path for path in kept if b".py" in path.read_bytes()] == []


class _Scaled(nn.Module):
    """A tower from elsewhere: a fixed random map of what it is fed, NCHW or NHWC."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        weight = torch.randn(inputs, 6, generator=torch.Generator().manual_seed(0))
        self.register_buffer("weight", weight / inputs**0.5)

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(start_dim=1) @ self.weight


def _foreign(path: Path, shape: tuple[int, int, int, int], opset: int | None = None) -> Path:
    example = torch.zeros(shape)
    torch.onnx.export(_Scaled(example[0].numel()), (example,), path, dynamo=False, opset_version=opset)
    return path


def _external(path: Path, **changes: object) -> ModelParams:
    scaling = {"mean": (10.0, 20.0, 30.0), "scale": (0.5,)}
    return planned("external", "cosine", **{"embedding_dim": 6, "onnx": str(path)} | scaling | changes)


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 4, 5, 3)], ids=["NCHW", "NHWC"])
def test_an_external_tower_is_fed_as_it_wants(tmp_path: Path, shape: tuple[int, int, int, int]) -> None:
    """The file declares a batch of one, as many do; several faces pass through it one by one."""
    siamese = build_siamese(_external(_foreign(tmp_path / "tower.onnx", shape)), (4, 5), 0)
    pixels = faces(3, (4, 5))
    fed = (pixels[:, None].repeat(3, axis=1) - np.array([10, 20, 30]).reshape(1, 3, 1, 1)) * 0.5
    fed = fed if shape[1] == 3 else fed.transpose(0, 2, 3, 1)
    expected = fed.reshape(3, -1) @ _Scaled(60).weight.numpy().astype(np.float64)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(embed_pixels(siamese, Preprocess((4, 5)), pixels), expected, rtol=1e-4, atol=1e-5)


def test_an_external_tower_lives_on_in_the_models_weights(tmp_path: Path) -> None:
    path = _foreign(tmp_path / "tower.onnx", (1, 3, 4, 5))
    params = _external(path)
    siamese = build_siamese(params, (4, 5), 0)
    before = embed_pixels(siamese, Preprocess((4, 5)), faces(2, (4, 5)))
    save_model(tmp_path / "model", siamese, card(params, (4, 5)))
    path.unlink()
    loaded = load_model(tmp_path / "model")
    assert np.array_equal(embed_pixels(loaded.siamese, loaded.card.preprocess, faces(2, (4, 5))), before)
    _, joined = ensemble_of([(params, loaded.siamese), (params, loaded.siamese)])
    twice = embed_pixels(joined, loaded.card.preprocess, faces(2, (4, 5)))
    np.testing.assert_allclose(twice, np.concatenate([before, before], axis=1) / 2**0.5, rtol=1e-5, atol=1e-6)


def test_a_tower_exported_here_serves_as_an_external_one(tmp_path: Path) -> None:
    siamese = build_siamese(TINY, SIZE, 0)
    own = card(mirror=True)
    export_onnx(tmp_path / "tower.onnx", siamese, own)
    params = _external(tmp_path / "tower.onnx", embedding_dim=16)
    external = build_siamese(params, SIZE, 0)
    np.testing.assert_allclose(
        embed_pixels(external, Preprocess(SIZE), faces(3)),
        embed_pixels(siamese, own.preprocess, faces(3), mirror=True),
        atol=1e-5,
    )
    assert not list(external.backbone.parameters())
    assert export_onnx(tmp_path / "again.onnx", external, card(params)) < 1e-5


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(("shape", "opset"), [((1, 3, 4, 5), 11), ((1, 4, 5, 3), 9), ((1, 1, 4, 5), 20)])
def test_an_external_tower_is_exported_with_what_is_around_it(
    tmp_path: Path, shape: tuple[int, int, int, int], opset: int, colour: bool, mirror: bool
) -> None:
    size = (4, 5, 3) if colour else (4, 5)
    mean = (10.0,) if shape[1] == 1 else (10.0, 20.0, 30.0)
    params = _external(_foreign(tmp_path / "foreign.onnx", shape, opset), mean=mean)
    siamese = build_siamese(params, size, 0)
    described = dataclasses.replace(card(params, size, mirror=mirror), weights_sha256="ab12")
    assert export_onnx(tmp_path / "tower.onnx", siamese, described) < 1e-5
    tower = OnnxTower(tmp_path / "tower.onnx")
    assert (tower.size, tower.weights_sha256) == (size, "ab12")
    for count in (1, 5):
        pixels = faces(count, size, seed=count)
        expected = embed_pixels(siamese, described.preprocess, pixels, mirror=mirror)
        np.testing.assert_allclose(tower.embed(pixels), expected, atol=1e-5)


def test_an_external_tower_behind_a_window_and_before_a_projection_is_exported(tmp_path: Path) -> None:
    foreign = _foreign(tmp_path / "foreign.onnx", (1, 3, 4, 5))
    params = dataclasses.replace(_external(foreign), projection_dim=2, normalise=True)
    siamese = build_siamese(params, (4, 5), 0)
    assert export_onnx(tmp_path / "tower.onnx", siamese, card(params, (4, 5))) < 1e-5
    assert OnnxTower(tmp_path / "tower.onnx").embed(faces(3, (4, 5))).shape == (3, 2)


class _One(_Scaled):
    """A tower that takes one face whatever it declares."""

    def forward(self, images: Tensor) -> Tensor:
        return images.reshape(1, -1) @ self.weight


def test_an_external_tower_that_takes_one_face_alone_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.onnx"
    torch.onnx.export(_One(60), (torch.zeros(1, 3, 4, 5),), foreign, dynamo=False)
    params = _external(foreign)
    siamese = build_siamese(params, (4, 5), 0)
    assert len(embed_pixels(siamese, Preprocess((4, 5)), faces(3, (4, 5)))) == 3
    with pytest.raises(ModelError, match="cannot embed 8 faces at a time"):
        export_onnx(tmp_path / "tower.onnx", siamese, card(params, (4, 5)))


def test_an_ensemble_with_an_external_tower_is_refused(tmp_path: Path) -> None:
    params = _external(_foreign(tmp_path / "foreign.onnx", (1, 3, 4, 5)))
    siamese = build_siamese(params, (4, 5), 0)
    together, joined = ensemble_of([(params, siamese), (params, siamese)])
    with pytest.raises(ModelError, match="an ensemble with an external tower cannot be exported"):
        export_onnx(tmp_path / "tower.onnx", joined, card(together, (4, 5)))


@pytest.mark.parametrize(
    ("size", "changes", "message"),
    [
        ((5, 4), {}, r"wants faces of 4×5 pixels.*the stored ones have 5×4; set data.size to \[4, 5\]"),
        (
            (4, 5),
            {"mean": (1.0, 2.0)},
            "has 3 channels; give model.backbone.mean one value or",
        ),
        ((4, 5), {"embedding_dim": 7}, "gives 6 numbers a face; set model.embedding_dim to 6"),
    ],
)
def test_an_external_tower_that_does_not_fit_is_refused(
    tmp_path: Path, size: tuple[int, int], changes: dict[str, object], message: str
) -> None:
    path = _foreign(tmp_path / "tower.onnx", (1, 3, 4, 5))
    with pytest.raises(ModelError, match=message):
        build_siamese(_external(path, **changes), size, 0)


def test_a_file_that_is_no_network_of_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tower.onnx"
    with pytest.raises(ModelError, match="no such ONNX file"):
        build_siamese(_external(path), (4, 5), 0)
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="cannot be run by ONNX Runtime"):
        build_siamese(_external(path), (4, 5), 0)
    _foreign(path, (2, 3, 4, 5))
    with pytest.raises(ModelError, match="takes exactly 2 faces at a time"):
        build_siamese(_external(path), (4, 5), 0)
    _foreign(path, (1, 7, 4, 5))
    with pytest.raises(ModelError, match=r"1 or 3 channels(.|\n)*found tensor\(float\) \[1, 7, 4, 5\]"):
        build_siamese(_external(path), (4, 5), 0)


def test_a_foreign_file_is_no_exported_tower(tmp_path: Path) -> None:
    path = _foreign(tmp_path / "tower.onnx", (1, 3, 4, 5))
    with pytest.raises(ModelError, match="was not exported by this package"):
        OnnxTower(path)


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "tower.onnx"
    path.write_bytes(b"old")
    params = _external(_foreign(tmp_path / "foreign.onnx", (1, 3, 4, 5)))
    siamese = build_siamese(params, (4, 5), 0)
    together, joined = ensemble_of([(params, siamese), (params, siamese)])
    with pytest.raises(ModelError):
        export_onnx(path, joined, card(together, (4, 5)))
    assert path.read_bytes() == b"old"
    assert onnx.load(tmp_path / "foreign.onnx").graph.input
