"""The picture plane around a head, and the light on flat things in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from drawnfaces import exact
from drawnfaces.capture import Light, Pose
from drawnfaces.exact import Map
from drawnfaces.head import Vectors
from drawnfaces.noise import mix

SIDE = 250
"""Width and height of a picture, pixels."""

PIXELS = 66.0
"""Pixels to a half head; the eyes are some 45 apart, as in LFW."""

SOFT = 0.03
"""Two pixels in half heads: the width of an edge."""

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Stage:
    """Coordinates of pixels, the turn of the head, and the light.

    Attributes:
        x: [h, w] in half heads, origin at the middle of the head, to the right.
        y: [h, w] likewise, down.
        pixels: to a half head.
        rotation: [3, 3], head coordinates to picture coordinates.
        lamp: unit vector towards the lamp.
        light: strengths of lamp and sky.
    """

    x: Map
    y: Map
    pixels: float
    rotation: Vectors
    lamp: tuple[float, float, float]
    light: Light

    def seen(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Picture coordinates of a point of the head, and how near it is to the camera."""
        moved = exact.rotate(self.rotation, np.array([x, y, z], np.float32))
        return float(moved[0]), float(moved[1]), float(moved[2])

    def lit(self, lean_x: Map | float, lean_y: Map | float = 0.0) -> Map:
        """Light on a surface whose unit normal leans to the right and down by these components."""
        towards = np.sqrt(np.maximum(1.0 - lean_x * lean_x - lean_y * lean_y, 0.05))
        facing = lean_x * self.lamp[0] + lean_y * self.lamp[1] + np.float32(self.lamp[2]) * towards
        return lambert(facing) * self.light.lamp + open_sky(lean_y) * self.light.sky

    def within(self, left: float, top: float, right: float, bottom: float) -> tuple[Window, Stage]:
        """The window of pixels between these coordinates, and the stage cut down to it."""
        columns = slice(*(int(at) for at in np.searchsorted(self.x[0], (left, right))))
        rows = slice(*(int(at) for at in np.searchsorted(self.y[:, 0], (top, bottom))))
        window = (rows, columns)
        return window, replace(self, x=self.x[window], y=self.y[window])


def build_stage(pose: Pose, light: Light) -> Stage:
    """The whole picture, moved so that the middle of the face (not of the head) is near its middle."""
    rotation = rotation_of(pose)
    face = exact.rotate(rotation, np.array([0.0, 0.3, 0.75], np.float32))
    pixels = PIXELS * pose.scale
    left = (SIDE / 2 + pose.shift_x) / pixels - float(face[0])
    top = (SIDE / 2 + 3.0 + pose.shift_y) / pixels - float(face[1])
    axis = np.arange(SIDE, dtype=np.float32) / np.float32(pixels)
    x, y = np.meshgrid(axis - np.float32(left), axis - np.float32(top))
    return Stage(x, y, pixels, rotation, direction_of(light), light)


def lay(scene: Map, window: Window, tone: Map | float, cover: Map) -> None:
    """Covers a window of the scene, in place."""
    scene[window] = mix(scene[window], tone, cover)


def lambert(facing: Map) -> Map:
    """Lamp light by the cosine between normal and lamp, wrapped a little round the edge as skin does."""
    return np.asarray(np.clip((facing + 0.25) * 0.8, 0.0, 1.2))


def open_sky(down: Map | float) -> Map | float:
    """Light from all sides, more from above, by the part of the normal that points down."""
    return 0.75 - 0.25 * down


def rotation_of(pose: Pose) -> Vectors:
    """[3, 3] from head to picture coordinates: yaw, then pitch, then roll."""
    cy, sy = math.cos(pose.yaw), math.sin(pose.yaw)
    cp, sp = math.cos(pose.pitch), math.sin(pose.pitch)
    cr, sr = math.cos(pose.roll), math.sin(pose.roll)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw, np.float32)


def direction_of(light: Light) -> tuple[float, float, float]:
    """Unit vector towards the lamp in picture coordinates (y down, z to the camera)."""
    flat = math.cos(light.elevation)
    return flat * math.sin(light.azimuth), -math.sin(light.elevation), flat * math.cos(light.azimuth)
