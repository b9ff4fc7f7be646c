"""Stage 1: the images of any source become one packed pixel store with its manifest."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from likeness.artifacts.manifest import ASIDE, MANIFEST, PIXELS, usable
from likeness.artifacts.source_card import Alignment, SourceCard
from likeness.data.archive import open_reader
from likeness.data.archive_members import AsideKind, LeftAside
from likeness.data.collected import Collected
from likeness.data.cores import available_cores
from likeness.data.faceset import COLLECTED, finish_face_set, problem_counts, write_left_aside
from likeness.data.image_packing import pack
from likeness.data.layout import Layout, folder_layout, is_list, is_picture, lfw_layout, people_of, why_left_aside
from likeness.data.pixel_writer import sort_rows
from likeness.data.problems import NO_FACE, PROBLEMS, SMALL_FACE, TOO_SMALL
from likeness.data.source_location import Located
from likeness.data.sources import VARIANTS, DataParams
from likeness.errors import DataError
from likeness.files import replaced_folder

log = logging.getLogger(__name__)

LFW_IMAGES = 13_233
_AS_GRAVE: Sequence[AsideKind] = ("unread", "list", "photograph", "other")


@dataclass(frozen=True)
class Ingested:
    """What an ingest did, and how long it took.

    Attributes:
        card: of the face set.
        problems: how many images have each problem.
        left_aside: files that were left aside.
        seconds: that it took.
        detection_share: of its processes' time, spent on finding and framing faces.
    """

    card: SourceCard
    problems: Mapping[str, int]
    left_aside: int
    seconds: float
    detection_share: float

    def figures(self) -> dict[str, float]:
        """Counts and speed, by name."""
        return {
            "images": self.card.images,
            "people": self.card.people,
            **{problem.replace(" ", "_"): count for problem, count in self.problems.items()},
            "left_aside": self.left_aside,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.card.images / self.seconds, 1),
            "detection_share": round(self.detection_share, 3),
            "cores": available_cores(),
        }


def ingest(
    located: Located,
    params: DataParams,
    out: Path,
    workers: int | None = None,
    collected: Collected | None = None,
) -> Ingested:
    """Reads every image of a source in one pass and writes the face set to `out` in place of what it held.

    At most a few batches of pictures are in memory, whatever their number; of each image less than 1 kB of
    manifest stays.

    Args:
        located: the source.
        params: how it is cut.
        out: folder of the face set.
        workers: processes that decode, one a core if None.
        collected: photographs that came since; they are numbered on after their person's images in the source.

    Raises:
        ArchiveError: the archive is truncated, damaged or not to be trusted.
        DataError: it holds no usable image, images of one person only, or two images of one name.
        OutputError: `out` cannot be written. In each case `out` is left as it was.
    """
    started = time.perf_counter()
    processes = workers or available_cores()
    layout = folder_layout if params.source == "folder" else lfw_layout
    selection = _Selection(layout, located.lists)
    reader = open_reader(located.images, selection)
    with replaced_folder(out) as fresh:
        files = chain(reader, collected or ())
        total = LFW_IMAGES if params.source in VARIANTS else None
        table = pack(files, fresh / PIXELS, params, processes, total)
        _refuse_useless(located.place, table, selection)
        manifest, order = _manifest(table, layout, located.place)
        sort_rows(fresh / PIXELS, order)
        aside = [*reader.aside, *selection.aside]
        write_left_aside(fresh, aside)
        card = finish_face_set(fresh, manifest, _card(located, params, reader.sha256), located.lists)
    problems = problem_counts(manifest)
    _report(located.place, manifest, problems, aside)
    _report_several_faces(manifest, params)
    seconds = time.perf_counter() - started
    done = Ingested(card, problems, len(aside), seconds, table["face_seconds"].sum() / (seconds * processes))
    log.info(
        "%.0f images/s, %.0f %% of the time for finding faces", len(manifest) / seconds, 100 * done.detection_share
    )
    return done


class _Selection:
    """Selects the photographs of a source, and notes what is left aside and why.

    Args:
        layout: of the source.
        lists: names of files that are read as lists.
    """

    def __init__(self, layout: Layout, lists: Collection[str] = ()) -> None:
        self.aside: list[LeftAside] = []
        self.layout = layout
        self._lists = lists

    def __call__(self, path: str) -> bool:
        if self.layout(path) is not None:
            return True
        if path.rpartition("/")[2] not in self._lists:
            kind: AsideKind = "photograph" if is_picture(path) else "list" if is_list(path) else "other"
            self.aside.append(LeftAside(path, why_left_aside(path), kind))
        return False


def _refuse_useless(place: str, table: pd.DataFrame, selection: _Selection) -> None:
    """Refuses a source of which nothing can be learned, before anything else is done with it."""
    if table.empty:
        form = "NAME/NAME_0001.jpg" if selection.layout is lfw_layout else "NAME/anything.jpg"
        aside = selection.aside
        others = f"{len(aside)} other files, such as {aside[0].path!r} ({aside[0].reason})" if aside else "no file"
        raise DataError(
            f"{place}: expected photographs as {form}, found none, but {others}; "
            "check data.source and data.mirror in params.yaml"
        )
    if not usable(table).any():
        first = table.iloc[0]
        raise DataError(
            f"{place}: none of its {len(table)} images is usable; the first, {first['path']}: {first['error']}"
            + _advice(set(table["problem"]))
        )


def _advice(problems: set[str]) -> str:
    """What helps where pictures are framed already, or smaller than the recipe's crop."""
    if problems & {NO_FACE, SMALL_FACE}:
        return (
            "; pictures that show nothing but a face already need data.align=none and, where they are smaller "
            'than the crop, data.crop=null (make folder MIRROR=… SET="data.align=none data.crop=null")'
        )
    if TOO_SMALL in problems:
        return "; with data.crop=null the whole picture is taken, with data.align=lfw-landmarks the face is found"
    return ""


