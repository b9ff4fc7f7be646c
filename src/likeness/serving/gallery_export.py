"""Writes a gallery for other programs, as JSON, CSV or NPZ."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from likeness.errors import GalleryError
from likeness.files import atomic_path, write_json
from likeness.serving.gallery import Gallery


def export_gallery(target: Path, gallery: Gallery) -> int:
    """Writes each photograph's person and embedding; returns how many there are.

    Args:
        target: its suffix says the form: `.json` {model, photos: [{name, embedding}]}, `.csv` (a row a photograph:
            name, then the embedding), `.npz` (arrays `names`, `embeddings`, `model`).
        gallery: what to write.

    Raises:
        GalleryError: the suffix is another.
        OutputError: the file cannot be written.
    """
    names = [gallery.names[owner] for owner in gallery.owners]
    match target.suffix.lower():
        case ".json":
            rows = zip(names, gallery.embeddings.tolist(), strict=True)
            photos = [{"name": name, "embedding": embedding} for name, embedding in rows]
            write_json(target, {"model": gallery.model, "photos": photos})
        case ".csv":
            with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(["name", *(f"e{i}" for i in range(gallery.embeddings.shape[1]))])
                writer.writerows(
                    [name, *row] for name, row in zip(names, gallery.embeddings.tolist(), strict=True)
                )
        case ".npz":
            with atomic_path(target) as temporary, temporary.open("wb") as stream:
                np.savez(
                    stream, names=np.array(names, dtype=str), embeddings=gallery.embeddings, model=gallery.model
                )
        case _:
            raise GalleryError(f"{target}: expected a file that ends in .json, .csv or .npz")
    return len(names)
