"""Soft steps, bells and tileable noise: the few shapes that everything here is painted with."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from drawnfaces import exact
from drawnfaces.exact import Map

TILE = 256
"""Side of the noise tiles in samples; they repeat without a seam."""


def step(low: float, high: float, x: Map) -> Map:
    """Hermite step: 0 below `low`, 1 above `high`, smooth between (`low` > `high` turns it round)."""
    t = np.clip((x - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def bell(x: Map, width: float) -> Map:
    """exp(-(x / width)²): 1 at zero, 0.37 at `width`."""
    scaled = x * np.float32(1.0 / width)
    return exact.exp(-scaled * scaled)


def mix(under: Map | float, over: Map | float, share: Map | float) -> Map:
    """`under` where `share` is 0, `over` where it is 1."""
    return np.asarray(under + (over - under) * share, np.float32)


@functools.cache
def clouds() -> Map:
    """A tile of soft noise in four octaves, mean 0 and deviation 1."""
    octaves = [_blurred_tile(index, width, width) / 2**index for index, width in enumerate((24.0, 11.0, 5.0, 2.2))]
    return _standardised(np.sum(octaves, axis=0, dtype=np.float32))


@functools.cache
def grain() -> Map:
    """A tile of fine isotropic noise (pores, cropped hair, cloth), mean 0 and deviation 1."""
    return _blurred_tile(10, 0.9, 0.9)


@functools.cache
def strands() -> Map:
    """A tile of streaks along y (hair), fine and coarse ones, mean 0 and deviation 1."""
    return _standardised(_blurred_tile(20, 0.7, 14.0) + 0.9 * _blurred_tile(21, 2.5, 30.0))


def sample(tile: Map, x: Map, y: Map) -> Map:
    """The tile at (x, y), in samples, repeated without end; shape of `x`."""
    return np.asarray(cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


def _blurred_tile(seed: int, across: float, along: float) -> Map:
    """White noise blurred by `across` samples in x and `along` in y, seamless."""
    white = np.random.default_rng(seed).standard_normal((TILE, TILE), dtype=np.float32)
    wrapped = np.pad(white, TILE // 2, mode="wrap")
    blurred = exact.blur(wrapped, across, along)
    return _standardised(blurred[TILE // 2 : -TILE // 2, TILE // 2 : -TILE // 2])


def _standardised(tile: npt.NDArray[np.float32]) -> Map:
    return np.ascontiguousarray(
        (tile - np.float32(exact.mean(tile))) / np.float32(exact.deviation(tile)), dtype=np.float32
    )
