"""Functions for programs: find faces, embed photographs, measure a model on pairs of one's own.

`docs/api.md` describes the public interface, of which these are a part; `likeness` itself has all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from likeness.deprecated import reads_former
from likeness.errors import DataError, ImageError
from likeness.faces import DEFAULT_DETECTOR, Detection, get_detector
from likeness.images import Image, read_image
from likeness.metrics.roc import auc, equal_error_rate
from likeness.metrics.scores import Floats, confusion
from likeness.serving import face_rows
from likeness.serving.face_rows import EmbeddedFace
from likeness.serving.labelled_folder import LabelledFolder, inspect_folder
from likeness.serving.numpy_comparators import Embeddings
from likeness.serving.pair_list import PairDecision, decide_pairs
from likeness.serving.people import People
from likeness.serving.verifier import Verifier


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


def embed_photographs(
    paths: Sequence[str | Path],
    *,
    verifier: Verifier | None = None,
    aligned: bool = False,
    number: int | None = 1,
) -> Iterator[EmbeddedFace]:
    """The faces of many files, some at a time; one that cannot be used is a row with the reason.

    Args:
        paths: of the photographs.
        verifier: see `embed`.
        aligned: see `embed`.
        number: of the face that is taken of each photograph, 1 for the largest; None for all of them.
    """
    return face_rows.embed_photographs(verifier or Verifier.load(), paths, aligned=aligned, number=number)


@reads_former(far="fmr")
def verify_pairs(
    pairs: Sequence[tuple[Image, Image]],
    *,
    verifier: Verifier | None = None,
    fmr: float | None = None,
    threshold: float | None = None,
    aligned: bool = False,
) -> list[PairDecision]:
    """The verdict on each pair of a list, or why there is none; each photograph is read and embedded once.

    Args:
        pairs: photographs, see `detect`.
        verifier: see `embed`.
        fmr: decide at the threshold to which the model's card ascribes this false match rate.
        threshold: decide at this score instead; by default at the model's own threshold.
        aligned: see `embed`.

    Raises:
        ModelError: the model's card does not support the false match rate.
    """
    return decide_pairs(verifier or Verifier.load(), pairs, fmr=fmr, threshold=threshold, aligned=aligned)


def find_suspects(
    folder: str | Path, *, verifier: Verifier | None = None, aligned: bool = False
) -> LabelledFolder:
    """Photographs of a folder a person that look like somebody else's, the most suspicious first.

    Args:
        folder: it holds a folder for each person.
        verifier: see `embed`.
        aligned: see `embed`.

    Raises:
        DataError: it does not hold photographs of two people or more.
    """
    return inspect_folder(verifier or Verifier.load(), Path(folder), aligned=aligned)


@reads_former(far="fmr")
def evaluate(
    pairs: Sequence[tuple[Image, Image]],
    same: Sequence[bool],
    *,
    verifier: Verifier | None = None,
    fmr: float | None = None,
    threshold: float | None = None,
    aligned: bool = False,
) -> Evaluation:
    """Measures a model on labelled pairs; each photograph is read and embedded once.

    Args:
        pairs: photographs, see `detect`.
        same: whether each pair shows one person.
        verifier: whose model is measured; by default `Verifier.load()`.
        fmr: decide at the threshold to which the model's card ascribes this false match rate.
        threshold: decide at this score instead; by default at the model's own threshold.
        aligned: see `embed`.

    Raises:
        DataError: there are not as many truths as pairs, or no pair could be compared.
        ModelError: the model's card does not support the false match rate.
    """
    if len(pairs) != len(same):
        raise DataError(f"expected as many truths as pairs, found {len(same)} and {len(pairs)}")
    decided = verify_pairs(pairs, verifier=verifier, fmr=fmr, threshold=threshold, aligned=aligned)
    scores = np.array([each.score for each in decided], dtype=np.float64)
    errors = {place: each.error for place, each in enumerate(decided) if each.error is not None}
    compared = np.isfinite(scores)
    if not compared.any():
        first = f": {errors[0]}" if errors else ""
        raise DataError(f"none of {len(pairs)} pairs could be compared{first}")
    return _measured(scores, errors, np.asarray(same, dtype=np.bool_), compared, decided[0].threshold)


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
        accuracy=(counts.true_matches + counts.true_non_matches) / len(some),
        fmr=counts.false_matches / non_mated if non_mated else None,
        fnmr=counts.false_non_matches / mated if mated else None,
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
