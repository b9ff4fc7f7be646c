"""The head as a solid: a sphere pressed into shape, with a relief on it.

Positions on the face are given on its *chart*, the stereographic projection of the sphere from the back of the
head: a unit direction n (x right, y down, z out of the face) is at (u, v) = 2 (n_x, n_y) / (1 + n_z). It is
conformal, so that a round iris stays round, has no pole on the visible side, and is close to n itself around
the nose; (0, -2) is the top of the head, (±2, 0) are the ears. Lengths are in half heads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from drawnfaces import exact
from drawnfaces.capture import Expression
from drawnfaces.exact import Map
from drawnfaces.identity import Identity, Skull
from drawnfaces.noise import bell, step

EXTENT = 2.2
"""The relief covers u and v from -EXTENT to EXTENT."""

NODES = 200
"""Nodes of the relief along one side."""

_REACH = 1.6  # half the height covered by the profile's table

Vectors = npt.NDArray[np.floating[Any]]
"""[h, w, k]"""


@dataclass(frozen=True)
class Head:
    """Shape of one head with one expression.

    Attributes:
        profile: [1, n, 3], reciprocal half width, reciprocal half depth and middle in depth, by height.
        height: of the upper and of the lower half.
        relief: [NODES, NODES], bulge above the pressed sphere.
        normals: [NODES, NODES, 3], unit normals that point out.
    """

    profile: Vectors
    height: tuple[float, float]
    relief: Map
    normals: Vectors


def nodes() -> tuple[Map, Map]:
    """u and v of the relief's nodes, each [NODES, NODES]."""
    axis = np.linspace(-EXTENT, EXTENT, NODES, dtype=np.float32)
    u, v = np.meshgrid(axis, axis)
    return u, v


def build_head(identity: Identity, expression: Expression, hair: Map) -> Head:
    """Presses the sphere into shape and lays face and hair upon it.

    Args:
        identity: whose head it is.
        expression: what the face does.
        hair: thickness of the hair at the relief's nodes.
    """
    profile = _profile(identity.skull)
    height = (identity.skull.forehead, identity.skull.length)
    relief = _face_relief(identity, expression) + hair
    return Head(profile, height, relief, _normals(profile, height, relief))


def look_up(table: Map | Vectors, u: Map, v: Map) -> Vectors:
    """A table over the relief's nodes, read at (u, v); beyond its edge the edge's value."""
    scale = np.float32((NODES - 1) / (2 * EXTENT))
    return exact.looked_up(table, (u + EXTENT) * scale, (v + EXTENT) * scale, cv2.BORDER_REPLICATE)


def _profile(skull: Skull) -> Vectors:
    """Half width and half depth by height, as reciprocals, and how far the jaw juts out."""
    y = np.linspace(-_REACH, _REACH, 256, dtype=np.float32)
    width = 1.0 + skull.cheekbones * bell(y - 0.25, 0.3) + (0.09 + skull.temples) * bell(y + 0.62, 0.36)
    width += skull.jaw * bell(y - 0.62, 0.28) + skull.chin * bell(y - 1.0, 0.22)
    depth = 1.0 - 0.12 * step(0.2, 0.9, y) + 0.12 * bell(y + 0.6, 0.3)
    middle = 0.36 * step(0.15, 1.05, y)
    halves = [0.74 * skull.width * width, 0.94 * skull.depth * depth]
    return np.stack([1.0 / halves[0], 1.0 / halves[1], middle], axis=-1).astype(np.float32)[None]


def profile_at(profile: Vectors, n_y: Map) -> Vectors:
    """The profile's three numbers at heights `n_y` of the sphere, [h, w, 3]."""
    column = (n_y + np.float32(_REACH)) * np.float32(255 / (2 * _REACH))
    return exact.looked_up(profile, column, np.zeros_like(column), cv2.BORDER_REPLICATE)


def _face_relief(identity: Identity, expression: Expression) -> Map:
    """Bulge of the bare face at the nodes."""
    axis = np.linspace(-EXTENT, EXTENT, NODES, dtype=np.float32)
    return _nose(identity, axis) + _sockets(identity, axis) + _lower_face(identity, expression, axis)


