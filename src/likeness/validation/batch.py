"""New photographs are held to the expectations before they touch the data set.

What is asked of the whole set, such as the number of images, says nothing about a batch; what is asked of each
image does, and here a warning suffices: an official image is never dropped, but a new one costs nothing to leave
out. Copies are looked for among the photographs of the data set too, so that no picture of a test person comes
back under another name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from likeness.artifacts.manifest import MANIFEST
from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.validation_record import Finding, Row
from likeness.data.batch_images import FIRST_NUMBER, Measured, measure
from likeness.data.faceset import FaceSet
from likeness.data.images import ImageRecord
from likeness.data.incoming import Arrival
from likeness.data.sources import DataParams
from likeness.images import Pixels
from likeness.validation.findings import shown
from likeness.validation.params import ValidationParams
from likeness.validation.validate import check

_IMAGES = "images"


@dataclass(frozen=True, eq=False)
class Judged:
    """A batch and what is wrong with it.

    Attributes:
        manifest: facts of the photographs that are neither refused nor known yet, columns of `MANIFEST`.
        refused: why a file is kept out.
        known: digests of photographs that the data set holds under the same name already.
    """

    manifest: pd.DataFrame
    refused: dict[Arrival, str]
    known: frozenset[str]


def judge(
    arrivals: Sequence[Arrival], faces: FaceSet | None, data: DataParams, params: ValidationParams
) -> Judged:
    """Measures a batch and holds each photograph to the expectations.

    Args:
        arrivals: the batch.
        faces: the data set as it is; None before there is one.
        data: how photographs are cut.
        params: the bounds.
    """
    refused = {arrival: arrival.fault for arrival in arrivals if arrival.fault}
    known = _known(arrivals, faces)
    fresh = [arrival for arrival in arrivals if arrival not in refused and arrival.sha256 not in known]
    measured, unusable = measure(fresh, data)
    refused |= unusable
    if not measured:
        return Judged(pd.DataFrame(columns=list(MANIFEST.columns)), refused, known)
    pixels, manifest = _table(measured)
    source = SourceCard(
        data.source,
        data.source == "synthetic",
        "unknown",
        "data/incoming",
        crop=data.crop,
        align=data.align,
        smallest_face=data.framed_face,
    )
    together = _with_copies(FaceSet(pixels, manifest, source), faces, params)
    by_name = dict(zip(_ends(manifest["path"]), measured, strict=True))
    for finding in check(together, params):
        for name, reason in _offences(finding):
            if name in by_name:
                refused.setdefault(by_name[name], reason)
    good = np.array([arrival not in refused for arrival in measured])
    return Judged(manifest[good], refused, known)


def _known(arrivals: Sequence[Arrival], faces: FaceSet | None) -> frozenset[str]:
    """Digests of files that the data set holds under the same person."""
    if faces is None:
        return frozenset()
    held = set(zip(faces.manifest["person"], faces.manifest["sha256"], strict=True))
    return frozenset(arrival.sha256 for arrival in arrivals if (arrival.person, arrival.sha256) in held)


def _table(measured: Measured) -> tuple[Pixels, pd.DataFrame]:
    """Pixels uint8 [N, H, W] or [N, H, W, 3] and manifest of photographs."""
    table = pd.DataFrame([facts for _, facts in measured.values()], columns=list(ImageRecord._fields))
    table["person"] = [arrival.person for arrival in measured]
    table["number"] = np.arange(FIRST_NUMBER, FIRST_NUMBER + len(measured))
    pixels = np.stack([pixels for pixels, _ in measured.values()])
    return pixels, table[list(MANIFEST.columns)].astype(dict(MANIFEST.columns))


def _with_copies(batch: FaceSet, faces: FaceSet | None, params: ValidationParams) -> FaceSet:
    """The batch behind those few images of the data set that one of its photographs may be a copy of."""
    rows = np.zeros(0, np.int64) if faces is None else _alike(batch, faces, params.duplicate_distance)
    if faces is None or not len(rows) or batch.size != faces.size:
        return batch
    pixels = np.concatenate([faces.pixels[rows], batch.pixels])
    manifest = pd.concat([faces.manifest.iloc[rows], batch.manifest], ignore_index=True)
    return FaceSet(pixels, manifest, batch.source)


def _alike(batch: FaceSet, faces: FaceSet, distance: int) -> NDArray[np.int64]:
    """Rows of the data set whose content or perceptual hash is that of a photograph of the batch, or near it."""
    same = faces.manifest["sha256"].isin(batch.manifest["sha256"]).to_numpy(bool, copy=True)
    theirs = _hashes(faces.manifest["phash"])
    for one in np.unique(_hashes(batch.manifest["phash"][batch.manifest["phash"] != ""])):
        same |= np.bitwise_count(theirs ^ one) <= distance
    return np.flatnonzero(same & faces.usable)


def _hashes(phash: pd.Series[str]) -> NDArray[np.uint64]:
    return np.array([int(digits or "0", 16) for digits in phash], dtype=np.uint64)


def _offences(finding: Finding) -> list[tuple[str, str]]:
    """Name of each image that an expectation speaks against, with the reason as a sentence."""
    if finding.success or finding.table != _IMAGES:
        return []
    return [(name, _reason(finding, offender)) for offender in finding.offenders if (name := _name(offender))]


def _name(offender: Row) -> str:
    return "/".join(str(offender.get("image") or offender.get("path") or "").split("/")[-2:])


def _reason(finding: Finding, offender: Row) -> str:
    details = [f"{key} {value}" for key, value in shown(offender).items() if key not in ("image", "path")]
    return f"{finding.expected} Found: {', '.join(details)}."


def _ends(paths: pd.Series[str]) -> list[str]:
    return ["/".join(path.split("/")[-2:]) for path in paths]
