"""Chapter: the photographs, the pairs made of them, and what validation found."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from likeness.artifacts.manifest import usable
from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.split import SharedCounts, SplitCard, SplitName
from likeness.artifacts.validation_record import Finding, ValidationRecord
from likeness.data.faceset import problem_counts
from likeness.data.problems import PROBLEMS
from likeness.data.sources import VARIANTS
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import Block, Column, Facts, FigureGroup, Note, Picture, Prose, Section, Table
from likeness.reporting.figures.faces import images_per_person, photograph_quality
from likeness.reporting.inline import quoted
from likeness.reporting.params import ReportParams
from likeness.reporting.wording import count, number, percent, size

_SHEET_COLUMNS = 12
SPLITS: tuple[SplitName, ...] = ("train", "holdout", "test")
_CHECKSUMS = {
    "published": "equal to the published one",
    "recorded": "measured here, there is no published one to hold it against",
    "none": "none, the images came from a folder",
}


def faces_section(artefacts: Artefacts, params: ReportParams) -> Section:
    """Images, people, images per person, quality, pairs per class and split, validation."""
    manifest = artefacts.manifest
    counts = manifest["person"].value_counts()
    blocks: list[Block] = [
        Facts(_source_facts(artefacts.source, manifest)),
        *_sheet(artefacts, params.sample),
        FigureGroup([images_per_person(counts.to_numpy()), photograph_quality(manifest)]),
        _most_photographed(counts),
        *_pairs(artefacts.split),
        *_validation(artefacts.validation, params.rows),
    ]
    return Section("faces", "The photographs", blocks)


def _source_facts(source: SourceCard, manifest: pd.DataFrame) -> list[tuple[str, str]]:
    per_person = manifest["person"].value_counts()
    sizes = manifest.loc[usable(manifest), ["height", "width"]].value_counts()
    common = f"{size(sizes.index[0])} ({percent(sizes.iloc[0] / sizes.sum(), 0)} of them)" if len(sizes) else "–"
    return [
        ("Source", f"{quoted(source.source)} from {quoted(source.place)}"),
        ("Kind", "drawn by a generator, no person is shown" if source.synthetic else "photographs of people"),
        ("Alignment", str(source.alignment)),
        ("Images", _images(manifest)),
        ("People", count(len(per_person))),
        (
            "Images per person",
            f"{number(per_person.min())} to {number(per_person.max())}, median {number(per_person.median())}, "
            f"mean {number(per_person.mean(), 3)}",
        ),
        ("Size as delivered", f"{common}, height × width in pixels"),
        ("Framing", _framing(source, manifest)),
        ("Cut", f"central {size(source.crop)}" if source.crop else "the whole picture"),
        ("Stored", f"{size(source.size)} gray, 8 bits"),
        ("Archive sha256", f"{quoted(source.archive_sha256 or 'none')}, {_CHECKSUMS[source.checksum]}"),
        ("Fingerprint", quoted(source.fingerprint)),
    ]


def _framing(source: SourceCard, manifest: pd.DataFrame) -> str:
    """How the faces came to the middle of their pictures."""
    if source.align == "none":
        return "none: the pictures were taken as framed already"
    several = int((manifest["other_faces"] > 0).sum())
    text = f"each face was found as `likeness verify` finds it, from {source.smallest_face} pixels a side on"
    taken = "the one nearest to the middle" if source.source in VARIANTS else "the largest clear one"
    return text + (f"; {count(several)} photographs show several, of which {taken}" if several else "")


def _images(manifest: pd.DataFrame) -> str:
    """How many there are, and how many of them are left out and why."""
    left_out = [f"{count(found)} {PROBLEMS[kind]}" for kind, found in problem_counts(manifest).items() if found]
    return f"{count(len(manifest))}, {'of which ' + ' and '.join(left_out) if left_out else 'all usable'}"


def _sheet(artefacts: Artefacts, wanted: int) -> list[Block]:
    """Faces as stored, evenly spread over the manifest, so that the sheet is the same at every run."""
    rows = np.flatnonzero(usable(artefacts.manifest))
    if not wanted or not len(rows):
        return []
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(wanted, len(rows))).round().astype(int))]
    alt = f"{len(chosen)} faces as they are stored"
    caption = f"What the network sees: {len(chosen)} of the stored crops, evenly spread over the set."
    return [Picture("sheet", contact_sheet(artefacts.pixels[chosen]), alt, caption)]


def contact_sheet(faces: npt.NDArray[np.uint8], columns: int = _SHEET_COLUMNS) -> bytes:
    """Faces uint8 [n, H, W] or [n, H, W, 3] side by side as one PNG."""
    number, height, width, *channels = faces.shape
    lines = -(-number // columns)
    sheet = np.full((lines * columns, height, width, *channels), 255, np.uint8)
    sheet[:number] = faces
    tiled = sheet.reshape(lines, columns, height, width, *channels).swapaxes(1, 2)
    tiled = tiled.reshape(lines * height, columns * width, *channels)
    stream = io.BytesIO()
    Image.fromarray(tiled).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _most_photographed(counts: pd.Series[int]) -> Prose:
    top = counts.sort_values(ascending=False, kind="stable").head(5)
    names = ", ".join(f"{quoted(str(name))} ({count(images)})" for name, images in top.items())
    share = counts.sort_values(ascending=False).head(max(1, len(counts) // 100)).sum() / counts.sum()
    return Prose(
        f"Most photographed: {names}. The most photographed one per cent of the people hold {percent(share, 0)} "
        "of the images, so that a sampler which takes every image alike would train on a few faces."
    )


def _pairs(split: SplitCard) -> list[Block]:
    names = ("pairs", "same", "different", "people", "images")
    columns = [Column("split"), *(Column(name, True) for name in names)]
    rows = [[side, *(count(getattr(split.splits[side], name)) for name in names)] for side in SPLITS]
    origin = f"the lists {', '.join(split.lists)}" if split.lists else "pairs drawn by the same protocol"
    blocks: list[Block] = [Table(columns, rows, f"Pairs per class and split, from {origin}, view {split.view}.")]
    known = {name: counts for name, counts in split.identities.items() if counts}
    if known:
        text = "; ".join(
            f"{name}: {count(counts.images)} images of {count(counts.people)} people"
            for name, counts in known.items()
        )
        blocks.append(Prose(f"Unrestricted: beside the pairs, training knows who is on these images. {text}."))
    return [*blocks, _disjoint(split.shared)]


def _disjoint(shared: SharedCounts) -> Prose:
    people = sum(shared.people.values())
    text = f"People on two sides: **{people}**, counted over {', '.join(shared.people)}."
    twins = {key: value for key, value in shared.identical_files.items() if value}
    if twins:
        listed = ", ".join(f"{key}: {value}" for key, value in twins.items())
        text += f" The same image file has two names, on two sides ({listed}); the lists are used as they are."
    return Prose(text)


def _validation(validation: ValidationRecord | None, most: int) -> list[Block]:
    if validation is None:
        return [Note("What validation found is missing here: `validation.json` was not there.", "missing")]
    findings = validation.expectations
    failed = [finding for finding in findings if not finding.success]
    summary = f"Validation: {len(findings) - len(failed)} of {len(findings)} expectations hold."
    columns = [Column("expectation"), Column("about"), Column("severity"), Column("holds"), Column("found")]
    rows = [[quoted(f.name), f.table, f.severity, "yes" if f.success else "no", f.observed] for f in findings]
    bad = frozenset(place for place, finding in enumerate(findings) if not finding.success)
    blocks: list[Block] = [Table(columns, rows, summary, strong=bad, folded=len(findings) > 12)]
    return blocks + [block for finding in failed for block in _offenders(finding, most)]


def _offenders(finding: Finding, most: int) -> list[Block]:
    rows, total = finding.offenders, finding.total
    text = f"**Does not hold ({finding.severity}):** {finding.expected.rstrip('.')}. Found: {finding.observed}."
    if not rows:
        return [Note(text, "warning")]
    names = [name for name in rows[0] if name not in ("row", "twin")]
    columns = [Column(name, all(isinstance(row.get(name), (int, float)) for row in rows)) for name in names]
    cells = [[_cell(row.get(name)) for name in names] for row in rows[:most]]
    caption = f"{count(total)} offending rows" + (f", the first {most}" if total > most else "")
    return [
        Note(text, "warning"),
        Table(columns, cells, f"`{finding.name}`: {caption}.", folded=len(cells) > 8),
    ]


def _cell(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else number(value)
