"""Who of a gallery is most alike: every person compared, or a compressed copy scanned first for large galleries.

Up to 100 000 people every embedding is read. Beyond, product quantisation (Jégou et al. 2011) keeps 4 bits for
each 2 dimensions, a sixteenth of the single-precision bytes, and the whole compressed gallery is scanned from
registers (Douze et al. 2024, "The Faiss library": 4-bit fast scan). In both cases the best candidates
are then scored again, exactly, by the model's own comparator, so that the answers and their scores are the same.

Scanning everything in short beats visiting a part in full: on a million points drawn evenly from a sphere, the
hardest gallery there is, an inverted file that visits a quarter of its lists finds the nearest in 75-90 % of
searches, this scan in all, in the same time. Its index is built in seconds, so that it is never written to disk.
"""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from likeness.serving.numpy_comparators import Doubles, Embeddings, NumpyComparator

EXACT_LIMIT = 100_000
"""People up to whom every embedding is read."""

_RESCORED = 500  # candidates of the compressed scan whose embeddings are read
_MARGIN = 16  # candidates beyond those asked for that are scored in double precision
_TRAINED_ON = 65_536
_SCAN_BYTES = 1 << 28
_CODE_BITS = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Matches:
    """The most alike of a gallery for each of Q probes, best first; k is at most the size of the gallery.

    Attributes:
        rows: int64 [Q, k], of the gallery's embeddings.
        scores: float64 [Q, k], the comparator's own.
    """

    rows: npt.NDArray[np.int64]
    scores: Doubles


class Search:
    """A gallery, ready to be searched.

    Args:
        embeddings: float32 [N, D], one a person.
        comparator: of the model that made them.
        exact_limit: number of people beyond whom the compressed scan is used.
    """

    def __init__(
        self, embeddings: Embeddings, comparator: NumpyComparator, exact_limit: int = EXACT_LIMIT
    ) -> None:
        self._embeddings = embeddings
        self._comparator = comparator
        self._exact_limit = exact_limit
        self._ready(comparator.prepared(embeddings))

    def _ready(self, prepared: Embeddings) -> None:
        self._prepared, metric = prepared, self._comparator.metric
        self._index: Any = None
        if len(prepared) > self._exact_limit and metric is not None:
            self._index = _compressed(self._comparator.vectors(prepared), metric)
        self._scan = None if self._index is not None else self._comparator.scan(prepared)

    def renewed(self, embeddings: Embeddings) -> Search:
        """A search of a later state of the gallery; where people were only added, the index grows by them."""
        known = len(self._embeddings)
        if not np.array_equal(embeddings[:known], self._embeddings):
            return Search(embeddings, self._comparator, self._exact_limit)
        added = self._comparator.prepared(embeddings[known:])
        unchanged = self._prepared is self._embeddings  # a copy of a large gallery is spared
        prepared = embeddings if unchanged else np.concatenate([self._prepared, added])
        renewed = copy.copy(self)
        renewed._embeddings = embeddings
        if self._index is None:
            renewed._ready(prepared)
        else:
            renewed._prepared, renewed._index = prepared, _grown(self._index, self._comparator.vectors(added))
        return renewed

    @property
    def exact(self) -> bool:
        """Whether every embedding is read."""
        return self._index is None

    def best(self, probes: Embeddings, k: int = 1) -> Matches:
        """The k most alike for each probe.

        Args:
            probes: float32 [Q, D].
            k: at least 1; fewer are returned where the gallery holds fewer.
        """
        k = min(k, len(self._embeddings))
        rows = np.empty((len(probes), k), dtype=np.int64)
        scores = np.empty((len(probes), k), dtype=np.float64)
        if k == 0:
            return Matches(rows, scores)
        at_once = max(1, _SCAN_BYTES // (4 * len(self._embeddings)))
        probes = self._comparator.prepared(probes)
        for start in range(0, len(probes), at_once):
            some = probes[start : start + at_once]
            for i, candidates in enumerate(self._candidates(some, k), start):
                rows[i], scores[i] = self._rescored(probes[i], candidates, k)
        return Matches(rows, scores)

    def _candidates(self, probes: Embeddings, k: int) -> list[npt.NDArray[np.int64]]:
        """Rows for each probe that hold its k best."""
        if self._scan is not None:
            return [_largest(row, k + _MARGIN) for row in self._scan(probes)]
        wanted = min(max(_RESCORED, 2 * k), len(self._embeddings))
        _, found = self._index.search(_even(self._comparator.queries(probes)), wanted)
        return [self._narrowed(probe, rows[rows >= 0], k) for probe, rows in zip(probes, found, strict=True)]

    def _narrowed(self, probe: Embeddings, rows: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
        """Those of the rows that hold the k best, by single-precision scores of the embeddings themselves."""
        scores = self._comparator.scan(self._prepared[rows])(probe[None])[0]
        return rows[_largest(scores, k + _MARGIN)]

    def _rescored(
        self, probe: Embeddings, candidates: npt.NDArray[np.int64], k: int
    ) -> tuple[npt.NDArray[np.int64], Doubles]:
        """The k best of the candidates by exact score; equal scores in the gallery's order."""
        candidates = np.sort(candidates)
        scores = self._comparator.compare(
            np.broadcast_to(probe, (len(candidates), len(probe))), self._prepared[candidates]
        )
        order = np.argsort(-scores, kind="stable")[:k]
        return candidates[order], scores[order]


def _largest(values: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """Where the `count` largest values are, in any order; all where there are fewer."""
    count = min(count, len(values))
    return np.argpartition(-values, count - 1)[:count]


def _compressed(vectors: Embeddings, metric: str) -> Any:
    """A product quantiser of 2 dimensions a code over all vectors."""
    import faiss  # only large galleries need it, and it takes a third of a second

    vectors = _even(vectors)
    kind = faiss.METRIC_INNER_PRODUCT if metric == "inner product" else faiss.METRIC_L2
    index = faiss.IndexPQFastScan(vectors.shape[1], vectors.shape[1] // 2, _CODE_BITS, kind)
    step = max(1, len(vectors) // _TRAINED_ON)
    index.train(np.ascontiguousarray(vectors[::step][:_TRAINED_ON]))
    index.add(vectors)
    _log.info("compressed %d embeddings for search", len(vectors))
    return index


def _grown(index: Any, vectors: Embeddings) -> Any:
    """A copy with more vectors; the old one may be searching in another thread."""
    import faiss

    index = faiss.clone_index(index)
    index.add(_even(vectors))
    return index


def _even(vectors: Embeddings) -> Embeddings:
    """With a zero beside them where their length is odd, since a code covers two dimensions."""
    return np.pad(vectors, ((0, 0), (0, vectors.shape[1] % 2))) if vectors.shape[1] % 2 else vectors
