"""`source.json` of the ingest stage: where a face set came from and how it was cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from likeness.artifacts.json_file import JsonFile

Alignment = Literal["deep-funneled", "LFW-a", "funneled", "none", "synthetic", "unknown"]
Framing = Literal["detect", "none"]
Checksum = Literal["published", "recorded", "none"]
"""published: equal to the digest its authors gave; recorded: measured here; none: a folder has no digest."""


@dataclass(frozen=True)
class SourceCard:
    """Where a face set came from and how it was cut; holds nothing that changes from one run to the next.

    The counts, `size` and `fingerprint` describe the set itself and are filled in when it is written.
    """

    source: str
    synthetic: bool
    alignment: Alignment
    place: str
    """File name, folder name or URL; never an absolute local path, which would differ between machines."""
    archive_sha256: str | None = None
    checksum: Checksum = "none"
    crop: tuple[int, int] | None = None
    """Height and width in source pixels of the central crop; None for the whole picture."""
    frame: Framing = "none"
    """`detect`: each face was found and framed as in use; `none`: the pictures were taken as framed already."""
    smallest_face: int | None = None
    """With `detect`: the side in pixels that a face needs."""
    collected_images: int = 0
    """How many of the images were collected after the source was published."""
    collected_people: int = 0
    """How many of the people the source itself does not hold."""
    images: int = 0
    people: int = 0
    size: tuple[int, int] = (0, 0)
    """Height and width that are stored."""
    fingerprint: str = ""


SOURCE_CARD = JsonFile("source.json", SourceCard, stage="ingest")