def _bump(axis: Map, u: float, v: float, width: float, height: float) -> Map:
    """A bell at (±u, v), [NODES, NODES]."""
    return np.outer(bell(axis - v, height), bell(np.abs(axis) - u, width))


def _nose(identity: Identity, axis: Map) -> Map:
    nose = identity.nose
    along = step(-0.32, 0.05, axis) * step(nose.length + 0.07, nose.length - 0.1, axis)
    rise = nose.bridge + nose.tip * step(0.0, nose.length, axis)
    breadth = 0.3 * nose.width + 0.06 + 0.2 * nose.width * step(0.15, nose.length, axis)
    ridge = exact.exp(-np.square(axis[None, :] / breadth[:, None])) * (along * rise)[:, None]
    wings = _bump(axis, 0.72 * nose.width, nose.length - 0.045, 0.36 * nose.width, 0.075)
    tip = _bump(axis, 0.0, nose.length - 0.035, 0.42 * nose.width, 0.075)
    return np.asarray(ridge + 0.085 * wings + 0.06 * tip, np.float32)


def _sockets(identity: Identity, axis: Map) -> Map:
    eyes, brows = identity.eyes, identity.brows
    socket = _bump(axis, eyes.spacing - 0.03, -0.03, 0.19, 0.13)
    ball = _bump(axis, eyes.spacing, 0.0, 0.12, 0.09)
    ridge = _bump(axis, 0.34, -brows.height + 0.06, 0.3, 0.09)
    return np.asarray(0.04 * ball - eyes.depth * socket + brows.ridge * ridge, np.float32)


def _lower_face(identity: Identity, expression: Expression, axis: Map) -> Map:
    skull, mouth = identity.skull, identity.mouth
    lift = 0.06 * max(0.0, expression.smile)
    drop = 0.1 * expression.jaw
    cheekbone = _bump(axis, 0.62, 0.32 - lift, 0.24, 0.18) * (0.035 + 0.5 * skull.cheekbones + 0.5 * lift)
    cheek = _bump(axis, 0.62, 0.8, 0.3, 0.3) * skull.cheeks
    muzzle = _bump(axis, 0.0, mouth.height, 0.46, 0.26) * 0.04
    upper = _bump(axis, 0.0, mouth.height - 0.6 * mouth.upper, 0.9 * mouth.width, 1.2 * mouth.upper) * 0.022
    lower = _bump(axis, 0.0, mouth.height + 0.7 * mouth.lower + drop, 0.8 * mouth.width, mouth.lower) * 0.035
    dip = _bump(axis, 0.0, mouth.height + mouth.lower + 0.1 + drop, 0.22, 0.06) * -0.025
    chin = _bump(axis, 0.0, 1.32 + drop, 0.24, 0.2) * skull.chin_boss
    return np.asarray(cheekbone + cheek + muzzle + upper + lower + dip + chin, np.float32)


def _normals(profile: Vectors, height: tuple[float, float], relief: Map) -> Vectors:
    """Unit normals of the surface at the nodes, from the differences of its positions."""
    u, v = nodes()
    square = 0.25 * (u * u + v * v)
    swell = (1.0 + relief) / (1.0 + square)
    n_x, n_y, n_z = u * swell, v * swell, (1.0 - square) * swell
    pressed = profile_at(profile, n_y)
    y = n_y * np.where(n_y < 0, np.float32(height[0]), np.float32(height[1]))
    points = np.stack([n_x / pressed[..., 0], y, n_z / pressed[..., 1] + pressed[..., 2]], axis=-1)
    along_u = exact.slope(points, 1, 0)
    along_v = exact.slope(points, 0, 1)
    return _unit(_cross(along_u, along_v))


def _cross(a: Vectors, b: Vectors) -> Vectors:
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def _unit(vectors: Vectors) -> Vectors:
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    length = np.sqrt(x * x + y * y + z * z)
    return np.asarray(vectors / np.maximum(length, np.float32(1e-9))[..., None], np.float32)
