"""The classical baseline that a network must beat: LBP histograms, PCA, within-class whitening, LDA, cosine.

Histograms of uniform local binary patterns (8 neighbours, radius 2, cells of 10×10 pixels, square-rooted) at
three scales of the central 120×100 pixels of the aligned 250×250 picture are reduced by PCA. Where the
protocol grants the identities of training people, within-class whitening (WCCN, Hatch et al. 2006) and LDA
follow; where it grants pairs only, PCA whitening. Two faces are compared by the cosine.

The pixels are those of the store. Whatever its size, the central 120×100 pixels of the picture's frame are
found in it and resized to the three scales; a store that holds less of the picture gives what it has, and a
coarser one is enlarged, so that a cell always covers the same part of a face (measured to be better than
smaller cells on the small picture).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from likeness.artifacts.source_card import LFW_FRAMINGS
from likeness.data.faceset import FaceSet
from likeness.data.splits import Identities, Split
from likeness.errors import DataError
from likeness.evaluation.lbp import describe
from likeness.evaluation.systems import Rows, System, Vectors, cosine
from likeness.images.geometry import FRAME
from likeness.models.backbones.patterns import CELL, SCALES
from likeness.models.discriminant import discriminant_axes, principal_axes
from likeness.params import Range


@dataclass(frozen=True)
class BaselineParams:
    """Settings of the classical baseline, found on View 1 holdout pairs.

    Attributes:
        components: PCA dimensions before within-class whitening (unrestricted).
        directions: LDA dimensions that are kept (unrestricted).
        shrinkage: share of the within-class covariance that is replaced by its mean variance (unrestricted).
        whitened: PCA dimensions that are whitened (restricted).
        fitted: faces that the PCA is fitted on at most, drawn at random.
        seed: of that draw.
    """

    components: Annotated[int, Range(1)] = 600
    directions: Annotated[int, Range(1)] = 100
    shrinkage: Annotated[float, Range(0, 1)] = 0.1
    whitened: Annotated[int, Range(1)] = 400
    fitted: Annotated[int, Range(2)] = 3000
    seed: int = 0


def classical_baseline(faces: FaceSet, split: Split, rows: Rows, params: BaselineParams) -> System:
    """Fits the baseline on the training side of a split and describes the faces that are to be compared.

    Args:
        faces: the store.
        split: its identities are used if it has any, else the pictures of its training pairs, unlabelled.
        rows: int64 [M], ascending: the faces to describe.
        params: settings; dimensions are cut to what the training faces can give.

    Raises:
        DataError: fewer than two training faces.
    """
    training = split.train.rows if split.identities is None else split.identities.rows
    if len(training) < 2:
        raise DataError(f"the classical baseline needs at least 2 training faces, found {len(training)}")
    needed = np.union1d(training, rows)
    features = describe(faces.pixels, needed, central_window(faces), SCALES, CELL)
    known = features[np.searchsorted(needed, training)]
    wanted = features[np.searchsorted(needed, rows)]
    if split.identities is None:
        axes = principal_axes(known, params.whitened, fitted=params.fitted, seed=params.seed, whiten=True)
        vectors = axes(wanted)
    else:
        vectors = _discriminant(known, wanted, split.identities, params)
    return System("baseline", rows, vectors, cosine)


def central_window(faces: FaceSet) -> tuple[slice, slice]:
    """Rows and columns of the stored picture that show the central 120×100 of the 250×250 frame.

    All of it where faces are aligned by landmarks, which leaves less around them.
    """
    if faces.source.align not in {"none", *LFW_FRAMINGS}:
        return slice(0, faces.size[0]), slice(0, faces.size[1])
    crop = faces.source.crop or (FRAME, FRAME)
    spans = [
        min(stored, round(stored * wanted / seen))
        for stored, wanted, seen in zip(faces.size[:2], SCALES[0], crop, strict=True)
    ]
    starts = [(stored - span) // 2 for stored, span in zip(faces.size[:2], spans, strict=True)]
    down, across = (slice(start, start + span) for start, span in zip(starts, spans, strict=True))
    return down, across


def _discriminant(known: Vectors, wanted: Vectors, people: Identities, params: BaselineParams) -> Vectors:
    """PCA, within-class whitening and LDA, fitted on `known` and applied to `wanted`."""
    reduce = principal_axes(known, params.components, fitted=params.fitted, seed=params.seed)
    features = reduce(known).astype(np.float64)
    separate = discriminant_axes(features, people.labels, params.shrinkage, params.directions)
    return np.asarray(reduce(wanted) @ separate, np.float32)