def _manifest(table: pd.DataFrame, layout: Layout, place: str) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """The manifest sorted by (person, number), and for each of its rows the row of `table` that it was."""
    is_collected = table["path"].str.startswith(COLLECTED)
    base = _base_images(table[~is_collected], layout, place)
    named = pd.concat([base, _collected_images(table[is_collected], base)]).sort_values(["person", "number"])
    order = named.index.to_numpy(np.int64)
    people = named["person"].unique()
    if len(people) == 1:
        raise DataError(f"{place}: holds images of one person only ({people[0]}); verification needs two or more")
    named = named.reset_index(drop=True)
    return named[list(MANIFEST.columns)].astype(dict(MANIFEST.columns)), order


def _base_images(table: pd.DataFrame, layout: Layout, place: str) -> pd.DataFrame:
    """The source's own images with person and number; the index stays."""
    found = people_of(list(table["path"])) if layout is folder_layout else map(layout, table["path"])
    named = _with_names(table, found).sort_values(["person", "number", "path"])
    twice = named[named.duplicated(["person", "number"])]
    if len(twice):
        raise DataError(
            f"{place}: holds image {twice['number'].iloc[0]} of {twice['person'].iloc[0]} more than once"
        )
    return named


def _collected_images(table: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Collected images, numbered on in the order of their arrival and named like those of the source."""
    named = _with_names(table, (folder_layout(path.removeprefix(COLLECTED)) for path in table["path"]))
    last = base.groupby("person")["number"].max()
    named["number"] = named["person"].map(last).fillna(0).astype(int) + named.groupby("person").cumcount() + 1
    parts = zip(named["person"], named["number"], named["path"], strict=True)
    named["path"] = [
        f"{COLLECTED}{person}/{person}_{number:04d}{Path(path).suffix}" for person, number, path in parts
    ]
    return named


def _with_names(table: pd.DataFrame, found: Iterable[tuple[str, int] | None]) -> pd.DataFrame:
    names = pd.DataFrame(list(found), table.index, columns=["person", "number"])
    return pd.concat([names, table], axis="columns")


def _card(located: Located, params: DataParams, archive_sha256: str | None) -> SourceCard:
    synthetic = params.source == "synthetic"
    alignment: Alignment = "synthetic" if synthetic else "unknown"
    if params.align != "none" and params.align != "lfw-frame":
        alignment = params.align
    elif params.source in VARIANTS:
        alignment = VARIANTS[params.source].alignment
    elif params.align != "none":
        alignment = "none"
    return SourceCard(
        source=params.source,
        synthetic=synthetic,
        alignment=alignment,
        place=located.place,
        archive_sha256=archive_sha256,
        checksum=located.checksum,
        crop=params.crop,
        align=params.align,
        smallest_face=params.framed_face,
    )


def _report(place: str, manifest: pd.DataFrame, problems: Mapping[str, int], aside: Sequence[LeftAside]) -> None:
    log.info("%s: %d images of %d people", place, len(manifest), manifest["person"].nunique())
    for problem, count in problems.items():
        if count:
            first = manifest[manifest["problem"] == problem].iloc[0]
            log.warning("%d images %s, such as %s: %s", count, PROBLEMS[problem], first["path"], first["error"])
    if sum(problems.values()) > len(manifest) / 2:
        log.warning("more than half of the images are left out%s", _advice({p for p, n in problems.items() if n}))
    if aside:
        path, reason, _ = min(aside, key=lambda one: _AS_GRAVE.index(one.kind))
        log.warning("%d files were left aside (%s), such as %s: %s", len(aside), ASIDE.name, path, reason)


def _report_several_faces(manifest: pd.DataFrame, params: DataParams) -> None:
    several = int((manifest["other_faces"] > 0).sum())
    if several:
        taken = "largest clear one" if params.face == "largest" else "one nearest to the middle"
        log.warning("%d photographs show several faces; the %s of each was taken", several, taken)
