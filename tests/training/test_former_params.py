"""Sections of params.yaml as version 0.1 wrote them are read as the recipes of now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from likeness.experiments.composition import compose_params
from likeness.models.architecture import ModelParams
from likeness.params import sections_of
from likeness.training.params import TrainParams
from likeness.training.plan import networks_of

ROOT = Path(__file__).parents[2]
FORMER = json.loads((Path(__file__).parent / "former" / "recipes.json").read_text())
"""Model and train sections of every recipe, composed by commit 1a008c5."""


CHANGED = {"own-photographs"}  # its tower is another one since
SINCE = ["train.cohort=null"]  # what recipes have now, and the others' default


@pytest.mark.parametrize("recipe", sorted(FORMER.keys() - CHANGED))
def test_former_sections_are_read_as_those_of_the_recipe(recipe: str) -> None:
    read = [
        sections_of(document, "params.yaml", ModelParams, TrainParams)
        for document in (FORMER[recipe], compose_params(ROOT, [f"recipe={recipe}", *SINCE]))
    ]
    former, present = ([model, training, networks_of(model, training)] for model, training in read)
    assert former == present
