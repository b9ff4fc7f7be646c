"""`source.json` of the ingest stage: where a face set came from and how it was cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from likeness.artifacts.json_file import JsonFile

LandmarkFraming = Literal["lfw-landmarks", "arcface-112", "dlib-150"]
Alignment = Literal["deep-funneled", "LFW-a", "funneled", "none", "synthetic", "unknown", LandmarkFraming]
"""How the stored faces are aligned: as the source is, or by landmarks."""
Framing = Literal["none", "lfw-frame", LandmarkFraming]
"""How faces are found and framed, see `likeness.faces.alignments`; none: the pictures are framed already."""
LFW_FRAMINGS: frozenset[Framing] = frozenset({"lfw-frame", "lfw-landmarks"})
"""Those that put a face where LFW's pictures have it, so that one network takes the pictures of all of them."""
FaceChoice = Literal["largest", "central"]
"""Which face of a photograph is framed: the largest clear one, or the one nearest to the middle."""
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
    align: Framing = "none"
    """How the face of each photograph was found and framed; `none`: they were taken as framed already."""
    smallest_face: int | None = None
    """Where faces are looked for: the side in pixels that one needs."""
    collected_images: int = 0
    """How many of the images were collected after the source was published."""
    collected_people: int = 0
    """How many of the people the source itself does not hold."""
    images: int = 0
    people: int = 0
    size: tuple[int, ...] = (0, 0)
    """Height and width that are stored, and 3 where they are stored in colour."""
    fingerprint: str = ""

    @staticmethod
    def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
        """`frame: detect` was the only way before."""
        return upgraded_framing(values)


def upgraded_framing(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values with `align` in place of the former `frame: detect` or `frame: none`."""
    if "frame" not in values:
        return values
    rest = {key: value for key, value in values.items() if key != "frame"}
    return {"align": "lfw-frame" if values["frame"] == "detect" else values["frame"], **rest}


SOURCE_CARD = JsonFile("source.json", SourceCard, stage="ingest")
