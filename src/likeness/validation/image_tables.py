"""The tables of the images themselves that the expectations speak about."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from likeness.data.faceset import FaceSet
from likeness.data.layout import composed
from likeness.data.problems import NO_FACE, PROFILE, SMALL_FACE, TOO_SMALL, UNDECODABLE
from likeness.validation.duplicates import copies
from likeness.validation.params import ValidationParams


def images_table(faces: FaceSet, params: ValidationParams) -> pd.DataFrame:
    """The manifest and what follows from it.

    Returns:
        The manifest with: row; image, the end of the path that identifies it; named_well, whether person and
        number are those in the path; usable; decoded, large_enough, face_found, face_large_enough and
        face_frontal, each of which keeps an image out if false; other_names and repeats, the same photograph
        earlier under other names and under the same ("" if none); twin, the row of the most alike (-1 if none).
    """
    images = faces.manifest["path"].str.split("/").str[-2:].str.join("/").to_numpy(dtype=object)
    people = faces.manifest["person"].to_numpy(dtype=object)
    found = copies(faces, params.duplicate_distance, params.duplicate_correlation)
    rows, twin_rows = found["row"].to_numpy(), found["twin"].to_numpy()
    likeness = zip(images[twin_rows], found["distance"], found["correlation"], strict=True)
    found = found.assign(text=[f"{image} ({bits} bits, r = {r:.3f})" for image, bits, r in likeness])
    across = people[rows] != people[twin_rows]
    table = faces.manifest.assign(row=np.arange(len(faces)), image=images, named_well=_named_well(faces))
    return table.assign(
        other_names=_joined(found[across], len(faces)),
        repeats=_joined(found[~across], len(faces)),
        usable=faces.usable,
        decoded=faces.manifest["problem"] != UNDECODABLE,
        large_enough=faces.manifest["problem"] != TOO_SMALL,
        face_found=faces.manifest["problem"] != NO_FACE,
        face_large_enough=faces.manifest["problem"] != SMALL_FACE,
        face_frontal=faces.manifest["problem"] != PROFILE,
        twin=found.groupby("row")["twin"].first().reindex(table["row"], fill_value=-1).to_numpy(),
    )


def _joined(found: pd.DataFrame, count: int) -> list[str]:
    """The texts of each row's copies, "" where there is none."""
    texts = found.groupby("row")["text"].agg(", ".join)
    return [str(texts.get(row, "")) for row in range(count)]


def _named_well(faces: FaceSet) -> list[bool]:
    """The folder is the person, in a set of folders one of those around it; else the file is `person_0001`."""
    numbered = faces.source.source != "folder"
    return [
        (path.parent.name == person and path.stem == f"{person}_{number:04d}")
        if numbered
        else person in map(composed, path.parent.parts)
        for path, person, number in zip(
            map(PurePosixPath, faces.manifest["path"]),
            faces.manifest["person"],
            faces.manifest["number"],
            strict=True,
        )
    ]


def left_aside_table(faces: FaceSet, params: ValidationParams) -> pd.DataFrame:
    """What was left aside: path, reason, kind; readable, true also where few are not; no_photograph; no_list."""
    unread = faces.aside["kind"] == "unread"
    return faces.aside.assign(
        readable=~unread | (unread.sum() <= params.unread_files),
        no_photograph=faces.aside["kind"] != "photograph",
        no_list=faces.aside["kind"] != "list",
    )


def people_table(faces: FaceSet) -> pd.DataFrame:
    """person, images, numbered_through: whether the images are numbered 1, 2, 3 … without a gap."""
    numbers = faces.manifest.groupby("person", sort=True)["number"]
    table = numbers.agg(images="size", lowest="min", highest="max", different="nunique").reset_index()
    through = (
        (table["lowest"] == 1) & (table["highest"] == table["images"]) & (table["different"] == table["images"])
    )
    return table[["person", "images"]].assign(numbered_through=through)
