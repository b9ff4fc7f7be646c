"""Places a face where a network expects it. `ALIGNMENTS` knows the ways of doing so by name."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from likeness.faces.detectors.detector import DEFAULT_DETECTOR, Detection, Landmarks
from likeness.images import Pixels
from likeness.images.geometry import FRAME
from likeness.parts import Parts


class Alignment(ABC):
    """How a face that was found is placed in a frame of 250×250 pixels."""

    detector: ClassVar[str] = DEFAULT_DETECTOR
    """The detector, by name, that finds the faces for it."""

    @abstractmethod
    def frame(self, photograph: Pixels, found: Detection) -> Pixels:
        """A face of a photograph uint8 [h, w] or RGB [h, w, 3], as uint8 [250, 250] or [250, 250, 3]."""


ALIGNMENTS: Parts[Alignment] = Parts("alignment", __package__)


@functools.cache
def get_alignment(name: str) -> Alignment:
    """The alignment of a name.

    Raises:
        ValueError: no alignment has that name; the message lists those that there are.
    """
    return ALIGNMENTS.part(name)()


@dataclass(frozen=True)
class Template:
    """Where a network expects the landmarks of a face.

    Attributes:
        size: height and width of its aligned faces, in pixels.
        landmarks: five points (x, y) in them, in the order of `Landmarks`.
    """

    size: tuple[int, int]
    landmarks: tuple[tuple[float, float], ...]

    def points(self, frame: int, side: int) -> npt.NDArray[np.float64]:
        """The landmarks, enlarged so that its faces take the middle `side` rows of a square frame.

        Args:
            frame: side of the frame, in pixels.
            side: of the face.

        Returns:
            [5, 2].
        """
        scale = side / self.size[0]
        start = np.array([frame - scale * self.size[1], frame - side]) / 2
        return (np.array(self.landmarks) + 0.5) * scale + start - 0.5


class LandmarkAlignment(Alignment):
    """The face turned, scaled and shifted so that its landmarks lie closest to those of a template."""

    template: ClassVar[Template]
    side: ClassVar[int]
    """Height in the frame of the template's face, in pixels; beyond it a network may see more than it shows."""

    def frame(self, photograph: Pixels, found: Detection) -> Pixels:
        """See `Alignment.frame`.

        Raises:
            ValueError: the detector has reported no landmarks.
        """
        if found.landmarks is None:
            raise ValueError(f"{type(self).__name__} needs landmarks, which the detector has not reported")
        return align(photograph, found.landmarks, self.template.points(FRAME, self.side), FRAME)


def align(photograph: Pixels, landmarks: Landmarks, template: npt.NDArray[np.floating], size: int) -> Pixels:
    """A face of a photograph, its landmarks where a template has them; black beyond the photograph's border.

    Args:
        photograph: uint8 [h, w] or RGB [h, w, 3].
        landmarks: of the face, in the photograph.
        template: where they belong, [5, 2].
        size: side of the result, in pixels.

    Returns:
        uint8 [size, size] or [size, size, 3]; bilinear, of the photograph reduced by area where the face is more
        than twice as large.

    Raises:
        ValueError: the landmarks are one point.
    """
    transform = similarity(landmarks, template)
    scale = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    if scale < 0.5:
        share = 2 * scale
        photograph, start = _part(photograph, transform, size)
        landmarks = landmarks - start
        photograph = np.asarray(
            cv2.resize(photograph, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
        transform = similarity((landmarks + 0.5) * share - 0.5, template)
    return np.asarray(cv2.warpAffine(photograph, transform, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


def _part(
    photograph: Pixels, transform: npt.NDArray[np.float64], size: int
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """What an aligned face shows of a photograph, with a margin, and where that begins (x, y)."""
    inverse = np.linalg.inv(transform[:, :2])
    corners = (np.array([[0, 0], [0, size], [size, 0], [size, size]]) - transform[:, 2]) @ inverse.T
    margin = 4 * float(np.abs(inverse).max())
    most = np.array(photograph.shape[1::-1])
    start = np.clip(np.floor(corners.min(axis=0) - margin), 0, most - 1).astype(np.int64)
    end = np.clip(np.ceil(corners.max(axis=0) + margin), start + 1, most).astype(np.int64)
    return photograph[start[1] : end[1], start[0] : end[0]], start


def similarity(source: npt.NDArray[np.floating], target: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The rotation, scale and shift that bring points closest to others by least squares, without mirroring.

    Umeyama 1991, "Least-squares estimation of transformation parameters between two point patterns", equations
    40 to 42.

    Args:
        source: points (x, y) [N, 2], not all one.
        target: as many points.

    Returns:
        [2, 3]: target ≈ source @ T[:, :2].T + T[:, 2].

    Raises:
        ValueError: the source is one point.
    """
    middle, goal = source.mean(axis=0), target.mean(axis=0)
    spread = float(((source - middle) ** 2).sum(axis=1).mean())
    if spread <= 0:
        raise ValueError("the landmarks are one point, which has no size and no direction")
    covariance = (target - goal).T @ (source - middle) / len(source)
    left, values, right = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    linear = float((values * signs).sum()) / spread * (left * signs) @ right
    return np.concatenate([linear, (goal - linear @ middle)[:, None]], axis=1)
