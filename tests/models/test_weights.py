from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.errors import ModelError
from likeness.files import file_sha256
from likeness.models.architecture import ModelParams
from likeness.models.card import CARD, TOWER, WEIGHTS, check_folder, read_card
from likeness.models.embedding import embed_pixels
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese, ensemble_of, with_projection
from likeness.models.siamese import Siamese
from likeness.models.weights import load_model, save_model
from likeness.serving.model import open_model
from tests.models.parts import varied
from tests.models.samples import KOCH, KOCH_SIZE, SIZE, TINY, card, faces


def _trained(params: ModelParams, size: tuple[int, int]) -> Siamese:
    """A network whose batch-norm statistics have moved."""
    siamese = build_siamese(varied(params, dropout=0.0), size, seed=0).train()
    siamese.embed(torch.rand(4, 1, *size, generator=torch.Generator().manual_seed(0)))
    return siamese.eval()


def _saved(folder: Path) -> Path:
    save_model(folder, _trained(TINY, SIZE), card())
    return folder


@pytest.mark.parametrize(("params", "size"), [(TINY, SIZE), (KOCH, KOCH_SIZE)])
def test_a_card_and_its_weights_rebuild_the_network_to_the_last_bit(
    tmp_path: Path, params: ModelParams, size: tuple[int, int]
) -> None:
    siamese = _trained(params, size)
    written = save_model(tmp_path, siamese, card(params, size))
    loaded = load_model(tmp_path)
    state = siamese.state_dict()
    assert (
        loaded.card
        == written
        == dataclasses.replace(card(params, size), weights_sha256=file_sha256(tmp_path / WEIGHTS))
    )
    assert all(torch.equal(value, state[name]) for name, value in loaded.siamese.state_dict().items())
    assert not loaded.siamese.training
    pixels = faces(3, size)
    assert np.array_equal(
        embed_pixels(loaded.siamese, loaded.card.preprocess, pixels),
        embed_pixels(siamese, card(params, size).preprocess, pixels),
    )


def test_ensembles_and_projections_are_rebuilt_from_their_card_too(tmp_path: Path) -> None:
    projected = with_projection(TINY, _trained(TINY, SIZE), torch.randn(4, 16), torch.randn(4))
    params, siamese = ensemble_of([projected, (TINY, _trained(TINY, SIZE))], shares=(2.0, 1.0))
    save_model(tmp_path, siamese, card(params))
    loaded = load_model(tmp_path)
    assert loaded.card.model == params
    images = torch.rand(2, 1, *SIZE)
    assert torch.equal(loaded.siamese.embed(images), siamese.eval().embed(images))


def test_init_from_is_not_read_again(tmp_path: Path) -> None:
    params = varied(TINY, init_from=str(tmp_path / "long-gone.safetensors"))
    save_model(tmp_path / "model", _trained(TINY, SIZE), card(params))
    assert load_model(tmp_path / "model").card.model == params


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        _saved(tmp_path / name)
    for file in (CARD, WEIGHTS):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_one_changed_bit_of_the_weights_is_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path) / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not the file that its card describes: expected sha256"):
        load_model(tmp_path)


def test_weights_of_another_network_are_refused_even_with_the_right_digest(tmp_path: Path) -> None:
    _saved(tmp_path)
    other = varied(TINY, width=0.5)
    save_model(tmp_path / "other", _trained(other, SIZE), card())
    with pytest.raises(ModelError, match=r"weights of another network(.|\n)*expected \[8, 1, 3, 3\]"):
        load_model(tmp_path / "other")


@pytest.mark.parametrize(("file", "message"), [(CARD, "no model card"), (WEIGHTS, "no weights beside the card")])
def test_a_missing_file_is_named(tmp_path: Path, file: str, message: str) -> None:
    (_saved(tmp_path) / file).unlink()
    with pytest.raises(ModelError, match=f"{file}: {message}"):
        load_model(tmp_path)


def _set(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda values: values.update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set(threshold=0.5), "threshold: unknown key"),
        (_set(seed="three"), "seed: expected a whole number, found 'three'"),
        (lambda values: values.pop("protocol"), "protocol: missing"),
        (lambda values: values["model"].update(backbone={}), "model.backbone.name: missing"),
        (_set(format=99), "format 2, found 99"),
        (_set(trained=[]), "trained: expected"),
    ],
)
def test_a_card_is_read_strictly(tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str) -> None:
    path = _saved(tmp_path) / CARD
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(ModelError, match=message):
        read_card(path)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"backbone": {"name": "resnet"}},
            r"model: 1 mistake\n  backbone.name: unknown backbone 'resnet'; known are",
        ),
        ({"backbone": {"name": "residual", "first_bias": True}}, "backbone.first_bias: not read by residual"),
        ({"comparator": {"name": "cosine", "weight_std": 1}}, "comparator.weight_std: not read by cosine"),
    ],
)
def test_the_parameters_of_a_cards_parts_are_read_with_its_weights(
    tmp_path: Path, part: dict[str, Any], message: str
) -> None:
    path = _saved(tmp_path) / CARD
    values = json.loads(path.read_text())
    values["model"] |= part
    path.write_text(json.dumps(values))
    read_card(path)
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path)


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe"])
def test_a_file_that_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CARD).write_bytes(content)
    with pytest.raises(ModelError, match=r"is no JSON|expected a model card of format 2"):
        read_card(tmp_path / CARD)


@pytest.mark.attack("13")
@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"format": ' + b"9" * 5000 + b"}", b'{"format": 1e999}', b'{"format": NaN}', b"\xff\xfe{}"],
    ids=["deep", "a huge whole number", "a huge number", "NaN", "UTF-16"],
)
def test_a_hostile_card_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CARD).write_bytes(content)
    with pytest.raises(ModelError, match=r"card.json: is no JSON") as caught:
        read_card(tmp_path / CARD)
    assert len(str(caught.value)) < 300


@pytest.mark.attack("9")
def test_every_file_of_a_model_is_in_its_card(tmp_path: Path) -> None:
    siamese = build_siamese(TINY, SIZE, 0)
    saved = save_model(tmp_path, siamese, card(TINY))
    export_onnx(tmp_path / TOWER, siamese, saved)
    assert check_folder(tmp_path) == {TOWER: None, WEIGHTS: None}
    (tmp_path / "more.onnx").write_bytes(b"?")
    assert "not in the card" in str(check_folder(tmp_path)["more.onnx"])
    (tmp_path / TOWER).unlink()
    assert check_folder(tmp_path)[TOWER] == "is missing"


@pytest.mark.attack("9")
@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_bit_of_a_tower_is_accepted(exported: Path, data: st.DataObject) -> None:
    content = (exported / TOWER).read_bytes()
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    (exported / TOWER).write_bytes(changed)
    try:
        with pytest.raises(ModelError, match=r"tower.onnx: is not the file of the card"):
            open_model(exported)
    finally:
        (exported / TOWER).write_bytes(content)


@pytest.mark.attack("9")
def test_a_card_without_digests_is_still_read_with_a_warning(
    exported: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(exported, tmp_path / "old")
    values = json.loads((folder / CARD).read_text())
    del values["files"]
    (folder / CARD).write_text(json.dumps(values))
    open_model(folder)
    assert "holds no digest" in caplog.text


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    siamese = build_siamese(TINY, SIZE, 0)
    export_onnx(folder / TOWER, siamese, save_model(folder, siamese, card(TINY)))
    return folder
