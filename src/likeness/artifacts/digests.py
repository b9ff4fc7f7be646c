"""`digests.json` in a stage's folder: the sha256 of the files that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from likeness.artifacts.json_file import JsonFile
from likeness.params import REST


@dataclass(frozen=True)
class Digests:
    """Hex sha256 of files, by path in the folder (faces, split) or by a name (evaluation)."""

    sha256: Mapping[str, str] = field(default_factory=dict, metadata=REST)


DIGESTS = JsonFile("digests.json", Digests)
