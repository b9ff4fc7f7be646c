"""Places a face where a network expects it: a similarity transform from its landmarks to those of a template."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from likeness.faces.detector import Landmarks
from likeness.images import Pixels


@dataclass(frozen=True)
class Alignment:
    """Where a network expects the landmarks of a face.

    Attributes:
        size: height and width of its aligned faces, in pixels.
        template: five points (x, y) in them, in the order of `Landmarks`.
    """

    size: tuple[int, int]
    template: tuple[tuple[float, float], ...]

    def points(self, frame: int, side: int) -> npt.NDArray[np.float64]:
        """The template, enlarged so that its faces take the middle `side` rows of a square frame.

        Args:
            frame: side of the frame, in pixels.
            side: of the face.

        Returns:
            [5, 2].
        """
        scale = side / self.size[0]
        start = np.array([frame - scale * self.size[1], frame - side]) / 2
        return (np.array(self.template) + 0.5) * scale + start - 0.5


ARCFACE_112 = Alignment(
    (112, 112),
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
)
"""The template of ArcFace and SFace towers (Deng et al. 2019)."""


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
        photograph = np.asarray(
            cv2.resize(photograph, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
        transform = similarity((landmarks + 0.5) * share - 0.5, template)
    return np.asarray(cv2.warpAffine(photograph, transform, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


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
