"""Models of version 0.1, whose cards list the keys of all parts, are read and built as that version built them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from likeness.errors import ParamsError
from likeness.models.architecture import ModelParams
from likeness.models.card import CARD, read_card
from likeness.models.network import build_siamese
from likeness.models.weights import load_model, save_model
from likeness.params import from_mapping
from tests.models.samples import card

FORMER: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "former" / "models.json").read_text())
"""Of one network of each kind: what commit 1a008c5 wrote as `model`, sum and sum of squares of each tensor."""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", [name for name in FORMER if name != "external"])
def test_a_former_network_is_built_with_the_same_weights(name: str) -> None:
    former = FORMER[name]
    built = build_siamese(from_mapping(ModelParams, former["model"], "card"), tuple(former["size"]), 3)
    found = {key: value.double() for key, value in built.state_dict().items() if value.is_floating_point()}
    assert found.keys() == former["tensors"].keys()
    for key, (shape, total, squares) in former["tensors"].items():
        assert list(found[key].shape) == shape
        assert found[key].sum().item() == pytest.approx(total, abs=1e-3), key
        assert found[key].square().sum().item() == pytest.approx(squares, abs=1e-3), key


def test_a_former_external_tower_keeps_its_scaling() -> None:
    read = from_mapping(ModelParams, FORMER["external"]["model"], "card").backbone
    assert (read.name, read.onnx, read.mean, read.scale) == ("external", "tower.onnx", (127.5,), (0.0078125,))


@pytest.mark.parametrize("name", ["koch", "weighted", "ensemble"])
def test_a_folder_of_the_former_format_is_loaded_and_rewritten_in_that_of_now(name: str, tmp_path: Path) -> None:
    former = FORMER[name]
    model = from_mapping(ModelParams, former["model"], "card")
    size = (former["size"][0], former["size"][1])
    written = save_model(tmp_path, build_siamese(model, size, 3), card(model, size))
    values = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(values | {"format": 1, "model": former["model"]}))
    loaded = load_model(tmp_path)
    assert loaded.card == dataclasses.replace(written, format=1)
    save_model(tmp_path / "again", loaded.siamese, loaded.card)
    assert load_model(tmp_path / "again").card == written


def test_the_kept_model_is_still_read() -> None:
    path = ROOT / "pretrained" / "arcface-lfw" / CARD
    assert json.loads(path.read_text())["format"] == 1
    card = read_card(path)
    assert card.model.backbone.name == "residual"
    assert [point.fmr for point in card.decision.fmr_table] == [0.1, 0.01, 0.001]


def test_former_keys_beside_a_part_of_now_are_refused() -> None:
    with pytest.raises(ParamsError, match="width: unknown key"):
        from_mapping(ModelParams, {"backbone": {"name": "residual"}, "width": 0.5}, "params.yaml")
