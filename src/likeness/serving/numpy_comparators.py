"""Comparators of `likeness.models.comparators` in NumPy, for programs that must start without torch.

One that is not here is served by its torch module, see `likeness.serving.model.TorchComparator`.

Each scores pairs in double precision, as `likeness.models.embedding.score_pairs` does (a test holds the two
equal), and a whole gallery at once in single precision, for search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

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

NUMPY = ("cosine", "csls", "euclidean", "mahalanobis", "weighted-l1")
"""Names of those that are here."""
_Float = TypeVar("_Float", np.float32, np.float64)
_BLOCK_BYTES = 1 << 24  # |x - y| of a block stays in the cache


class NumpyComparator(Protocol):
    """Scores embeddings, higher = more alike."""

    @property
    def metric(self) -> Metric | None:
        """How `vectors` are compared by an index such that the order is that of the scores; None: by none."""

    def pairs(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores [P] of pairs of embeddings [P, D], in double precision."""

    def scan(self, gallery: Embeddings) -> Scan:
        """Prepares embeddings [N, D] for being compared with probes."""

    def vectors(self, embeddings: Embeddings) -> Embeddings:
        """What an index stores for embeddings [N, D]: contiguous float32 [N, D']."""

    def queries(self, probes: Embeddings) -> Embeddings:
        """What an index is asked with for embeddings [Q, D] of probes: contiguous float32 [Q, D']."""


class _Symmetric(ABC):
    """An index compares the vectors of a gallery with the same vectors of probes."""

    @abstractmethod
    def vectors(self, embeddings: Embeddings) -> Embeddings:
        """See `NumpyComparator.vectors`."""

    def queries(self, probes: Embeddings) -> Embeddings:
        """The probes' own vectors."""
        return self.vectors(probes)


@dataclass(frozen=True)
class NumpyCosine(_Symmetric):
    """The cosine of the angle; 0 where an embedding is zero."""

    metric: Metric = "inner product"

    def pairs(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores in [-1, 1]."""
        product = (_unit(first.astype(np.float64)) * _unit(second.astype(np.float64))).sum(axis=-1)
        return np.asarray(np.clip(product, -1, 1))

    def scan(self, gallery: Embeddings) -> Scan:
        """By one matrix product."""
        vectors = self.vectors(gallery)
        return lambda probes: self.vectors(probes) @ vectors.T

    def vectors(self, embeddings: Embeddings) -> Embeddings:
        """On the unit sphere."""
        norms = np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings))
        if np.abs(norms - 1).max(initial=0) < 1e-5:
            return np.ascontiguousarray(embeddings)  # spares a copy of a large gallery
        return np.ascontiguousarray(_unit(embeddings))


@dataclass(frozen=True, eq=False)
class NumpyCsls:
    """cos(x, y) − (r(x) + r(y)) / 2, see `likeness.models.comparators.csls`.

    Attributes:
        cohort: [N, D], of length one.
        nearest: K, of the cohort, that count.
    """

    cohort: Embeddings
    nearest: int
    metric: Metric = "inner product"

    def pairs(self, first: Embeddings, second: Embeddings) -> Doubles:
        """Scores in [-2, 2]."""
        own = [self._resemblance(side.astype(np.float64)) for side in (first, second)]
        return NumpyCosine().pairs(first, second) - (own[0] + own[1]) / 2

    def scan(self, gallery: Embeddings) -> Scan:
        """By one matrix product; what is the same for all of a gallery is left out."""
        vectors = self.vectors(gallery)
        return lambda probes: self.queries(probes) @ vectors.T

    def vectors(self, embeddings: Embeddings) -> Embeddings:
        """On the unit sphere, with -r/2 beside them."""
        return self._beside(embeddings, self._resemblance(embeddings) / -2)

    def queries(self, probes: Embeddings) -> Embeddings:
        """On the unit sphere, with 1 beside them, which takes r of the gallery as it is."""
        return self._beside(probes, np.ones(len(probes), dtype=np.float32))

    def _resemblance(self, embeddings: npt.NDArray[_Float]) -> npt.NDArray[_Float]:
        """r [M] of embeddings [M, D]: their mean cosine to the nearest of the cohort."""
        if len(embeddings) and embeddings.strides[0] == 0:  # one probe, compared with many
            return np.broadcast_to(self._resemblance(embeddings[:1].copy()), len(embeddings))
        cohort = self.cohort.astype(embeddings.dtype, copy=False)
        rows = max(1, _BLOCK_BYTES // (embeddings.itemsize * len(cohort)))
        found = np.empty(len(embeddings), dtype=embeddings.dtype)
        for start in range(0, len(embeddings), rows):
            cosines = _unit(embeddings[start : start + rows]) @ cohort.T
            found[start : start + rows] = np.partition(cosines, -self.nearest)[:, -self.nearest :].mean(axis=1)
        return found

    @staticmethod
    def _beside(embeddings: Embeddings, column: npt.NDArray[np.floating]) -> Embeddings:
        return np.ascontiguousarray(np.column_stack([_unit(embeddings), column]), dtype=np.float32)


@dataclass(frozen=True)
class NumpyEuclidean(_Symmetric):
    """Minus the distance, under M = LᵀL where a factor L [D, D] is given (Mahalanobis)."""

    factor: Doubles | None = None
    metric: Metric = "squared distance"

    def pairs(self, first: Embeddings, second: Embeddings) -> Doubles:
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

    def vectors(self, embeddings: Embeddings) -> Embeddings:
        """L·x."""
        if self.factor is None:
            return np.ascontiguousarray(embeddings)
        return np.ascontiguousarray(embeddings @ self.factor.T.astype(np.float32))


@dataclass(frozen=True)
class NumpyWeightedL1(_Symmetric):
    """The logit w·|x - y| + b, with w [D] of either sign: no distance, so that no index orders by it."""

    weight: Doubles
    bias: float
    metric: Metric | None = None

    def pairs(self, first: Embeddings, second: Embeddings) -> Doubles:
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

    def vectors(self, embeddings: Embeddings) -> Embeddings:
        """The embeddings themselves."""
        return np.ascontiguousarray(embeddings)


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
                cohort = weights["comparator.cohort"].astype(np.float32)
                return NumpyCsls(cohort, min(params["nearest"], len(cohort)))
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


def _unit(vectors: npt.NDArray[_Float]) -> npt.NDArray[_Float]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
