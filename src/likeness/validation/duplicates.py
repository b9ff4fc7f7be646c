"""The same photograph twice: equal by content, or alike by perceptual hash and then by its pixels.

A hash alone either misses copies or finds false ones. On LFW deep-funneled the five photographs with two names
are within 6 bits of each other, but so are some fifty pairs of photographs that merely have their light in
the same place. The correlation of the pixels separates them: it is at least 0.94 for the five, and at most 0.90
for the others within 8 bits, whether whole pictures are stored or central crops.
"""

from __future__ import annotations

from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from likeness.data.faceset import FaceSet

BITS = 64
SAME_HASH = 50  # images of one hash that are compared; thousands of them are blank, and compared by content alone
CHUNK = 2048  # pairs of images whose correlation is taken at once


def copies(faces: FaceSet, distance: int, correlation: float) -> pd.DataFrame:
    """Pairs of rows that hold the same photograph.

    Args:
        faces: N images.
        distance: most bits in which the perceptual hashes of one photograph differ.
        correlation: least correlation of the stored pixels of one photograph.

    Returns:
        int64 columns row, twin (row > twin) and distance, float64 column correlation; ordered by row, then from
        the most to the least alike. A file is paired with the first one of the same content, not with all.
    """
    near = _near_rows(faces.manifest, distance)
    alike = correlations(faces.pixels, near) >= correlation
    both = np.unique(np.concatenate([_same_content(faces.manifest), near[alike]]), axis=0)
    bits = np.zeros(len(both), dtype=np.int64)
    hashed = (faces.manifest["phash"] != "").to_numpy()[both].all(axis=1)
    hashes = _hashes(faces.manifest["phash"], both[hashed].ravel()).reshape(-1, 2)
    bits[hashed] = np.bitwise_count(hashes[:, 0] ^ hashes[:, 1])
    table = pd.DataFrame({"row": both[:, 1], "twin": both[:, 0], "distance": bits})
    table["correlation"] = correlations(faces.pixels, both).astype(np.float64)
    return table.sort_values(["row", "correlation", "twin"], ascending=[True, False, True], ignore_index=True)


def near_hashes(hashes: NDArray[np.uint64], radius: int) -> NDArray[np.int64]:
    """All pairs of hashes at a Hamming distance of at most `radius`.

    Two hashes that differ in at most r bits agree in at least one of r + 1 bands of bits (pigeonhole), so only
    hashes that share a band are compared: exact, and the work grows with the candidates, not with N².

    Args:
        hashes: uint64 [N].
        radius: 0..63 bits.

    Returns:
        int64 [K, 2], positions i < j, each pair once, ordered.
    """
    found = [np.zeros((0, 2), dtype=np.int64)]
    for band in np.array_split(np.arange(BITS, dtype=np.uint64), radius + 1):
        key = hashes & np.bitwise_or.reduce(np.uint64(1) << band)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        here = np.arange(len(hashes))
        for step in count(1):  # compares each element with the one `step` further on in its group
            here = here[here + step < len(hashes)]
            here = here[ordered[here] == ordered[here + step]]
            if not len(here):
                break
            one, two = order[here], order[here + step]
            near = np.bitwise_count(hashes[one] ^ hashes[two]) <= radius
            found.append(np.stack([one[near], two[near]], axis=1))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def correlations(pixels: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Pearson correlation of the pixels of each pair of rows, float32 [K] in [-1, 1]; 0 where one is constant."""
    result = np.zeros(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        one, two = (pixels[chunk[:, side]].reshape(len(chunk), -1).astype(np.float32) for side in (0, 1))
        one -= one.mean(axis=1, keepdims=True)
        two -= two.mean(axis=1, keepdims=True)
        scale = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
        product = np.einsum("ij,ij->i", one, two)
        np.divide(product, scale, out=result[start : start + CHUNK], where=scale > 0)
    return result


def _near_rows(manifest: pd.DataFrame, distance: int) -> NDArray[np.int64]:
    """Rows i < j whose hashes are near, int64 [K, 2]."""
    in_group = manifest.groupby("phash").cumcount().to_numpy()
    rows = np.flatnonzero((manifest["phash"] != "").to_numpy() & (in_group < SAME_HASH))
    return rows[near_hashes(_hashes(manifest["phash"], rows), distance)]


def _hashes(phash: pd.Series[str], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.array([int(digits, 16) for digits in phash.iloc[rows]], dtype=np.uint64)


def _same_content(manifest: pd.DataFrame) -> NDArray[np.int64]:
    """The first file and each later one of the same content, int64 [K, 2]."""
    rows = pd.Series(np.arange(len(manifest)), index=manifest.index)
    first = rows.groupby(manifest["sha256"]).transform("first").to_numpy()
    later = np.flatnonzero(first < rows.to_numpy())
    return np.stack([first[later], later], axis=1)
