"""How a photograph was taken: everything about a picture that says nothing about who is in it."""

from __future__ import annotations

from dataclasses import dataclass

from drawnfaces.chance import PHOTOGRAPHS, Chance


@dataclass(frozen=True)
class Pose:
    """Angles in radians (positive: to the right of the picture, down, clockwise) and the place in the picture."""

    yaw: float
    pitch: float
    roll: float
    scale: float  # factor of the head's size
    shift_x: float  # pixels
    shift_y: float


@dataclass(frozen=True)
class Expression:
    """What the face does at this moment."""

    smile: float  # -0.4 sullen to 1
    jaw: float  # 0 closed to 1 wide open
    lids: float  # factor of the eyes' opening
    brows: float  # raised (positive) or knit
    gaze_x: float  # half eyes
    gaze_y: float


@dataclass(frozen=True)
class Light:
    """One lamp and a sky. Angles in radians, 0 is from the camera."""

    azimuth: float
    elevation: float
    lamp: float
    sky: float
    shine: float


@dataclass(frozen=True)
class Look:
    """What a person changes from day to day."""

    glasses: bool
    sunglasses: bool
    stubble: float
    hair_volume: float  # factor
    hair_shift: float  # the parting moves by this
    dress: int  # seed of the clothes


@dataclass(frozen=True)
class Camera:
    """Lens, sensor and file."""

    exposure: float  # mean brightness aimed at, 0 to 1
    contrast: float
    blur: float  # sigma, pixels
    motion: float  # length, pixels
    motion_angle: float
    noise: float  # sigma, gray levels of 255
    grain: int  # seed of the noise
    quality: int  # of the JPEG


@dataclass(frozen=True)
class Capture:
    """One photograph."""

    pose: Pose
    expression: Expression
    light: Light
    look: Look
    camera: Camera
    background: int  # seed of what is behind
    occluder: int | None  # seed of what is in front, if anything


def draw_capture(seed: int, person: int, number: int) -> Capture:
    """The circumstances of photograph `number` (from 1) of a person; depends on these three alone."""
    chance = Chance(seed, PHOTOGRAPHS, person, number)
    return Capture(
        pose=_pose(chance),
        expression=_expression(chance),
        light=_light(chance),
        look=_look(chance),
        camera=_camera(chance),
        background=chance.whole(0, 2**32),
        occluder=chance.whole(0, 2**32) if chance.happens(0.12) else None,
    )


def _pose(chance: Chance) -> Pose:
    return Pose(
        yaw=chance.about(0.0, 0.3),
        pitch=chance.about(0.03, 0.13),
        roll=chance.about(0.0, 0.09),
        scale=chance.about(1.0, 0.055),
        shift_x=chance.about(0.0, 3.5),
        shift_y=chance.about(0.0, 3.5),
    )


def _expression(chance: Chance) -> Expression:
    smiling, talking, blinking = chance.happens(0.5), chance.happens(0.25), chance.happens(0.04)
    return Expression(
        smile=chance.between(0.3, 1.0) if smiling else chance.about(0.08, 0.15),
        jaw=chance.between(0.15, 0.8) if talking else chance.between(0.0, 0.45 if smiling else 0.06),
        lids=0.1 if blinking else chance.about(0.95, 0.12) - (0.12 if smiling else 0.0),
        brows=chance.about(0.0, 0.3),
        gaze_x=chance.about(0.0, 0.28),
        gaze_y=chance.about(0.0, 0.12),
    )


def _light(chance: Chance) -> Light:
    return Light(
        azimuth=chance.about(0.0, 0.85),
        elevation=chance.about(0.5, 0.36),
        lamp=chance.between(0.7, 1.3),
        sky=chance.between(0.1, 0.4),
        shine=chance.between(0.03, 0.25),
    )


def _look(chance: Chance) -> Look:
    return Look(
        glasses=chance.happens(0.8),
        sunglasses=chance.happens(0.025),
        stubble=chance.between(0.0, 0.25),
        hair_volume=chance.between(0.8, 1.25),
        hair_shift=chance.about(0.0, 0.1),
        dress=chance.whole(0, 2**32),
    )


def _camera(chance: Chance) -> Camera:
    moving = chance.happens(0.12)
    return Camera(
        exposure=chance.between(0.34, 0.58),
        contrast=chance.between(0.8, 1.2),
        blur=chance.between(0.3, 1.3),
        motion=chance.between(3.0, 7.0) if moving else 0.0,
        motion_angle=chance.between(0.0, 3.14),
        noise=chance.between(0.8, 4.5),
        grain=chance.whole(0, 2**32),
        quality=chance.whole(55, 94),
    )
