"""A training from a new seed, for another random draw: one line of params.yaml changes, nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from likeness.errors import ParamsError
from likeness.files import write_text
from likeness.yaml_file import parse_yaml

_SEED = re.compile(
    r"(^train:[^\n]*\n"
    r"(?:[ \t][^\n]*\n|[ \t]*(?:#[^\n]*)?\n)*?"  # other keys, comments, blank lines
    r"[ \t]+seed:[ \t]*)(\d+)",
    re.MULTILINE,
)


def next_seed(params: Path) -> int:
    """Raises train.seed by one; returns it.

    Raises:
        ParamsError: the file has no such line.
    """
    text = params.read_text(encoding="utf-8")
    before = parse_yaml(text, str(params))
    found = _SEED.search(text)
    seed = int(found[2]) + 1 if found else 0
    changed = _SEED.sub(lambda match: f"{match[1]}{seed}", text, count=1)
    after = parse_yaml(changed, str(params))
    if found is None or after != before | {"train": before["train"] | {"seed": seed}}:
        raise ParamsError(f"{params}: expected a line `seed: NUMBER` right below `train:`; set it by hand")
    write_text(params, changed)
    return seed
