"""From the faces that the protocol grants to a map behind the network, whose own weights stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.errors import DataError, ParamsError
from likeness.models.discriminant import (
    discriminant_axes,
    principal_axes,
    within_class_residuals,
    within_class_whitening,
)
from likeness.training.fitting.lmnn import lmnn
from likeness.training.fitting.params import FitParams

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
_SAMPLE = 3000  # faces that principal components are found on at most
_FORMULAS = {
    "wccn": "Lᵀ·L = W⁻¹, W the covariance within a person, {shrinkage:g} of it shrunk to its mean variance",
    "lda": "wccn with shrinkage {shrinkage:g}, then the directions in which people differ most",
    "lmnn": "(1 − μ)·Σ d(i, j) + μ·Σ max(0, {margin:g} + d(i, j) − d(i, l)), d = ‖L(x − y)‖², μ = {push:g}, "
    "{neighbours} target neighbours, {rounds} searches for impostors",
}


@dataclass(frozen=True, eq=False)
class LinearMap:
    """x → weight · x + bias: `weight` float64 [K, D], `bias` float64 [K]."""

    weight: Doubles
    bias: Doubles


def check_allowed(data: TrainingData, params: FitParams) -> None:
    """Refuses a map that needs identities where the protocol gives pairs.

    Raises:
        ParamsError: it does.
    """
    if isinstance(data, Pairs) and params.kind != "wccn":
        raise ParamsError(
            f"train.fit.kind: {params.kind} needs the identity of every training image, but the protocol is "
            "restricted and gives pairs alone; choose kind: wccn, or split.protocol: unrestricted"
        )


def fit_map(
    data: TrainingData,
    embeddings_of: Callable[[Rows], npt.NDArray[np.floating]],
    params: FitParams,
    between: Callable[[int], None] = lambda round: None,
) -> LinearMap:
    """Fits the map on training faces.

    wccn and lda put the mean of the training faces into the origin; lmnn, which starts from the distance that
    there is, leaves the origin where it was.

    Args:
        data: pairs, of which wccn sees the same ones, or identities.
        embeddings_of: gives the embeddings [M, D] of rows [M] of the pixel store, as the map will be fed.
        params: which map.
        between: called between rounds; may raise.

    Raises:
        ParamsError: the map needs identities, and there are none.
        DataError: nobody has two photographs.
    """
    check_allowed(data, params)
    rows, labels = (data.rows, None) if isinstance(data, Pairs) else _capped(data, params.images_per_person)
    given = embeddings_of(rows)
    if params.components is None:
        return _fitted(data, rows, labels, given.astype(np.float64), params, between)
    axes = principal_axes(given, params.components, fitted=_SAMPLE, seed=0)
    after = _fitted(data, rows, labels, axes(given).astype(np.float64), params, between)
    weight = after.weight @ axes.matrix.T
    return LinearMap(weight, after.bias - weight @ axes.mean)


def _fitted(
    data: TrainingData,
    rows: Rows,
    labels: Rows | None,
    points: Doubles,
    params: FitParams,
    between: Callable[[int], None],
) -> LinearMap:
    """The map of the points float64 [M, D] that stand for `rows`."""
    if labels is None:
        assert isinstance(data, Pairs)
        a, b = (points[np.searchsorted(rows, side[data.same])] for side in (data.a, data.b))
        # Two photographs differ from their mean by half their difference, to either side; as one of the two
        # degrees of freedom goes into the mean, the covariance is that of the differences over √2.
        residuals = (a - b) / np.sqrt(2)
        return _centred(_whitening(residuals, params), points)
    match params.kind:
        case "wccn":
            return _centred(_whitening(within_class_residuals(points, labels), params), points)
        case "lda":
            dim = params.get("dim") or points.shape[1]
            return _centred(discriminant_axes(points, labels, params.get("shrinkage"), dim).T, points)
        case "lmnn":
            factor = lmnn(points, labels, params, between)
            return LinearMap(factor, np.zeros(len(factor)))


def formula_of(params: FitParams) -> str:
    """What is fitted, with its numbers, as the report prints it."""
    keys = ("margin", "push", "neighbours", "rounds") if params.kind == "lmnn" else ("shrinkage",)
    given = {key: params.get(key) for key in keys}
    return f"{params.kind}: {_FORMULAS[params.kind].format(**given)}"


def _whitening(residuals: npt.NDArray[np.floating], params: FitParams) -> Doubles:
    if not len(residuals):
        raise DataError("no two training photographs show one person, so there is no variation to whiten")
    return np.asarray(within_class_whitening(residuals, params.get("shrinkage")).T, dtype=np.float64)


def _centred(weight: npt.NDArray[np.floating], points: Doubles) -> LinearMap:
    return LinearMap(np.asarray(weight, dtype=np.float64), -weight @ points.mean(axis=0))


def _capped(people: Identities, most: int) -> tuple[Rows, Rows]:
    """Rows and labels of at most so many photographs of each person, the first ones."""
    order = np.argsort(people.labels, kind="stable")
    labels = people.labels[order]
    starts = np.searchsorted(labels, labels)
    kept = np.sort(order[np.arange(len(order)) - starts < most])
    return people.rows[kept], people.labels[kept]
