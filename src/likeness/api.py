"""Functions for programs: find faces, embed photographs, measure a model on pairs of one's own.

`docs/api.md` describes the public interface, of which these are a part; `likeness` itself has all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from likeness.errors import DataError, ImageError
from likeness.faces import DEFAULT_DETECTOR, Detection, Face, get_detector
from likeness.images import Image, read_image
from likeness.metrics.roc import auc, equal_error_rate
from likeness.metrics.scores import Floats, confusion
from likeness.serving.numpy_comparators import Embeddings
from likeness.serving.people import People
from likeness.serving.verifier import Verifier, picture_key


@dataclass(frozen=True)
class Evaluation:
    """How a model decides pairs of photographs whose truth is known.

    Attributes:
        scores: float64 [P], higher = more alike; NaN for a pair that could not be compared.
        errors: why a pair could not be compared, by its place in the list.
        threshold: scores at or above it are decided to be the same person.
        accuracy: share of correct decisions among the compared pairs, in [0, 1].
        fmr: false match rate, the share of non-mated pairs (different people) at or above the threshold; None
            without such a pair.
        fnmr: false non-match rate, the share of mated pairs (one person) below it; None without such a pair.
        auc: area under the ROC curve in [0, 1]; None where one of the two kinds is absent.
        eer: rate in [0, 1] at which FMR and FNMR are equal, over all thresholds; None as for `auc`.
    """

    scores: Floats
    errors: dict[int, ImageError]
    threshold: float
    accuracy: float
    fmr: float | None
    fnmr: float | None
    auc: float | None
    eer: float | None


def detect(picture: Image, *, detector: str = DEFAULT_DETECTOR, smallest: int | None = None) -> list[Detection]:
    """Every face of an upright photograph, the largest first.

    Args:
        picture: path, content of a file, Pillow image or pixels (uint8 [h, w] gray or [h, w, 3] RGB).
        detector: mtcnn (with landmarks) or haar.
        smallest: side in pixels of the smallest face searched for; see `likeness.faces.Detector`.

    Raises:
        ImageError: it is no usable image.
        ValueError: no detector has that name.
    """
    return get_detector(detector, smallest).detect(read_image(picture, colour=True))


def embed(pictures: Sequence[Image], *, verifier: Verifier | None = None, aligned: bool = False) -> Embeddings:
    """Embeddings float32 [N, D] of the largest face of each photograph.

    Args:
        pictures: photographs, see `detect`.
        verifier: whose model embeds; by default `Verifier.load()`, which takes a tenth of a second at each call.
        aligned: the photographs are framed like LFW's pictures already; no face is searched for.

    Raises:
        ImageError: a photograph cannot be used, or shows no face.
    """
    return (verifier or Verifier.load()).embed(pictures, aligned=aligned)


def evaluate(
    pairs: Sequence[tuple[Image, Image]],
    same: Sequence[bool],
    *,
    verifier: Verifier | None = None,
    far: float | None = None,
    threshold: float | None = None,
    aligned: bool = False,
) -> Evaluation:
    """Measures a model on labelled pairs; each photograph is read and embedded once.

    Args:
        pairs: photographs, see `detect`.
        same: whether each pair shows one person.
        verifier: whose model is measured; by default `Verifier.load()`.
        far: decide at the threshold to which the model's card ascribes this false match rate.
        threshold: decide at this score instead; by default at the model's own threshold.
        aligned: see `embed`.

    Raises:
        DataError: there are not as many truths as pairs, or no pair could be compared.
        ModelError: the model's card does not support the false match rate.
    """
    if len(pairs) != len(same):
        raise DataError(f"expected as many truths as pairs, found {len(same)} and {len(pairs)}")
    verifier = verifier or Verifier.load()
    cut, _ = verifier.threshold(far, threshold)
    scores, errors = _scored(verifier, pairs, aligned)
    compared = np.isfinite(scores)
    if not compared.any():
        first = f": {errors[0]}" if errors else ""
        raise DataError(f"none of {len(pairs)} pairs could be compared{first}")
    return _measured(scores, errors, np.asarray(same, dtype=np.bool_), compared, cut)


def _scored(
    verifier: Verifier, pairs: Sequence[tuple[Image, Image]], aligned: bool
) -> tuple[Floats, dict[int, ImageError]]:
    """Scores [P], NaN where a photograph of the pair cannot be used, and the reasons by place."""
    unique = {picture_key(picture): picture for pair in pairs for picture in pair}
    faces = dict(zip(unique, verifier.faces(unique.values(), aligned=aligned), strict=True))
    usable = {key: face for key, face in faces.items() if isinstance(face, Face)}
    embeddings = dict(zip(usable, verifier.embed_faces(list(usable.values())), strict=True))
    scores, errors = np.full(len(pairs), np.nan), dict[int, ImageError]()
    for place, pair in enumerate(pairs):
        first, second = (picture_key(picture) for picture in pair)
        failed = next((face for key in (first, second) if isinstance(face := faces[key], ImageError)), None)
        if failed is not None:
            errors[place] = failed
        else:
            scores[place] = verifier.model.comparator.pairs(embeddings[first][None], embeddings[second][None])[0]
    return scores, errors


def _measured(
    scores: Floats, errors: dict[int, ImageError], same: np.ndarray, compared: np.ndarray, cut: float
) -> Evaluation:
    some, truth = scores[compared], same[compared]
    counts = confusion(some >= cut, truth)
    mated, non_mated = int(truth.sum()), int((~truth).sum())
    both = mated > 0 and non_mated > 0
    return Evaluation(
        scores=scores,
        errors=errors,
        threshold=cut,
        accuracy=(counts.true_accepts + counts.true_rejects) / len(some),
        fmr=counts.false_accepts / non_mated if non_mated else None,
        fnmr=counts.false_rejects / mated if mated else None,
        auc=auc(some, truth) if both else None,
        eer=equal_error_rate(some, truth) if both else None,
    )


def open_gallery(path: str | Path, verifier: Verifier | None = None) -> People:
    """The people of a gallery file, which need not exist yet, for enrolment and identification.

    Args:
        path: of the file.
        verifier: whose model the gallery belongs to; by default `Verifier.load()`.
    """
    return People(Path(path), verifier or Verifier.load())
