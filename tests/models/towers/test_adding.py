"""Outside towers: presets, trial, card and recipe."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from likeness.data.sources import DataParams
from likeness.errors import ModelError
from likeness.experiments.composition import compose_params
from likeness.models.architecture import ModelParams
from likeness.models.embedding import embed_pixels
from likeness.models.network import build_siamese
from likeness.models.preprocess import Preprocess
from likeness.models.towers.adding import TowerCheck, add_tower, check_name, recipe_of, try_tower
from likeness.models.towers.presets import PRESETS
from likeness.models.towers.tower_card import TOWER_CARD, read_tower_card, require_faces, tower_summary
from likeness.params import sections_of
from likeness.training.configuration import check_configuration
from likeness.training.params import TrainParams
from tests.models.samples import faces
from tests.models.towers.samples import random_tower

ROOT = Path(__file__).parents[3]
SIGNATURES: dict[str, dict[str, Any]] = {
    "arcface": {"size": (112, 112), "length": 512},
    "sface": {"size": (112, 112), "length": 128, "batch": 1},
    "facenet": {"size": (160, 160), "length": 512},
    "dlib": {"size": (150, 150), "length": 128},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "conf", tmp_path / "project" / "conf")
    return tmp_path / "project"


def kept(project: Path, trial: TowerCheck, file: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.chdir(project)
    card, recipe = add_tower(trial, file, Path("towers"), Path("conf/recipe"))
    assert recipe is not None
    return card, recipe


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_preset_is_tried_kept_and_used_by_its_recipe(
    name: str, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = random_tower(tmp_path / "any.onnx", **SIGNATURES[name])
    trial = try_tower(file, PRESETS[name])
    card, recipe = kept(project, trial, file, monkeypatch)
    assert recipe == Path("conf/recipe", f"{PRESETS[name].name}.yaml")
    read = read_tower_card(card)
    assert read == trial.card
    assert (read.embedding_dim, read.layout) == (SIGNATURES[name]["length"], "NCHW")
    values = compose_params(project, [f"recipe={recipe.stem}", "data=lfw-deepfunneled"])
    data, model, train = sections_of(values, "composed", DataParams, ModelParams, TrainParams)
    require_faces(model.resolved(), data.cut.shape, data.align, data.crop)
    check_configuration(model, train, data.cut.shape, "restricted")
    siamese = build_siamese(model.resolved(), data.cut.shape, 0)
    pixels = faces(2, data.cut.shape)
    given = embed_pixels(siamese, Preprocess(data.cut.shape), pixels)
    fed = ((pixels - np.float32(read.mean)) * np.float32(read.scale)).transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(str(file))
    expected = np.concatenate([session.run(None, {"faces": face[None]})[0] for face in fed])
    if read.distance == "cosine":
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(given, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("channels_last", [False, True], ids=["NCHW", "NHWC"])
def test_a_card_says_the_order_of_colours_and_a_scale_for_each(tmp_path: Path, channels_last: bool) -> None:
    file = random_tower(tmp_path / "any.onnx", (32, 48), 6, channels_last=channels_last)
    described = dataclasses.replace(
        PRESETS["arcface"],
        **{"size": (32, 48), "colour_order": "bgr", "mean": (104.0, 117.0, 123.0), "scale": (0.01, 0.02, 0.03)},
    )
    trial = try_tower(file, described)
    assert (trial.card.layout, trial.card.embedding_dim) == ("NHWC" if channels_last else "NCHW", 6)
    path, _ = add_tower(trial, file, tmp_path / "towers", None)
    planned = tower_params(path, 6)
    pixels = faces(3, (32, 48, 3))
    given = embed_pixels(build_siamese(planned.resolved(), (32, 48, 3), 0), Preprocess((32, 48, 3)), pixels)
    fed = (pixels[..., ::-1].astype(np.float32) - [104, 117, 123]) * [0.01, 0.02, 0.03]
    fed = np.ascontiguousarray(fed if channels_last else fed.transpose(0, 3, 1, 2), np.float32)
    expected = onnxruntime.InferenceSession(str(file)).run(None, {"faces": fed})[0]
    np.testing.assert_allclose(given, expected, rtol=1e-3, atol=1e-5)


def tower_params(card: Path, length: int) -> ModelParams:
    backbone = {"name": "external", "card": str(card)}
    document = {"model": {"backbone": backbone, "comparator": "euclidean", "embedding_dim": length}}
    (found,) = sections_of(document, "test", ModelParams)
    assert isinstance(found, ModelParams)
    return found


@pytest.mark.parametrize(
    ("size", "changes", "message"),
    [
        (
            (160, 160),
            {},
            r"160×160 pixels in colour, the card says 112×112 in colour; the preset facenet has",
        ),
        ((64, 64), {}, r"64×64 pixels in colour, the card says 112×112 in colour; describe it in a card"),
        ((112, 112), {"channels": 1}, r"in grey, the card says 112×112 in colour"),
        ((112, 112), {"scale": 0.0}, "gives every face the same embedding; check mean and scale"),
        ((112, 112), {"scale": np.nan}, "gives values that are not finite"),
        ((112, 112), {"batch": 4}, "takes exactly 4 faces at a time"),
    ],
)
def test_a_tower_that_fails_its_trial_is_refused(
    tmp_path: Path, size: tuple[int, int], changes: dict[str, Any], message: str
) -> None:
    file = random_tower(tmp_path / "any.onnx", size, 8, **changes)
    with pytest.raises(ModelError, match=message):
        try_tower(file, PRESETS["arcface"])


def test_faces_that_a_tower_was_not_trained_for_are_refused(tmp_path: Path) -> None:
    file = random_tower(tmp_path / "any.onnx", (112, 112), 8)
    path, _ = add_tower(try_tower(file, PRESETS["sface"]), file, tmp_path / "towers", None)
    network = tower_params(path, 8).resolved()
    require_faces(network, (112, 112, 3), "arcface-112", (224, 224))
    wrong = r"set data.size=\[112,112\] \(found \[96,96\]\), data.colour=true \(found false\), "
    with pytest.raises(ModelError, match=wrong + r"data.align=arcface-112 \(found none\), data.crop=\[224,224\]"):
        require_faces(network, (96, 96), "none", None)
    assert network.backbone.towers[0].category == "labelled outside data (tower outside-sface)"
    assert tower_summary([network.backbone]).startswith("outside-sface (Apache-2.0; CASIA-WebFace")


def test_a_file_other_than_that_of_its_card_is_refused(tmp_path: Path) -> None:
    file = random_tower(tmp_path / "any.onnx", (112, 112), 8)
    path, _ = add_tower(try_tower(file, PRESETS["sface"]), file, tmp_path / "towers", None)
    random_tower(path.parent / "tower.onnx", (112, 112), 8, scale=0.2)
    with pytest.raises(ModelError, match="is not the file of its card"):
        build_siamese(tower_params(path, 8).resolved(), (112, 112, 3), 0)
    planned = tower_params(path, 8)
    pinned = dataclasses.replace(planned, backbone=dataclasses.replace(planned.backbone, sha256="0" * 64))
    with pytest.raises(ModelError, match="expected a tower with the sha256 000"):
        pinned.resolved()
    with pytest.raises(ModelError, match="`likeness tower add FILE --preset"):
        tower_params(tmp_path / "none.json", 8).resolved()


def test_the_recipe_of_a_training_of_ones_own_is_left_alone(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    file = random_tower(tmp_path / "any.onnx", (112, 112), 8)
    trial = try_tower(file, dataclasses.replace(PRESETS["arcface"], name="arcface"))
    before = Path("conf/recipe/arcface.yaml").read_text()
    with pytest.raises(ModelError, match="another recipe has the name arcface; choose one with --name"):
        add_tower(trial, file, Path("towers"), Path("conf/recipe"))
    assert Path("conf/recipe/arcface.yaml").read_text() == before
    assert not Path("towers").exists()


def test_the_recipe_dlib_is_what_its_card_says() -> None:
    path = Path("towers/dlib/tower.json")
    shipped = (ROOT / "conf" / "recipe" / "dlib.yaml").read_text()
    pinned = shipped.partition("sha256: ")[2].partition("\n")[0]
    assert shipped == recipe_of(dataclasses.replace(PRESETS["dlib"], sha256=pinned), path)


def test_a_tower_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    for length in (8, 9):
        file = random_tower(tmp_path / "any.onnx", (112, 112), length)
        path, recipe = add_tower(try_tower(file, PRESETS["sface"]), file, tmp_path / "towers", recipes)
    assert TOWER_CARD.read(path).embedding_dim == 9
    assert recipe is not None
    assert "embedding_dim: 9\n" in recipe.read_text()


@pytest.mark.parametrize("name", ["", "../arcface", "Arcface", "a b", "-a", "a" * 41])
def test_a_name_is_that_of_a_folder(name: str) -> None:
    with pytest.raises(ModelError, match="expected a name of small letters"):
        check_name(name)
