"""A face set of a few random pictures, for tests that need one of the real kind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from likeness.artifacts.manifest import MANIFEST, NO_FACE_COLUMNS
from likeness.artifacts.source_card import SourceCard
from likeness.data.faceset import FaceSet


def tiny_manifest(people: Mapping[str, int]) -> pd.DataFrame:
    """A flawless manifest of so many images a person; each row has its own sha256 and perceptual hash."""
    names = [(person, number + 1) for person in sorted(people) for number in range(people[person])]
    digests = [hashlib.sha256(f"{person} {number}".encode()).hexdigest() for person, number in names]
    columns = {
        "person": [person for person, _ in names],
        "number": [number for _, number in names],
        "path": [f"lfw2/{person}/{person}_{number:04d}.jpg" for person, number in names],
        "bytes": 8_000,
        "width": 250,
        "height": 250,
        "mode": "L",
        "sha256": digests,
        "phash": [digest[:16] for digest in digests],
        "brightness": 0.5,
        "contrast": 0.2,
        "sharpness": 500.0,
        "other_faces": 0,
        **NO_FACE_COLUMNS,
        "problem": "",
        "error": "",
    }
    return pd.DataFrame(columns).astype(dict(MANIFEST.columns))


def tiny_faceset(
    folder: Path,
    people: Mapping[str, int],
    size: tuple[int, int] = (8, 8),
    lists: Mapping[str, str] | None = None,
    seed: int = 0,
) -> FaceSet:
    """Writes a face set of random pixels and opens it."""
    manifest = tiny_manifest(people)
    pixels = np.random.default_rng(seed).integers(0, 256, (len(manifest), *size), dtype=np.uint8)
    source = SourceCard(source="folder", synthetic=False, alignment="unknown", place="tiny")
    return FaceSet.create(folder, pixels, manifest, source, lists)
