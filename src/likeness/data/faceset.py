"""The face set: every image of a source as one memory-mapped array, with a table that says what each row is.

A folder holds `pixels.npy` (uint8 [N, H, W], or [N, H, W, 3] in colour), `manifest.parquet` (one row an image, in
the same order), `source.json` (where it came from), `lists/*.txt` (the official pair and people lists, if any) and
`digests.json`.
One array instead of N files: tracking, copying and reading the set cost the same for ten images and for a million.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from likeness.artifacts.manifest import ASIDE, MANIFEST, PIXELS, usable
from likeness.artifacts.source_card import SOURCE_CARD, Framing, SourceCard
from likeness.data.digests import check_digests, write_digests
from likeness.data.problems import PROBLEMS
from likeness.errors import DataError
from likeness.files import replaced_folder, write_text

LISTS = "lists"
COLLECTED = ".collected/"
"""Start of the path of each image that was collected after its source was published."""


@dataclass(frozen=True)
class FaceSet:
    """A face set in memory: row i of `pixels` is row i of `manifest`.

    Attributes:
        pixels: uint8 [N, H, W] or RGB [N, H, W, 3], read-only memory map; a row that is not usable is all zero.
        manifest: N rows with the columns of `MANIFEST`, sorted by (person, number), indexed 0..N-1.
        source: where it came from.
        lists: official list files that came with it, by file name.
        aside: the files of the source that were not ingested, a table of `ASIDE`.
    """

    pixels: npt.NDArray[np.uint8]
    manifest: pd.DataFrame
    source: SourceCard
    lists: Mapping[str, Path] = field(default_factory=dict)
    aside: pd.DataFrame = field(default_factory=lambda: _aside_table(()))

    @classmethod
    def open(cls, folder: Path) -> FaceSet:
        """Opens a face set that `create` or the ingest stage wrote.

        Raises:
            DataError: a file is missing or unreadable, the files do not belong together, or one of them is not
                what the ingest stage wrote.
        """
        try:
            pixels = np.load(folder / PIXELS, mmap_mode="r")
            manifest = MANIFEST.read(folder / MANIFEST.name)
            source = SOURCE_CARD.read(folder / SOURCE_CARD.name)
        except Exception as error:  # whatever a damaged file makes numpy, pandas and pyarrow raise
            raise DataError(f"{folder}: is no readable face set ({error}); run the ingest stage again") from error
        _check(folder, pixels, manifest)
        lists = {path.name: path for path in sorted((folder / LISTS).glob("*.txt"))}
        aside = ASIDE.find(folder / ASIDE.name)  # version 0.1 wrote no such table
        check_digests(folder, "ingest")
        return cls(pixels, manifest, source, lists, _aside_table(()) if aside is None else aside)

    @classmethod
    def create(
        cls,
        folder: Path,
        pixels: npt.NDArray[np.uint8],
        manifest: pd.DataFrame,
        source: SourceCard,
        lists: Mapping[str, str] | None = None,
    ) -> FaceSet:
        """Writes a face set that is already in memory, in place of what `folder` held, and opens it.

        Args:
            folder: where to.
            pixels: uint8 [N, H, W] or [N, H, W, 3].
            manifest: N rows with the columns of `MANIFEST`, sorted by (person, number).
            source: its counts, size and fingerprint are filled in here.
            lists: text of the official list files by file name.

        Raises:
            DataError: pixels and manifest do not fit.
            OutputError: the folder cannot be written; what it held is intact.
        """
        _check(folder, pixels, manifest)
        with replaced_folder(folder) as temporary:
            np.save(temporary / PIXELS, pixels)
            finish_face_set(temporary, manifest, source, lists or {})
        return cls.open(folder)

    def __len__(self) -> int:
        return len(self.manifest)

    @property
    def size(self) -> tuple[int, ...]:
        """Shape of a stored image: height and width, and 3 in colour."""
        return tuple(map(int, self.pixels.shape[1:]))

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which rows, bool [N], have pixels; the manifest says why the others have none."""
        return usable(self.manifest)

    @property
    def collected(self) -> npt.NDArray[np.bool_]:
        """Which rows, bool [N], were collected after the source was published."""
        return self.manifest["path"].str.startswith(COLLECTED).to_numpy(bool)

    def rows_of_people(self) -> dict[str, npt.NDArray[np.int64]]:
        """Rows of each person's images in the order of their numbers; people in the order of the manifest."""
        groups = self.manifest.groupby("person", sort=False).indices
        return {str(person): np.asarray(rows, np.int64) for person, rows in groups.items()}

    def rows_by_name(self) -> dict[tuple[str, int], int]:
        """Row of each (person, number): how an image that a pair list names is found."""
        names = zip(self.manifest["person"], self.manifest["number"].tolist(), strict=True)
        return {name: row for row, name in enumerate(names)}


