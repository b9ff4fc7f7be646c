"""How well a photographed face can be compared: size, sharpness, light and pose, and one score of them all.

Covered eyes or mouths are not measured: five landmarks are reported for them all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from likeness.faces.alignment import ARCFACE_112, align
from likeness.faces.detector import Landmarks
from likeness.images import Pixels, grey

# A generic head's landmarks, in millimetres: x to the right of the picture, y downwards, z away from the camera.
_HEAD = np.array(
    [[-31.0, -30.0, 24.0], [31.0, -30.0, 24.0], [0.0, 5.0, -2.0], [-25.0, 38.0, 18.0], [25.0, 38.0, 18.0]]
)
_SIDE = 112  # pixels of the aligned face that is measured
_FULL_SIZE = 40.0  # pixels between the eyes, from which on size costs nothing
_SHARP = 0.05  # detail of a face that is half as good as the sharpest
_BLACK, _WHITE = 16, 239  # grey values at and beyond which nothing is to be seen


@dataclass(frozen=True)
class Quality:
    """What is measured of a face.

    Attributes:
        eye_distance: between the eyes, in pixels of the photograph.
        sharpness: variance of the Laplacian of the aligned grey face, over the variance of the face itself.
        brightness: mean grey value of the aligned face, in [0, 1].
        clipped: share of its pixels that are black or white.
        yaw: turn of the head in degrees, positive to the right of the picture.
        pitch: positive downwards.
        roll: positive clockwise.
        score: of it all, in [0, 1], higher = better.
    """

    eye_distance: float
    sharpness: float
    brightness: float
    clipped: float
    yaw: float
    pitch: float
    roll: float
    score: float


def measure_quality(photograph: Pixels, landmarks: Landmarks) -> Quality:
    """The quality of a face.

    Args:
        photograph: uint8 [h, w] or RGB [h, w, 3].
        landmarks: of the face.
    """
    face = align(photograph, landmarks, ARCFACE_112.points(_SIDE, _SIDE), _SIDE)
    middle = grey(face)[16:96, 16:96].astype(np.float32)  # without hair and background
    eyes = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    detail = float(cv2.Laplacian(middle, cv2.CV_32F).var() / max(float(middle.var()), 1.0))
    clipped = float(np.mean((middle <= _BLACK) | (middle >= _WHITE)))
    yaw, pitch, roll = head_pose(landmarks)
    score = (
        min(eyes / _FULL_SIZE, 1.0)
        * detail
        / (detail + _SHARP)
        * (1 - clipped)
        * max(np.cos(np.radians(yaw)), 0.0)
        * max(np.cos(np.radians(pitch)), 0.0)
    )
    return Quality(eyes, detail, float(middle.mean() / 255), clipped, yaw, pitch, roll, float(score))


def head_pose(landmarks: npt.NDArray[np.floating]) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of the generic head whose parallel projection is nearest to the landmarks."""
    head = _HEAD - _HEAD.mean(axis=0)
    points = landmarks - landmarks.mean(axis=0)
    projection = (np.linalg.pinv(head) @ points).T  # two rows of a scaled rotation, if the face is rigid
    left, _, right = np.linalg.svd(projection, full_matrices=False)
    first, second = left @ right
    third = np.cross(first, second)
    yaw = np.degrees(np.arctan2(-first[2], np.hypot(first[0], second[0])))
    pitch = np.degrees(np.arctan2(second[2], third[2]))
    roll = np.degrees(np.arctan2(second[0], first[0]))
    return float(yaw), float(-pitch), float(roll)
