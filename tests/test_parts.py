from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import Any

import pytest

from likeness.models.architecture import BACKBONES, COMPARATORS
from likeness.parts import NoParams, Parts
from likeness.training.losses.miners.miner import MINERS
from likeness.training.losses.objective import LOSSES
from likeness.training.samplers.sampler import SAMPLERS

ALL = [BACKBONES, COMPARATORS, LOSSES, MINERS, SAMPLERS]


@pytest.mark.parametrize("parts", ALL, ids=lambda parts: parts.kind)
def test_an_unknown_name_is_refused_with_those_known(parts: Parts[Any]) -> None:
    with pytest.raises(ValueError, match=f"unknown {parts.kind} 'absent'; known are {', '.join(parts.names)}"):
        parts.part("absent")


@pytest.mark.parametrize("parts", ALL, ids=lambda parts: parts.kind)
def test_every_part_has_a_name_and_parameters_of_its_own(parts: Parts[Any]) -> None:
    for name in parts.names:
        assert parts.name_of(parts.part(name)) == name
        fields = dataclasses.fields(parts.kind_of_params(name))
        assert fields[0].name == "name"
        assert all(field.default is not dataclasses.MISSING for field in fields if parts is not MINERS)
        with pytest.raises(TypeError):
            parts.params(name, absent=1)


@pytest.mark.parametrize("parts", ALL, ids=lambda parts: parts.kind)
def test_one_file_holds_at_most_one_part(parts: Parts[Any]) -> None:
    folder = importlib.import_module(parts.package).__path__
    files = [parts.part(name).__module__ for name in parts.names]
    assert len(set(files)) == len(files)
    assert set(files) <= {module.name for module in pkgutil.iter_modules(folder, f"{parts.package}.")}


def test_a_name_is_given_once() -> None:
    parts: Parts[object] = Parts("toy", "likeness.models.comparators")
    parts.register("one")(object)
    assert parts.kind_of_params("one") is NoParams
    with pytest.raises(ValueError, match="two classes are registered as the toy one"):
        parts.register("one")(int)
