"""Networks by the names of their parts."""

from __future__ import annotations

import dataclasses
from typing import Any

from likeness.models.architecture import BACKBONES, COMPARATORS, ModelParams

_OWN = {field.name for field in dataclasses.fields(ModelParams)} - {"backbone", "comparator"}


def planned(backbone: str = "koch", comparator: str = "weighted-l1", **values: Any) -> ModelParams:
    """A network's parameters; values that `ModelParams` does not have are the backbone's."""
    own = {key: values.pop(key) for key in _OWN & values.keys()}
    return ModelParams(BACKBONES.params(backbone, **values), COMPARATORS.params(comparator), **own)


def varied(params: ModelParams, comparator: str = "", **values: Any) -> ModelParams:
    """The same with other values, or another comparator with its defaults."""
    own = {key: values.pop(key) for key in _OWN & values.keys()}
    compared = COMPARATORS.params(comparator) if comparator else params.comparator
    backbone = dataclasses.replace(params.backbone, **values)
    return dataclasses.replace(params, backbone=backbone, comparator=compared, **own)
