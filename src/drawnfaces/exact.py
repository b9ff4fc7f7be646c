"""Functions whose results are the same on every processor.

Vectorised code rounds the last bit of a transcendental function, of a sum or of a filter differently on processors
with other vector units, and one such bit in a picture changes the digest of a whole data set. Here everything of
that kind is computed in float64 and rounded to float32: two float64 results that differ in their last bits become
the same float32 unless a rounding boundary lies between them, which happens once in some 10⁸ values; only a
boundary of the final grey levels would then show it. Additions, products and square roots of float32 arrays need
none of this: IEEE 754 defines them to the last bit.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.floating[Any]]
"""One value a pixel (or a node of the relief): [h, w], float32."""


def exp(x: Map) -> Map:
    """e^x."""
    return np.exp(_wide(x)).astype(np.float32)


def sin(x: Map) -> Map:
    """Sine of an angle in radians."""
    return np.sin(_wide(x)).astype(np.float32)


def cos(x: Map) -> Map:
    """Cosine of an angle in radians."""
    return np.cos(_wide(x)).astype(np.float32)


def arctan2(y: Map, x: Map) -> Map:
    """Angle of (x, y) in radians."""
    return np.arctan2(_wide(y), _wide(x)).astype(np.float32)


def hypot(x: Map, y: Map) -> Map:
    """Length of (x, y)."""
    return np.sqrt(x * x + y * y)


def power(x: Map, exponent: float) -> Map:
    """x^exponent for x ≥ 0."""
    return np.power(_wide(x), exponent).astype(np.float32)


def mean(x: Map) -> float:
    """Mean of all values."""
    return float(np.float32(_wide(x).mean()))


def deviation(x: Map) -> float:
    """Standard deviation of all values."""
    return float(np.float32(_wide(x).std()))


def rotate(matrix: Map, vectors: Map) -> Map:
    """Each of the vectors [..., 3] multiplied by a matrix [3, 3]."""
    x, y, z = (_wide(vectors[..., axis]) for axis in range(3))
    rows = [row[0] * x + row[1] * y + row[2] * z for row in _wide(matrix)]
    return np.stack(rows, axis=-1).astype(np.float32)


def blur(x: Map, across: float, along: float | None = None) -> Map:
    """Gaussian blur by `across` pixels in x and `along` pixels in y (as many where it is None)."""
    blurred = cv2.GaussianBlur(_wide(x), (0, 0), sigmaX=across, sigmaY=across if along is None else along)
    return np.asarray(blurred).astype(np.float32)


def filtered(x: Map, kernel: Map) -> Map:
    """Correlation with a kernel, the border reflected."""
    return np.asarray(cv2.filter2D(_wide(x), -1, _wide(kernel))).astype(np.float32)


def looked_up(table: Map, x: Map, y: Map, border: int) -> Map:
    """A table [h, w] or [h, w, C] read at (x, y) by bilinear interpolation; `border` is one of OpenCV's modes."""
    return np.asarray(cv2.remap(_wide(table), x, y, cv2.INTER_LINEAR, borderMode=border)).astype(np.float32)


def slope(x: Map, across: int, along: int) -> Map:
    """Sobel derivative of an array [h, w, C], the border repeated."""
    found = cv2.Sobel(_wide(x), cv2.CV_64F, across, along, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found).astype(np.float32)


def shifted(x: Map, across: float, along: float) -> Map:
    """The picture moved so that (0, 0) shows what was at (across, along); zero beyond the border."""
    height, width = x.shape
    move = np.array([[1, 0, across], [0, 1, along]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(_wide(x), move, (width, height), flags=flags)).astype(np.float32)


def _wide(x: Map) -> npt.NDArray[np.float64]:
    return np.asarray(x, np.float64)
