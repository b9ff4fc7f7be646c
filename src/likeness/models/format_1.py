"""The `model` section of version 0.1, in cards and in params.yaml: one flat list of the keys of all parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BACKBONES = {
    "koch": ("width", "batch_norm", "first_bias", "dropout", "dense_std"),
    "light-cnn": ("width", "batch_norm", "dropout"),
    "mobilenet-v2": ("width", "dense_head", "dropout"),
    "residual": ("width", "depth", "dense_head", "dropout"),
    "ensemble": ("members", "shares"),
}
_FLAT = frozenset(key for keys in _BACKBONES.values() for key in keys) | {"external"}


def upgraded_model(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The section under the keys of now: with what the chosen backbone and comparator read below them.

    Keys of other parts, which version 0.1 listed too, are left out. A section of now is returned as it is.
    """
    name, comparator = values.get("backbone"), values.get("comparator")
    found = {key: value for key, value in values.items() if key in _FLAT}
    if not isinstance(name, str) or not found:
        return values
    kept = {key: value for key, value in values.items() if key not in found}
    own = {key: found[key] for key in _BACKBONES.get(name, ()) if key in found}
    if name == "external" and isinstance(found.get("external"), Mapping):
        own = dict(found["external"])
    kept["backbone"] = {"name": name, **own}
    if comparator == "weighted-l1" and "dense_std" in found:
        kept["comparator"] = {"name": comparator, "weight_std": found["dense_std"]}
    return kept
