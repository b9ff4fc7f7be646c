"""`data/source.json`: what a source holds, so that DVC sees when to ingest again."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.artifacts.json_file import JsonFile


@dataclass(frozen=True)
class SourceState:
    """What a source holds.

    Attributes:
        source: as in section `data` of params.yaml.
        place: name of the mirror's folder or archive, or its address; None for the official homes.
        files: how many files of the mirror count; None where there is no folder to look into.
        sha256: digest of their paths, sizes and times of modification; None likewise.
    """

    source: str
    place: str | None = None
    files: int | None = None
    sha256: str | None = None


SOURCE_STATE = JsonFile("source.json", SourceState, stage="source")
