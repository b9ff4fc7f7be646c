"""A training from a new seed, for another random draw: one value of params.yaml changes, nothing else."""

from __future__ import annotations

from pathlib import Path

import yaml

from likeness.errors import ParamsError
from likeness.files import write_text
from likeness.yaml_file import parse_yaml, read_yaml


def next_seed(params: Path) -> int:
    """Raises train.seed by one; returns it.

    Raises:
        ParamsError: the file has no such seed, or would come to say something else besides.
    """
    before = read_yaml(params)
    train = before.get("train") if isinstance(before, dict) else None
    seed = train.get("seed") if isinstance(train, dict) else None
    if type(seed) is not int:
        raise ParamsError(f"{params}: expected a whole number as train.seed, found {seed!r}; set it by hand")
    text = params.read_text(encoding="utf-8-sig")
    changed = _with_value(text, ("train", "seed"), str(seed + 1))
    if parse_yaml(changed, str(params)) != before | {"train": before["train"] | {"seed": seed + 1}}:
        raise ParamsError(f"{params}: train.seed cannot be raised without changing other values; set it by hand")
    write_text(params, changed)
    return seed + 1


def _with_value(text: str, keys: tuple[str, ...], value: str) -> str:
    """The text with another scalar at nested keys; unchanged where a merge (`<<`) brings the key."""
    node: yaml.Node | None = yaml.compose(text, yaml.SafeLoader)
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((inner for name, inner in pairs if name.value == key), None)
    return text if node is None else text[: node.start_mark.index] + value + text[node.end_mark.index :]
