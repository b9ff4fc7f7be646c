"""Whether a batch of new photographs looks like those that the model learned from.

The measure is the population stability index, Σ (aᵢ − eᵢ) ln(aᵢ / eᵢ) over bins that hold equal shares of the
reference. Its usual limit of 0.25 gives false alarms on small batches: between two samples of one population the
index is about (1/n + 1/m) χ² with one degree of freedom less than there are bins (Yurdakul and Naranjo,
"Statistical properties of the population stability index", Journal of Risk Model Validation 14(4), 2020). So a
batch drifts only when its index is above both the limit and what chance alone would reach once in a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri

from likeness.artifacts.manifest import usable
from likeness.params import Range

Limit = Annotated[float | None, Range(above=0)]

BINS = 10
CHANCE = 0.001
_SMOOTHING = 0.5  # of a photograph in each bin, so that an empty one has a logarithm


@dataclass(frozen=True)
class DriftParams:
    """Largest population stability index of each measure; None reports it and lets every batch pass.

    Attributes:
        brightness: mean of the stored crop.
        sharpness: variance of the Laplacian of the stored crop.
        size: pixels of the source picture.
        images_per_person: not limited by default, since a batch is no census: its people rarely come with as
            many photographs as those of the data set have in all.
    """

    brightness: Limit = 0.25
    sharpness: Limit = 0.25
    size: Limit = 0.25
    images_per_person: Limit = None


@dataclass(frozen=True)
class Drift:
    """One measure of a batch against the reference.

    Attributes:
        measure: a field of `DriftParams`.
        index: population stability index, 0 or more; 0 where batch or reference is empty.
        by_chance: what two samples of these sizes from one population reach once in a thousand.
        limit: the one of the parameters.
        reference, batch: medians, for people to read.
    """

    measure: str
    index: float
    by_chance: float
    limit: float | None
    reference: float
    batch: float

    @property
    def drifted(self) -> bool:
        """Whether the batch is refused for it."""
        return self.limit is not None and self.index > max(self.limit, self.by_chance)

    def as_json(self) -> dict[str, object]:
        """Plain values, figures to four digits."""
        values = {name: round(v, 4) if isinstance(v, float) else v for name, v in asdict(self).items()}
        return values | {"drifted": self.drifted}

    def __str__(self) -> str:
        return (
            f"{self.measure}: index {self.index:.2f}, limit {self.limit}, by chance {self.by_chance:.2f}; "
            f"median {self.batch:.4g} against {self.reference:.4g}"
        )


def drift_of(batch: pd.DataFrame, reference: pd.DataFrame, params: DriftParams) -> list[Drift]:
    """Compares two manifests measure by measure; what is not usable is left out.

    Args:
        batch: columns person, width, height, brightness, sharpness, problem; a row a new photograph.
        reference: the same of the photographs that the model learned from.
        params: the limits.
    """
    theirs = _measures(reference[usable(reference)])
    return [
        _compare(measure, values, theirs[measure], getattr(params, measure))
        for measure, values in _measures(batch[usable(batch)]).items()
    ]


def stability_index(batch: ArrayLike, reference: ArrayLike) -> tuple[float, float]:
    """The index of two samples, and what chance alone would reach once in a thousand.

    Args:
        batch: n numbers.
        reference: m numbers, which decide the bins.
    """
    new, old = np.asarray(batch, float), np.asarray(reference, float)
    if not len(new) or not len(old):
        return 0.0, 0.0
    edges = _edges(old)
    actual, expected = (_shares(values, edges) for values in (new, old))
    index = float(np.sum((actual - expected) * np.log(actual / expected)))
    return index, float((1 / len(new) + 1 / len(old)) * chdtri(len(edges), CHANCE))


def _measures(manifest: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    return {
        "brightness": manifest["brightness"].to_numpy(float),
        "sharpness": manifest["sharpness"].to_numpy(float),
        "size": (manifest["width"].astype("int64") * manifest["height"]).to_numpy(float),
        "images_per_person": manifest["person"].value_counts().to_numpy(float),
    }


def _compare(measure: str, new: NDArray[np.float64], old: NDArray[np.float64], limit: float | None) -> Drift:
    index, by_chance = stability_index(new, old)
    medians = [float(np.median(values)) if len(values) else 0.0 for values in (old, new)]
    return Drift(measure, index, by_chance, limit, *medians)


def _edges(reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inner edges of bins with equal shares; a value that many share, as pictures of one size do, has its own."""
    edges = np.unique(np.quantile(reference, np.arange(1, BINS) / BINS))
    return np.unique(np.concatenate(list(_around(edges, reference))))


def _around(edges: NDArray[np.float64], reference: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    for edge in edges:
        shared = np.mean(reference == edge) > 1 / (2 * BINS)
        yield np.array([edge, np.nextafter(edge, np.inf)]) if shared else np.array([edge])


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) + _SMOOTHING
    return np.asarray(counts / counts.sum())
