"""Comparators of `likeness.models.comparators` in NumPy, for programs that must start without torch.

One that is not here is served by its torch module, see `likeness.serving.model.TorchComparator`.

Each scores pairs in double precision, as `likeness.models.embedding.score_pairs` does (a test holds the two
equal), and a whole gallery at once in single precision, for search. Their names are in
`likeness.models.architecture.WITHOUT_TORCH`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from likeness.errors import ModelError

Embeddings: TypeAlias = npt.NDArray[np.float32]
"""float32 [N, D]."""
Doubles: TypeAlias = npt.NDArray[np.float64]
Scan: TypeAlias = Callable[[Embeddings], npt.NDArray[np.float32]]
"""Embeddings [Q, D] of probes -> [Q, N]: how alike each is to each of a gallery, in single precision; of the same
order as the scores, but not on their scale."""
Metric: TypeAlias = Literal["inner product", "squared distance"]

_Float = TypeVar("_Float", np.float32, np.float64)
_BLOCK_BYTES = 1 << 24  # |x - y| of a block stays in the cache


class NumpyComparator(ABC):
    """Scores embeddings, higher = more alike.

    What one embedding alone decides is computed once, by `prepared`; all but `pairs` are given its result.

    Attributes:
        metric: how an index compares `vectors` with `queries`, such that the order is that of the scores; None: no
            index does.
    """

    metric: Metric | None

    def pairs(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores [P] of pairs of embeddings [P, D], in double precision."""
        return self.compare(self.prepared(first), self.prepared(second))

    def prepared(self, embeddings: Embeddings) -> Embeddings:
        """What the other methods take for embeddings [N, D]: float32 [N, D']."""
        return embeddings

    @abstractmethod
    def compare(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores [P] of pairs of prepared embeddings [P, D'], in double precision."""

    @abstractmethod
    def scan(self, gallery: Embeddings) -> Scan:
        """Readies prepared embeddings [N, D'] for being compared with prepared probes."""

    @abstractmethod
    def vectors(self, gallery: Embeddings) -> Embeddings:
        """What an index stores for prepared embeddings [N, D']: contiguous float32 [N, D'']."""

    def queries(self, probes: Embeddings) -> Embeddings:
        """What an index is asked with for prepared probes [Q, D']: contiguous float32 [Q, D'']."""
        return self.vectors(probes)


@dataclass(frozen=True)
class NumpyCosine(NumpyComparator):
    """The cosine of the angle; 0 where an embedding is zero."""

    metric: Metric = "inner product"

    def compare(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores in [-1, 1]."""
        product = (_unit(first.astype(np.float64)) * _unit(second.astype(np.float64))).sum(axis=-1)
        return np.asarray(np.clip(product, -1, 1))

    def scan(self, gallery: Embeddings) -> Scan:
        """By one matrix product."""
        vectors = self.vectors(gallery)
        return lambda probes: self.vectors(probes) @ vectors.T

    def vectors(self, gallery: Embeddings) -> Embeddings:
        """On the unit sphere."""
        norms = np.sqrt(np.einsum("ij,ij->i", gallery, gallery))
        if np.abs(norms - 1).max(initial=0) < 1e-5:
            return np.ascontiguousarray(gallery)  # spares a copy of a large gallery
        return np.ascontiguousarray(_unit(gallery))


@dataclass(frozen=True, eq=False)
class NumpyCsls(NumpyComparator):
    """cos(x, y) − (r(x) + r(y)) / 2, see `likeness.models.comparators.csls`.

    Attributes:
        cohort: [N, D], of length one.
        nearest: K, of the cohort, that count.
    """

    cohort: Embeddings
    nearest: int
    metric: Metric = "inner product"

    def prepared(self, embeddings: Embeddings) -> Embeddings:
        """On the unit sphere, with r beside them: the mean cosine to the nearest of the cohort."""
        prepared = np.empty((len(embeddings), embeddings.shape[1] + 1), dtype=np.float32)
        prepared[:, :-1] = _unit(embeddings)
        rows = max(1, _BLOCK_BYTES // (4 * len(self.cohort)))
        for start in range(0, len(embeddings), rows):
            cosines = prepared[start : start + rows, :-1] @ self.cohort.T
            nearest = np.partition(cosines, -self.nearest)[:, -self.nearest :]
            prepared[start : start + rows, -1] = nearest.mean(axis=1, dtype=np.float64)
        return prepared

    def compare(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores in [-2, 2]."""
        one, two = first.astype(np.float64), second.astype(np.float64)
        cosines = np.clip((one[:, :-1] * two[:, :-1]).sum(axis=-1), -1, 1)
        return np.asarray(cosines - (one[:, -1] + two[:, -1]) / 2)

    def scan(self, gallery: Embeddings) -> Scan:
        """By one matrix product; r of the probe, which is the same for all of a gallery, is left out."""
        resemblance = gallery[:, -1] / 2
        return lambda probes: np.asarray(probes[:, :-1] @ gallery[:, :-1].T - resemblance)

    def vectors(self, gallery: Embeddings) -> Embeddings:
        """On the unit sphere, with -r/2 beside them."""
        vectors = gallery.copy()
        vectors[:, -1] /= -2
        return vectors

    def queries(self, probes: Embeddings) -> Embeddings:
        """On the unit sphere, with 1 beside them, which takes r of the gallery as it is."""
        queries = probes.copy()
        queries[:, -1] = 1
        return queries


@dataclass(frozen=True)
class NumpyEuclidean(NumpyComparator):
    """Minus the distance, under M = LᵀL where a factor L [D, D] is given (Mahalanobis)."""

    factor: Doubles | None = None
    metric: Metric = "squared distance"

    def compare(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores in (-∞, 0]."""
        difference = first.astype(np.float64) - second.astype(np.float64)
        if self.factor is not None:
            difference = difference @ self.factor.T
        return np.asarray(-np.linalg.norm(difference, axis=-1))

    def scan(self, gallery: Embeddings) -> Scan:
        """By x·y - |y|²/2, which falls with the distance for one probe x."""
        vectors = self.vectors(gallery)
        half_squares = np.einsum("ij,ij->i", vectors, vectors) / 2
        return lambda probes: np.asarray(self.vectors(probes) @ vectors.T - half_squares)

    def vectors(self, gallery: Embeddings) -> Embeddings:
        """L·x."""
        if self.factor is None:
            return np.ascontiguousarray(gallery)
        return np.ascontiguousarray(gallery @ self.factor.T.astype(np.float32))


@dataclass(frozen=True)
class NumpyWeightedL1(NumpyComparator):
    """The logit w·|x - y| + b, with w [D] of either sign: no distance, so that no index orders by it."""

    weight: Doubles
    bias: float
    metric: Metric | None = None

    def compare(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Logits, unbounded."""
        return np.asarray(np.abs(first.astype(np.float64) - second.astype(np.float64)) @ self.weight + self.bias)

    def scan(self, gallery: Embeddings) -> Scan:
        """Block by block."""
        return lambda probes: self._logits(probes, gallery)

    def _logits(self, probes: Embeddings, gallery: Embeddings) -> npt.NDArray[np.float32]:
        weight = self.weight.astype(np.float32)
        scores = np.empty((len(probes), len(gallery)), dtype=np.float32)
        rows = max(1, _BLOCK_BYTES // (4 * gallery.shape[1]))
        for start in range(0, len(gallery), rows):
            block = gallery[start : start + rows]
            for probe, row in zip(probes, scores, strict=True):
                row[start : start + rows] = np.abs(block - probe) @ weight
        return scores

    def vectors(self, gallery: Embeddings) -> Embeddings:
        """The embeddings themselves."""
        return np.ascontiguousarray(gallery)


def build_comparator(
    name: str, weights: Mapping[str, npt.NDArray[np.floating]], params: Mapping[str, Any] = MappingProxyType({})
) -> NumpyComparator:
    """The comparator of a model.

    Args:
        name: as in the card's `model.comparator`.
        weights: its tensors, whose names begin with `comparator.`.
        params: what the card says beside the name.

    Raises:
        ModelError: the name is unknown, or its weights are missing.
    """
    try:
        match name:
            case "cosine":
                return NumpyCosine()
            case "csls":
                return _csls(weights["comparator.cohort"].astype(np.float32), params["nearest"])
            case "euclidean":
                return NumpyEuclidean()
            case "mahalanobis":
                return NumpyEuclidean(weights["comparator.factor.weight"].astype(np.float64))
            case "weighted-l1":
                weight = weights["comparator.logit.weight"].astype(np.float64).ravel()
                return NumpyWeightedL1(weight, float(weights["comparator.logit.bias"].ravel()[0]))
    except KeyError as error:
        raise ModelError(f"the model lacks {error.args[0]}; copy it again, or train it again") from error
    raise ModelError(f"no comparator is called {name!r}; the model is of a newer version or its card was edited")


def _csls(cohort: Embeddings, nearest: Any) -> NumpyCsls:
    if type(nearest) is not int or nearest < 1:
        raise ModelError(f"model.comparator.nearest: expected a whole number of at least 1, found {nearest!r}")
    if cohort.ndim != 2 or not len(cohort):
        raise ModelError(f"comparator.cohort: expected embeddings of people, [N, D], found {list(cohort.shape)}")
    return NumpyCsls(cohort, min(nearest, len(cohort)))


def _unit(vectors: npt.NDArray[_Float]) -> npt.NDArray[_Float]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