def problem_counts(manifest: pd.DataFrame) -> dict[str, int]:
    """How many images each of `PROBLEMS` keeps out."""
    return {problem: int((manifest["problem"] == problem).sum()) for problem in PROBLEMS}


def finish_face_set(
    folder: Path, manifest: pd.DataFrame, source: SourceCard, lists: Mapping[str, str]
) -> SourceCard:
    """Writes manifest, lists and source card beside a `pixels.npy`; returns the card with its counts filled in."""
    pixels = np.load(folder / PIXELS, mmap_mode="r")
    _check(folder, pixels, manifest)
    size = tuple(map(int, pixels.shape[1:]))
    is_collected = manifest["path"].str.startswith(COLLECTED)
    card = dataclasses.replace(
        source,
        collected_images=int(is_collected.sum()),
        collected_people=len(set(manifest["person"][is_collected]) - set(manifest["person"][~is_collected])),
        images=len(manifest),
        people=int(manifest["person"].nunique()),
        size=size,
        fingerprint=fingerprint(manifest, source.crop, size, lists, source.smallest_face, source.align),
    )
    MANIFEST.write(folder / MANIFEST.name, manifest)
    for name, text in lists.items():
        write_text(folder / LISTS / name, text)
    SOURCE_CARD.write(folder / SOURCE_CARD.name, card)
    write_digests(folder)
    return card


def fingerprint(
    manifest: pd.DataFrame,
    crop: tuple[int, int] | None,
    size: tuple[int, ...],
    lists: Mapping[str, str],
    smallest_face: int | None = None,
    align: Framing = "none",
) -> str:
    """Hex sha256 of what a training can see: the image files, how they were cut, and the lists.

    Independent of the order of rows and of the name of the archive's root folder, so that the same images
    from a tar, a zip or a folder have one fingerprint.
    """
    cut: dict[str, object] = {"crop": crop, "size": size}
    if smallest_face is not None:
        cut["smallest_face"] = smallest_face
    if align not in ("none", "lfw-frame"):  # the only ones of version 0.1, whose fingerprints stay valid
        cut["align"] = align
    digest = hashlib.sha256(json.dumps(cut).encode())
    paths = ("/".join(path.split("/")[-2:]) for path in manifest["path"])
    for path, content in sorted(zip(paths, manifest["sha256"], strict=True)):
        digest.update(f"{path}\0{content}\n".encode())
    for name in sorted(lists):
        digest.update(f"{name}\0{hashlib.sha256(lists[name].encode()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _check(folder: Path, pixels: npt.NDArray[np.uint8], manifest: pd.DataFrame) -> None:
    """Refuses an array and a table that are not one face set."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or pixels.shape[3:] not in ((), (3,)):
        found = f"{pixels.dtype} {list(pixels.shape)}"
        raise DataError(
            f"{folder / PIXELS}: expected uint8 [N, H, W] or [N, H, W, 3], found {found}; "
            "run the ingest stage again"
        )
    if len(pixels) != len(manifest):
        found = f"{PIXELS} has {len(pixels)} rows but {MANIFEST.name} {len(manifest)}"
        raise DataError(f"{folder}: {found}; run the ingest stage again")
    wrong = [
        f"{name} ({manifest[name].dtype if name in manifest else 'missing'} instead of {kind})"
        for name, kind in MANIFEST.columns.items()
        if name not in manifest or manifest[name].dtype != kind
    ]
    if wrong:
        raise DataError(f"{folder / MANIFEST.name}: wrong columns: {', '.join(wrong)}; run the ingest stage again")


def write_left_aside(folder: Path, aside: Sequence[tuple[str, str, str]]) -> None:
    """Writes the list of what was left aside: path, reason and kind of each file, see `LeftAside`.

    Raises:
        OutputError: it cannot be written.
    """
    ASIDE.write(folder / ASIDE.name, _aside_table(aside))


def _aside_table(aside: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    columns = list(ASIDE.columns)
    return pd.DataFrame(list(aside), columns=columns, dtype="str").sort_values(columns, ignore_index=True)
