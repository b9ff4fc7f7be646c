"""Many pairs of photographs at once: each photograph is read and embedded once, and a bad one spoils no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from likeness.deprecated import former_attribute
from likeness.errors import ImageError
from likeness.faces import Face
from likeness.images import Image
from likeness.progress import progress
from likeness.serving.verifier import DecisionPoint, Verifier, picture_key, read_ahead

_BATCH = 64


@dataclass(frozen=True)
class PairDecision:
    """The verdict on one pair of a list, or why there is none; see `Verification`.

    Attributes:
        same: whether the two are taken to show one person.
        score: the comparator's, higher = more alike; NaN where a photograph cannot be used.
        probability: calibrated chance that they show one person; NaN where a photograph cannot be used.
        threshold: on the score's scale.
        fmr: share of pairs of different people that the threshold accepts; None where the card cannot say.
        other_faces: how many further faces each photograph shows.
        error: why there is no verdict; None where there is one.
    """

    same: bool
    score: float
    probability: float
    threshold: float
    fmr: float | None
    other_faces: tuple[int, int] = (0, 0)
    error: ImageError | None = None

    far = former_attribute("far", "fmr")


@dataclass(frozen=True)
class _Probe:
    embedding: npt.NDArray[np.float32]
    others: int


_Key = tuple[object, int]


def decide_pairs(
    verifier: Verifier,
    pairs: Sequence[tuple[Image, Image]],
    *,
    fmr: float | None = None,
    threshold: float | None = None,
    aligned: bool = False,
    numbers: tuple[int, int] = (1, 1),
    shown: str = "",
) -> list[PairDecision]:
    """Whether the photographs of each pair show one person.

    Args:
        verifier: whose model compares.
        pairs: photographs.
        fmr: see `Verifier.verify_many`.
        threshold: see `Verifier.verify_many`.
        aligned: see `Verifier.face`.
        numbers: of the faces that are compared, in the first and in the second photographs; see `Face.number`.
        shown: name of a progress bar; "" for none.

    Raises:
        ModelError: the model's card does not support the false match rate.
    """
    point = verifier.decision_point(fmr, threshold)
    photos = {
        (picture_key(picture), number): (picture, number)
        for pair in pairs
        for picture, number in zip(pair, numbers, strict=True)
    }
    probes = _probes(verifier, photos, aligned, shown)
    found = []
    for pair in pairs:
        first, second = (probes[picture_key(each), n] for each, n in zip(pair, numbers, strict=True))
        found.append(_decision(verifier, first, second, point))
    return found


def _probes(
    verifier: Verifier, photos: dict[_Key, tuple[Image, int]], aligned: bool, shown: str
) -> dict[_Key, _Probe | ImageError]:
    def read_one(photo: tuple[Image, int]) -> Face:
        return verifier.face(photo[0], aligned=aligned, number=photo[1])

    keys = list(photos)
    starts: Iterable[int] = range(0, len(keys), _BATCH)
    found: dict[_Key, _Probe | ImageError] = {}
    for start in progress(starts, shown, unit=f"x{_BATCH} photos") if shown else starts:
        batch = keys[start : start + _BATCH]
        read = list(read_ahead(read_one, [photos[key] for key in batch]))
        faces = [face for face in read if not isinstance(face, ImageError)]
        embeddings = iter(verifier.embed_faces(faces))
        for key, face in zip(batch, read, strict=True):
            found[key] = face if isinstance(face, ImageError) else _Probe(next(embeddings), face.others)
    return found


def _decision(
    verifier: Verifier, first: _Probe | ImageError, second: _Probe | ImageError, point: DecisionPoint
) -> PairDecision:
    nothing = PairDecision(False, float("nan"), float("nan"), *point)
    if isinstance(first, ImageError):
        return replace(nothing, error=first)
    if isinstance(second, ImageError):
        return replace(nothing, error=second)
    score = float(verifier.model.comparator.pairs(first.embedding[None], second.embedding[None])[0])
    others = (first.others, second.others)
    return PairDecision(score >= point.threshold, score, verifier.probability(score), *point, others)
