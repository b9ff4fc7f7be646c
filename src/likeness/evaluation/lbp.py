"""Histograms of uniform local binary patterns of many faces at once (Ojala et al. 2002; Ahonen et al. 2006).

Eight neighbours on a circle of radius 2. A pattern is uniform when its circle of bits changes value at most
twice: 58 patterns, each with a bin of its own, and one bin for all others. The diagonal neighbours lie
between pixels and are interpolated bilinearly; outside the image is black.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from likeness.images import grey
from likeness.models.backbones.patterns import BINS, CIRCLE, RADIUS, bin_of_code
from likeness.models.backbones.resampling import triangle_weights
from likeness.progress import progress

Bytes = NDArray[np.uint8]
Singles = NDArray[np.float32]

# Shares of the four pixels around a diagonal neighbour, in whole numbers that add up to one unit exactly:
# a flat region then equals its neighbours exactly, which no sum of floating-point shares grants.
_UNIT = 1 << 22
_OFF = round(RADIUS / np.sqrt(2), 5) - 1  # how far it lies beyond the pixel at (1, 1), in each direction
_SIDE = round(_OFF * (1 - _OFF) * _UNIT)
_OUTER = round(_OFF * _OFF * _UNIT)
_INNER = _UNIT - 2 * _SIDE - _OUTER


def patterns(images: Bytes) -> Bytes:
    """Bin of the pattern at every pixel.

    Args:
        images: uint8 [N, H, W].

    Returns:
        uint8 [N, H, W] in 0..58; 58 stands for every pattern that is not uniform.
    """
    return np.asarray(bin_of_code()[_codes(images)])


def histograms(images: Bytes, cell: int) -> Singles:
    """Pattern histograms over a grid of square cells, as square roots of shares (the Hellinger map).

    Args:
        images: uint8 [N, H, W]; rows and columns that fill no whole cell are left out at the far edges.
        cell: height and width of a cell in pixels.

    Returns:
        float32 [N, (H // cell) * (W // cell) * 59]; each cell's 59 values have Euclidean length 1.
    """
    count, height, width = images.shape
    down, across = height // cell, width // cell
    found = patterns(images)[:, : down * cell, : across * cell].reshape(count, down, cell, across, cell)
    cells = np.arange(count * down * across, dtype=np.int32).reshape(count, down, 1, across, 1) * BINS
    counts = np.bincount((found + cells).ravel(), minlength=count * down * across * BINS)
    return np.sqrt(counts.reshape(count, -1) / cell**2, dtype=np.float32)


def describe(
    faces: Bytes,
    rows: NDArray[np.int64],
    window: tuple[slice, slice],
    scales: Sequence[tuple[int, int]],
    cell: int,
) -> Singles:
    """Histograms of many faces at several sizes, side by side, on all cores.

    Args:
        faces: uint8 [N, H, W] or [N, H, W, 3], of which the luminance is described; may be a memory map.
        rows: int64 [M], which faces.
        window: the part of each face that is looked at.
        scales: height and width that the part is resized to, for each scale.
        cell: of the histograms, in pixels of each scale.

    Returns:
        float32 [M, D].
    """
    dimensions = [(height // cell) * (width // cell) * BINS for height, width in scales]
    described = np.empty((len(rows), sum(dimensions)), np.float32)
    edges = np.cumsum([0, *dimensions])

    def work(place: int) -> None:
        # One face at a time: its integers stay in a core's cache, which is worth more than fewer calls.
        face = grey(faces[rows[place]])[None, window[0], window[1]]
        for size, low, high in zip(scales, edges, edges[1:], strict=False):
            described[place, low:high] = histograms(resized(face, size), cell)[0]

    # The faces share out the cores already; matrix products that do so as well would fight over them.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor() as pool:
        for _ in progress(pool.map(work, range(len(rows))), "LBP", total=len(rows), unit="face"):
            pass
    return described


def resized(images: Bytes, size: tuple[int, int]) -> Bytes:
    """Images [N, H, W] at another size, antialiased where they shrink, linear where they grow."""
    if images.shape[1:] == size:
        return images
    down, across = triangle_weights(images.shape[1], size[0]), triangle_weights(images.shape[2], size[1])
    return np.asarray(np.rint(down @ images.astype(np.float32) @ across.T), np.uint8)


def _codes(images: Bytes) -> Bytes:
    """One bit a neighbour, set where it is at least as bright as the centre; neighbours in circular order."""
    padded = np.pad(images, ((0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS)))
    wide = padded.astype(np.int32)
    inner, side, outer = wide * _INNER, wide * _SIDE, wide * _OUTER
    centre, centre_units = images, images.astype(np.int32) * _UNIT
    height, width = images.shape[1:]

    def moved(plane: NDArray[Any], down: int, across: int) -> NDArray[Any]:
        top, left = RADIUS + down, RADIUS + across
        return plane[:, top : top + height, left : left + width]

    codes = np.zeros(images.shape, np.uint8)
    for bit, (down, across) in enumerate(CIRCLE):
        if down and across:
            near = moved(inner, down, across) + moved(side, 2 * down, across)
            neighbour = near + moved(side, down, 2 * across) + moved(outer, 2 * down, 2 * across)
            reached = neighbour >= centre_units
        else:
            reached = moved(padded, RADIUS * down, RADIUS * across) >= centre
        codes |= reached.view(np.uint8) << np.uint8(bit)
    return codes
