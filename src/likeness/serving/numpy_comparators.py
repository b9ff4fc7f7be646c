"""Comparators of `likeness.models.comparators` in NumPy, for programs that must start without torch.

One that is not here is served by its torch module, see `likeness.serving.model.TorchComparator`.

Each scores pairs in double precision, as `likeness.models.embedding.score_pairs` does (a test holds the two
equal), and a whole gallery at once in single precision, for search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, TypeVar

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

NUMPY = ("cosine", "euclidean", "mahalanobis", "weighted-l1")
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


@dataclass(frozen=True)
class NumpyCosine:
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


@dataclass(frozen=True)
class NumpyEuclidean:
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
class NumpyWeightedL1:
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


def build_comparator(name: str, weights: Mapping[str, npt.NDArray[np.floating]]) -> NumpyComparator:
    """The comparator of a model.

    Args:
        name: as in the card's `model.comparator`.
        weights: tensors of the weights file whose names begin with `comparator.`.

    Raises:
        ModelError: the name is unknown, or its weights are missing.
    """
    try:
        match name:
            case "cosine":
                return NumpyCosine()
            case "euclidean":
                return NumpyEuclidean()
            case "mahalanobis":
                return NumpyEuclidean(weights["comparator.factor.weight"].astype(np.float64))
            case "weighted-l1":
                weight = weights["comparator.logit.weight"].astype(np.float64).ravel()
                return NumpyWeightedL1(weight, float(weights["comparator.logit.bias"].ravel()[0]))
    except KeyError as error:
        raise ModelError(f"the weights file lacks {error.args[0]}; copy or train the model again") from error
    raise ModelError(f"no comparator is called {name!r}; the model is of a newer version or its card was edited")


def _unit(vectors: npt.NDArray[_Float]) -> npt.NDArray[_Float]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
