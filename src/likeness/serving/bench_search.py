"""How fast a gallery is searched: time, recall, and the floor that memory sets for reading every embedding.

The galleries are points drawn evenly from the unit sphere, which no compression and no partition can exploit: the
hardest there is. Half of the probes are people of the gallery, at a cosine of 0.6 from their template; the others
are not enrolled: their nearest neighbour is a matter of the third decimal.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likeness.progress import progress
from likeness.serving.bench_towers import one_core
from likeness.serving.numpy_comparators import Embeddings, NumpyCosine
from likeness.serving.search import Search

PEOPLE = (1_000, 100_000, 1_000_000)
_PROBES = 200
_COSINE = 0.6
_BLOCK = 100_000
_BANDWIDTH_BYTES = 1 << 28
_WARM_UP = 5


@dataclass(frozen=True)
class SearchFigures:
    """What was measured of one gallery.

    Attributes:
        people: enrolled.
        dim: length of an embedding.
        kind: "exact" or "compressed".
        p50_ms: median milliseconds of one identification's search on one core, the embedding not counted.
        p99_ms: their 99th percentile.
        floor_ms: bytes of the gallery divided by the measured bandwidth: the least that reading every embedding
            takes.
        recall_enrolled: share of probes of enrolled people whose best is that of the exact search.
        recall_unknown: the same for people who are not enrolled.
        build_seconds: to make the gallery searchable, on one core.
    """

    people: int
    dim: int
    kind: str
    p50_ms: float
    p99_ms: float
    floor_ms: float
    recall_enrolled: float
    recall_unknown: float
    build_seconds: float


def bench_search(sizes: Sequence[int] = PEOPLE, dim: int = 256) -> list[SearchFigures]:
    """Times identification in galleries of several sizes, on one core."""
    with one_core():
        bandwidth = memory_bandwidth()
        return [_figures(size, dim, bandwidth) for size in progress(sizes, "searching")]


def memory_bandwidth() -> float:
    """Bytes a second that one core reads, the best of some passes over 256 MB."""
    block = np.zeros(_BANDWIDTH_BYTES // 8, dtype=np.int64)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        np.bitwise_or.reduce(block)
        best = min(best, time.perf_counter() - start)
    return _BANDWIDTH_BYTES / best


def _figures(people: int, dim: int, bandwidth: float) -> SearchFigures:
    rng = np.random.default_rng(0)
    gallery = np.concatenate(
        [_sphere(rng, min(_BLOCK, people - start), dim) for start in range(0, people, _BLOCK)]
    )
    probes = _probes(rng, gallery)
    start = time.perf_counter()
    search = Search(gallery, NumpyCosine())
    built = time.perf_counter() - start
    found, durations = _timed(search, probes)
    exact = found if search.exact else _exact(gallery, probes)
    agree = found == exact
    return SearchFigures(
        people,
        dim,
        "exact" if search.exact else "compressed",
        float(np.median(durations)),
        float(np.percentile(durations, 99)),
        1e3 * gallery.nbytes / bandwidth,
        float(agree[: _PROBES // 2].mean()),
        float(agree[_PROBES // 2 :].mean()),
        built,
    )


def _timed(search: Search, probes: Embeddings) -> tuple[np.ndarray, np.ndarray]:
    """The best row for each probe, one search each, and milliseconds."""
    for probe in probes[:_WARM_UP]:
        search.best(probe[None])
    rows, durations = np.empty(len(probes), dtype=np.int64), np.empty(len(probes))
    for i in range(len(probes)):
        start = time.perf_counter()
        rows[i] = search.best(probes[i : i + 1]).rows[0, 0]
        durations[i] = 1e3 * (time.perf_counter() - start)
    return rows, durations


def _exact(gallery: Embeddings, probes: Embeddings) -> np.ndarray:
    """The best rows by reading everything."""
    return Search(gallery, NumpyCosine(), exact_limit=len(gallery)).best(probes).rows[:, 0]


def _probes(rng: np.random.Generator, gallery: Embeddings) -> Embeddings:
    known = gallery[rng.integers(0, len(gallery), _PROBES // 2)]
    noise = _sphere(rng, len(known), gallery.shape[1])
    noise -= (noise * known).sum(axis=1, keepdims=True) * known
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    near = _COSINE * known + np.float32(np.sqrt(1 - _COSINE**2)) * noise
    return np.concatenate([near, _sphere(rng, _PROBES - len(known), gallery.shape[1])]).astype(np.float32)


def _sphere(rng: np.random.Generator, count: int, dim: int) -> Embeddings:
    points = rng.standard_normal((count, dim), dtype=np.float32)
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))
