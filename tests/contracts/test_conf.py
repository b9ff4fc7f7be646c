"""conf/ and params.yaml: every shipped configuration composes, is understood, and fits its protocol."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from likeness.data.sources import DataParams
from likeness.experiments.composition import compose_params
from likeness.models.export import export_onnx
from likeness.models.network import build_siamese
from likeness.models.towers.adding import add_tower, try_tower
from likeness.models.towers.presets import PRESETS
from likeness.operations import read_operations
from likeness.params import keys_of, leaves, load_document, sections_of
from likeness.training.configuration import check_configuration
from pipelines.sections import OPERATIONS, PARAMS
from tests.models.samples import SIZE, TINY, card
from tests.models.towers.samples import random_tower
from tools.defaults import attributes, config

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path.stem for path in (ROOT / "conf" / "recipe").glob("*.yaml"))
SOURCES = sorted(path.stem for path in (ROOT / "conf" / "data").glob("*.yaml"))


def composed(*overrides: str) -> dict[str, Any]:
    return compose_params(ROOT, overrides)


def read(folder: Path, *overrides: str) -> dict[str, Any]:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(composed(*overrides)))
    return dict(zip(PARAMS, sections_of(load_document(path), str(path), *PARAMS.values()), strict=True))


def test_params_yaml_is_the_composition_of_the_defaults() -> None:
    assert yaml.safe_load((ROOT / "params.yaml").read_text()) == composed()


def test_config_yaml_holds_the_defaults_of_the_dataclasses() -> None:
    assert (ROOT / "conf" / "config.yaml").read_text() == config(), "run `make config`"


@pytest.mark.parametrize("kind", PARAMS.values())
def test_every_key_is_described(kind: type[Any]) -> None:
    _, described = attributes(kind)
    assert {field.name for field in dataclasses.fields(kind)} == described.keys()


def test_operations_yaml_names_every_setting_with_its_default(tmp_path: Path) -> None:
    text = (ROOT / "operations.yaml").read_text()
    defaults = tuple(kind() for kind in OPERATIONS)
    assert read_operations(ROOT / "params.yaml", *OPERATIONS) == defaults
    path = tmp_path / "operations.yaml"
    path.write_text(re.sub(r"^  # ", "  ", text, flags=re.MULTILINE))
    assert read_operations(tmp_path / "params.yaml", *OPERATIONS) == defaults
    said = {key for key, _ in leaves(yaml.safe_load(path.read_text()))}
    assert said == {key for kind in OPERATIONS for key in keys_of(kind, kind.SECTION)}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_understood(source: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"data={source}")["data"].source == source


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_can_be_carried_out(recipe: str, tmp_path: Path) -> None:
    """Networks, samplers and losses of all steps can be built, and nothing contradicts the rest."""
    towers = {"external": external_tower, "dlib": dlib_tower}
    more = towers[recipe](tmp_path) if recipe in towers else []
    sections = read(tmp_path, f"recipe={recipe}", "data=lfw-deepfunneled", *more)
    assert sections["recipe"].name == recipe
    shape, protocol = sections["data"].cut.shape, sections["split"].protocol
    check_configuration(sections["model"], sections["train"], shape, protocol)


def dlib_tower(folder: Path) -> list[str]:
    """A random tower in place of dlib's, which is fetched where a user asks for it."""
    file = random_tower(folder / "random.onnx", (150, 150), 128)
    card, _ = add_tower(try_tower(file, PRESETS["dlib"]), file, folder / "towers", None)
    return [f"model.backbone.card={card}", "model.backbone.sha256=null"]


def external_tower(folder: Path) -> list[str]:
    """What a person with a tower of their own says on the command line."""
    path = folder / "own.onnx"
    export_onnx(path, build_siamese(TINY, SIZE, 0), card())
    size = f"[{SIZE[0]},{SIZE[1]}]"
    return [f"model.backbone.onnx={path}", f"model.embedding_dim={TINY.embedding_dim}", f"data.size={size}"]


def test_the_sections_of_a_source_and_a_recipe_meet(tmp_path: Path) -> None:
    sections = read(tmp_path, "data=lfw-deepfunneled", "recipe=koch", "data.mirror=/faces")
    assert sections["data"] == DataParams("lfw-deepfunneled", "/faces", None, (105, 105))
