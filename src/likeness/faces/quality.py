"""How well a photographed face can be compared: size, sharpness, light and pose, one score, and warnings.

Covered eyes or mouths are not measured: five landmarks are reported for them all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from likeness.faces.alignments.alignment import align
from likeness.faces.alignments.arcface_112 import ARCFACE_112
from likeness.faces.detectors.detector import Landmarks
from likeness.images import Pixels, grey

# A generic head's landmarks, in millimetres: x to the right of the picture, y downwards, z away from the camera.
_HEAD = np.array(
    [[-31.0, -30.0, 24.0], [31.0, -30.0, 24.0], [0.0, 5.0, -2.0], [-25.0, 38.0, 18.0], [25.0, 38.0, 18.0]]
)
_SIDE = 112  # pixels of the aligned face that is measured
_FULL_SIZE = 40.0  # pixels between the eyes, from which on size costs nothing
_SHARP = 0.05  # detail of a face that is half as good as the sharpest
# Where a warning begins. Of 1102 photographs of LFW 0.5 % are less sharp, none is darker or worse exposed, 2 % are
# turned further.
_SMALL, _BLURRED, _DARK, _CLIPPED, _TURNED = 40, 0.02, 0.2, 0.3, 45.0
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


@dataclass(frozen=True)
class Exposure:
    """What is measured of the pixels of a face alone; see `Quality`."""

    sharpness: float
    brightness: float
    clipped: float


def measure_exposure(face: Pixels) -> Exposure:
    """Sharpness and exposure of a face uint8 [112, 112] or RGB [112, 112, 3], aligned or nearly so."""
    middle = grey(face)[16:96, 16:96].astype(np.float32)  # without hair and background
    detail = float(cv2.Laplacian(middle, cv2.CV_32F).var() / max(float(middle.var()), 1.0))
    clipped = float(np.mean((middle <= _BLACK) | (middle >= _WHITE)))
    return Exposure(detail, float(middle.mean() / 255), clipped)


def quality_warnings(exposure: Exposure | Quality, side: int) -> tuple[str, ...]:
    """Why a comparison with a face may go wrong, such as "too small: 31 px"; the bounds are for a score near 0.

    Args:
        exposure: of the face.
        side: of its box, in pixels of the photograph.
    """
    yaw = exposure.yaw if isinstance(exposure, Quality) else 0.0
    found = {
        f"too small: {side} px": side < _SMALL,
        "blurred": exposure.sharpness < _BLURRED,
        f"too dark: brightness {exposure.brightness:.0%}": exposure.brightness < _DARK,
        f"badly exposed: {exposure.clipped:.0%} black or white": exposure.clipped > _CLIPPED,
        f"turned to the side: {abs(yaw):.0f}°": abs(yaw) > _TURNED,
    }
    return tuple(said for said, applies in found.items() if applies)


def measure_quality(photograph: Pixels, landmarks: Landmarks) -> Quality:
    """The quality of a face.

    Args:
        photograph: uint8 [h, w] or RGB [h, w, 3].
        landmarks: of the face.
    """
    exposure = measure_exposure(align(photograph, landmarks, ARCFACE_112.points(_SIDE, _SIDE), _SIDE))
    detail, clipped = exposure.sharpness, exposure.clipped
    eyes = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    yaw, pitch, roll = head_pose(landmarks)
    score = (
        min(eyes / _FULL_SIZE, 1.0)
        * detail
        / (detail + _SHARP)
        * (1 - clipped)
        * max(np.cos(np.radians(yaw)), 0.0)
        * max(np.cos(np.radians(pitch)), 0.0)
    )
    return Quality(eyes, detail, exposure.brightness, clipped, yaw, pitch, roll, float(score))


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
